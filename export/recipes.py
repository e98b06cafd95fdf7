"""The precisions a model can be exported in, as data.

A recipe's name reads: ``fp32`` (nothing changed), ``fp16`` (weights stored as half floats, computed in float32),
``dynamic_int8`` (weights int8, activations quantised on the fly), ``int8`` (weights and activations int8 with ranges
from calibration; inputs, outputs, states and the residual sums stay float32). Every recipe carries the bounds that a
file made by it must keep against the Keras model on real speech; a file that breaks one is not written.

The SNR floors are those of the project's first export study; an `OutputBound` stands where an output was measured
not to reach the recipe's own floor, with the reason why a lower one is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.errors import WorkstationError

STATE_SUFFIX = "_next"
"""A state that goes in as ``x`` comes out as ``x_next``."""

COMPAT_TFLITE_2_14 = "tflite-2.14"
"""Target of ``--compat``: files that tflite-runtime 2.14 (32-bit boards) can load."""

COMPATS = (COMPAT_TFLITE_2_14,)


HEARD_WITH = {"residual": "harmonic"}
"""Outputs that are heard only as far as another one, of log gains, lets them: their frames count by its power.

Where nothing is voiced the residual has no effect, so training leaves it where it happens to be; judged on all frames
alike, a model's residual had 30.7 dB in dynamic_int8 after 2,800 steps and 21.8 dB after 15,700, and sounded the same.
"""


@dataclass(frozen=True)
class OutputBound:
    """A floor for one output by name, in place of the recipe's own."""

    output: str
    snr_floor_db: float
    reason: str
    """Why this floor is enough; the report shows it."""


@dataclass(frozen=True)
class Recipe:
    """How one file is made, and what it must keep."""

    precision: str
    """fp32, fp16, dynamic_int8 or int8; second part of the file's name."""
    graph_format: str
    """tflite or onnx; last part of the file's name."""
    weight_bytes: float
    """Bytes a weight takes in the file; a graph well below parameters x this has lost its weights."""
    max_abs: float | None
    """Largest allowed difference of any output value from Keras; None where only the SNR counts."""
    snr_floor_db: float
    """Lowest allowed signal-to-error ratio of an output against Keras."""
    bounds: tuple[OutputBound, ...] = ()
    """Outputs with a floor of their own."""
    picture_floor_db: float = 0.0
    """Lowest allowed PSNR of the finished picture against the one by Keras, over the patches that change (faces)."""
    float_ops: tuple[str, ...] = ()
    """TFLite operators that calibrated quantisation leaves in float."""
    float_layers: tuple[str, ...] = ()
    """Keras layers, by the beginning of their names, that it leaves in float (`export.float_nodes`)."""

    @property
    def label(self) -> str:
        """``precision.format``, as in the file's name."""
        return f"{self.precision}.{self.graph_format}"

    @property
    def calibrated(self) -> bool:
        """True when the conversion needs real inputs to find activation ranges."""
        return self.precision == "int8"

    def picture_complaints(self, psnr_db: float) -> list[str]:
        """What is wrong with finished pictures of ``psnr_db`` against Keras', if anything."""
        if psnr_db >= self.picture_floor_db:
            return []
        return [f"finished pictures have {psnr_db:.1f} dB against Keras', less than {self.picture_floor_db:.0f} dB"]

    def floor_db(self, output: str) -> float:
        """The SNR floor for ``output`` in dB."""
        for bound in self.bounds:
            if bound.output == output:
                return bound.snr_floor_db
        return self.snr_floor_db


# Eight bits for the sums along a chain of residual blocks round once per block: 3 to 4 dB lost on every output of a
# trained small model. In float they cost nothing measurable, since the layers between them take the time. (Heads in
# float gain 0.3 dB, input layers 0.4 dB: not worth their size.)
_INT8_FLOAT_OPS = ("ADD",)

_DYNAMIC_RESIDUAL = OutputBound(
    "residual",
    snr_floor_db=25.0,
    reason="measured 33 to 39 dB, and 29.9 dB with the per-tensor weights that tflite-2.14 needs; the residual r "
    "enters the sound as 1 + 0.9 r, so that an error at this floor (about 0.015 RMS) lies 35 dB below the harmonics",
)
_INT8_RESIDUAL = OutputBound(
    "residual",
    snr_floor_db=20.0,
    reason="measured 24 to 25 dB on trained models of the small preset; the residual r enters the sound as 1 + 0.9 r, "
    "so that an error at this floor (about 0.03 RMS) lies 30 dB below the harmonics, less than what the rounding of "
    "the gains adds",
)

RECIPES = (
    Recipe("fp32", "tflite", weight_bytes=4.0, max_abs=1e-4, snr_floor_db=90.0),
    Recipe("fp16", "tflite", weight_bytes=2.0, max_abs=None, snr_floor_db=55.0),
    Recipe("dynamic_int8", "tflite", weight_bytes=1.0, max_abs=None, snr_floor_db=30.0, bounds=(_DYNAMIC_RESIDUAL,)),
    Recipe(
        "int8",
        "tflite",
        weight_bytes=1.0,
        max_abs=None,
        snr_floor_db=25.0,
        bounds=(_INT8_RESIDUAL,),
        float_ops=_INT8_FLOAT_OPS,
    ),
    Recipe("fp32", "onnx", weight_bytes=4.0, max_abs=1e-4, snr_floor_db=90.0),
)
"""Every voice file that export knows how to make, in the order in which they are made."""

