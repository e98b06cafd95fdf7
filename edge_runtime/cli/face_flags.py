"""Faces as the command line asks for them: the flags of ``convert`` and ``live face``, and what they load."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments

if TYPE_CHECKING:
    from edge_runtime.face.controls import FaceControls
    from edge_runtime.face.converter import FaceConverter


def add(parser: arguments.Parser) -> None:
    """Add the flags, as a group of their own; the model's units are taken by `arguments.take_units`."""
    face = parser.add_argument_group("the face (photos and video; units such as --smile 0.8 as well)")
    face.add_argument("--expression", metavar="NAME[:0..1]", help="happy, sad, angry, ..., as much as the number says")
    face.add_argument("--faces", metavar="WHICH", help="all (default), largest, left, right, or a number from the left")
    face.add_argument("--uncapped", action="store_true", help="add to a smile that is there already, past the full one")


@dataclass(frozen=True)
class FaceWishes:
    """A loaded model and what is asked of it."""

    converter: FaceConverter
    controls: FaceControls
    text: str
    """What is asked for, as the mark says it."""

    @classmethod
    def load(cls, options: argparse.Namespace, units: dict[str, float]) -> FaceWishes:
        """Open the model and check the wishes against it."""
        import edge_runtime

        path = arguments.model_path(options.model)
        converter = edge_runtime.load(path, kind="face", backend=options.backend, threads=options.threads)
        controls = converter.controls(
            expression=options.expression, faces=options.faces or "all", capped=not options.uncapped, **units
        )
        wishes = [options.expression] if options.expression else []
        wishes += [f"{name.replace('_', '-')} {value:g}" for name, value in units.items()]
        return cls(converter, controls, ", ".join(wishes))

    def comment(self) -> str:
        """What marks a picture that was changed so."""
        from edge_runtime.provenance import edit_comment

        return edit_comment(model=self.converter.manifest.name, edit=self.text)
