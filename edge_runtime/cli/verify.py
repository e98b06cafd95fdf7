"""``changeling verify FILE``: whether a WAV, photo or video says that it was converted."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.cli import arguments

NOT_MARKED = 1


def run(argv: list[str]) -> int:
    """0 when every file is marked as converted, 1 when one is not. Raises `InputError` for what cannot be read."""
    from edge_runtime.provenance import read_mark

    parser = arguments.Parser("changeling verify", "Tell whether files are marked as converted.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .wav, .jpg, .png or video file")
    options = parser.parse_args(argv)
    code = 0
    for name in options.files:
        mark = read_mark(Path(name))
        if mark is None:
            print(f"{name}: no mark; it was not converted by Changeling, or its metadata was removed")
            code = NOT_MARKED
        elif mark.edit:
            print(f"{name}: face edited (model {mark.model or 'unknown'}, {mark.edit})")
        else:
            print(f"{name}: converted (model {mark.model or 'unknown'}, voice {mark.voice or 'unknown'})")
    return code