_FACE_MASK = OutputBound(
    "mask",
    snr_floor_db=14.0,
    reason="the device opens the mask from 0.1 to 0.28 only, so that small errors where it is shut are never seen; "
    "what is seen is held by the finished picture's own bound",
)
_FACE_FLOW = OutputBound(
    "flow",
    snr_floor_db=18.0,
    reason="the flow of an edit is 1 pixel in the root mean square, so that an error at this floor is an eighth of a "
    "pixel of the crop; what is seen of it is held by the finished picture's own bound",
)
_FACE_INT8 = (_FACE_MASK, _FACE_FLOW)

# Shades are small differences of large features: with the last block before them, their head, and the gains and shifts
# of both in integers 3.8 dB are left of them; with the convolutions alone in float 13 dB, with both 25.6 dB. The flow
# comes of the same features and gains 7 dB. A sixth of the multiply-accumulates, 70 kB.
_FACE_FLOAT_LAYERS = ("up2_gain", "up2_shift", "up2_block", "head_shade", "residual_flow", "flow_up")

FACE_RECIPES = (
    # Absolute: flows reach 15 pixels and pass through a sum, so the last bits of float32 are 1e-5 of a pixel.
    Recipe("fp32", "tflite", weight_bytes=4.0, max_abs=1e-3, snr_floor_db=80.0, picture_floor_db=60.0),
    Recipe("fp16", "tflite", weight_bytes=2.0, max_abs=None, snr_floor_db=45.0, picture_floor_db=50.0),
    Recipe(
        "dynamic_int8",
        "tflite",
        weight_bytes=1.0,
        max_abs=None,
        snr_floor_db=22.0,
        bounds=_FACE_INT8,
        picture_floor_db=34.0,
    ),
    Recipe(
        "int8",
        "tflite",
        weight_bytes=1.0,
        max_abs=None,
        snr_floor_db=20.0,
        bounds=_FACE_INT8,
        picture_floor_db=32.0,
        float_layers=_FACE_FLOAT_LAYERS,
    ),
    Recipe("fp32", "onnx", weight_bytes=4.0, max_abs=1e-3, snr_floor_db=80.0, picture_floor_db=60.0),
)
"""The same for face models. Their bounds are lower, because an error of a hundredth cannot be seen in a picture; the
finished pictures of file and Keras are compared as well (`Recipe.picture_floor_db`)."""

_SWAP_MASK = OutputBound(
    "mask",
    snr_floor_db=20.0,
    reason="most of a mask is 0 or 1, and the device opens it from 0.25 to 0.75; what is seen of it is held by the "
    "finished picture's own bound",
)

SWAP_RECIPES = (
    Recipe("fp32", "tflite", weight_bytes=4.0, max_abs=1e-3, snr_floor_db=80.0, picture_floor_db=60.0),
    Recipe("fp16", "tflite", weight_bytes=2.0, max_abs=None, snr_floor_db=45.0, picture_floor_db=50.0),
    Recipe(
        "dynamic_int8",
        "tflite",
        weight_bytes=1.0,
        max_abs=None,
        snr_floor_db=24.0,
        bounds=(_SWAP_MASK,),
        picture_floor_db=32.0,
    ),
    Recipe(
        "int8",
        "tflite",
        weight_bytes=1.0,
        max_abs=None,
        snr_floor_db=24.0,
        bounds=(_SWAP_MASK,),
        picture_floor_db=32.0,
    ),
    Recipe("fp32", "onnx", weight_bytes=4.0, max_abs=1e-3, snr_floor_db=80.0, picture_floor_db=60.0),
)
"""The same for swap models: their bar is 32 dB of the finished picture."""

PRECISIONS = ("fp32", "fp16", "dynamic_int8", "int8")
FORMATS = ("tflite", "onnx")


def select(
    precisions: tuple[str, ...], formats: tuple[str, ...], recipes: tuple[Recipe, ...] = RECIPES
) -> tuple[Recipe, ...]:
    """Those of ``recipes`` with the wanted precisions and formats, in their order.

    Raises `WorkstationError` for an unknown name and when no recipe fits.
    """
    for name, known in ((precisions, PRECISIONS), (formats, FORMATS)):
        if unknown := [entry for entry in name if entry not in known]:
            raise WorkstationError(f"{unknown[0]!r} is not one of {', '.join(known)}")
    chosen = tuple(r for r in recipes if r.precision in precisions and r.graph_format in formats)
    if not chosen:
        raise WorkstationError(
            f"no file can be made of precision {', '.join(precisions)} in format {', '.join(formats)}; "
            f"possible are {', '.join(r.label for r in recipes)}"
        )
    return chosen
