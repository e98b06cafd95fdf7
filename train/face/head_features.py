"""What a head of the expression network sees and should paint, kept in memory, so that the rest need not run again.

The rest of the network stays as it is (`train.face.refine`), and costs ten times what a head does. So it runs once for
each of some thousand edits, most of which have something to invent in the head's patch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_runtime.face.geometry import FloatArray
from train.face.batches import Example, Sampler, stack
from train.face.config import FaceConfig
from train.face.losses import expressive, move, wanted_mask
from train.face.model import HEAD_PREFIX
from train.face.parts import device_units
from train.face.presets import Patch
from train.prefetch import Batch
from train.progress import Progress

Half = NDArray[np.float16]

_INVENTING_SHARE: Final = 0.7
"""Of the edits, those of which something in the patch must be invented; the others teach it to stay shut."""
_GROWING: Final = {"eyes": ("blink_left", "blink_right"), "mouth": ("jaw_open", "upper_lip", "lower_lip")}
"""Units that ask for something to be invented in a patch when they grow. Eyes that open hide more pixels than eyes that
close, but nobody can know their colour, and few photos are of shut eyes: chosen by pixels, they were most of what was
learnt, and the lids stayed as they were."""
_GROWN: Final = 0.4
"""From here on an edit counts among them."""
_ALL: Final = 0.999
_CHUNK: Final = 32


@dataclass(frozen=True, eq=False)
class HeadFeatures:
    """N edits; a patch of h x w pixels."""

    seen: Half
    """(N, h/2, w/2, C) what the head's first layer reads."""
    condition: Half
    """(N, K) the wish, as the network puts it."""
    amount: Half
    """(N, 1, 1, 1) how much is asked for."""
    image: Half
    """(N, h, w, 3) the patch as the network reads it."""
    source: Half
    """(N, h, w, 3) the same without noise."""
    target: Half
    """(N, h, w, 3)"""
    moved: Half
    """(N, h, w, 3) as the network warps and shades it."""
    wanted: Half
    """(N, h, w, 1) what must be invented."""

    def __len__(self) -> int:
        return len(self.seen)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """``size`` edits at random, by name, as float32."""
        chosen = rng.integers(len(self), size=size)
        return {field.name: getattr(self, field.name)[chosen].astype(np.float32) for field in fields(self)}


class PatchEdits:
    """Draws the edits that a head learns from."""

    def __init__(self, sampler: Sampler, config: FaceConfig, patch: Patch) -> None:
        self._sampler = sampler
        self._inventing = sampler.growing(_GROWING[patch.name], _GROWN)
        units = device_units()
        assert tuple(unit.name for unit in units) == config.units
        self._gains = np.maximum(np.array([unit.gain for unit in units], np.float32), 1.0)

    def draw(self, rng: np.random.Generator) -> Example:
        """An edit, augmented; a wish for all there is may be as much greater as the device makes it (`UnitSpec.gain`).

        At 1 the wish is as rendered; beyond, the answer stays the same, since nothing closes further than shut.
        """
        if not self._inventing or rng.random() > _INVENTING_SHARE:
            return self._sampler.draw(rng)
        number, reverse = self._inventing[int(rng.integers(len(self._inventing)))]
        example, after = self._sampler.draw_pair(number, reverse, rng)
        return replace(example, delta=self.louder(example.delta, after, rng))

    def louder(self, delta: FloatArray, after: FloatArray, rng: np.random.Generator) -> FloatArray:
        """``delta`` (U,) with what leads to all of a unit, in ``after`` (U,), as much greater as its gain, or less."""
        full = (after >= _ALL) & (delta > 0.0)
        return np.asarray(np.where(full, delta * (1.0 + (self._gains - 1.0) * rng.random()), delta), np.float32)


def collect_features(
    network: keras.Model, config: FaceConfig, patch: Patch, edits: PatchEdits, count: int, seed: int
) -> HeadFeatures:
    """Run the network for ``count`` edits and keep what concerns ``patch``; shows progress."""
    seeing = _seeing(network, patch)
    rng = np.random.default_rng(seed)
    parts: list[dict[str, Half]] = []
    with Progress(count, f"look at {patch.name}") as progress:
        for start in range(0, count, _CHUNK):
            batch = stack([edits.draw(rng) for _ in range(min(_CHUNK, count - start))])
            parts.append(_features(seeing, config, patch, batch))
            progress.update(start + len(batch["delta"]))
    return HeadFeatures(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _seeing(network: keras.Model, patch: Patch) -> keras.Model:
    """The network up to the head."""
    name = f"{HEAD_PREFIX}{patch.name}"
    outputs = {
        "seen": network.get_layer(f"{name}_depthwise").input,
        "condition": network.get_layer("condition_relu").output,
        "amount": network.get_layer(f"{HEAD_PREFIX}amount_reshape").output,
        "flow": network.output["flow"],
        "shade": network.output["shade"],
    }
    return keras.Model(network.input, outputs)


def _features(seeing: keras.Model, config: FaceConfig, patch: Patch, batch: Batch) -> dict[str, Half]:
    outputs = seeing.predict_on_batch({"image": batch["image"], "delta": batch["delta"]})
    moved = move(config, batch["source"], outputs)
    pictures = {
        **{name: batch[name] for name in ("image", "source", "target")},
        "moved": _numpy(moved),
        "wanted": _numpy(wanted_mask(config, batch, moved) * expressive(batch)),
    }
    cut = {name: picture[:, patch.rows, patch.columns] for name, picture in pictures.items()}
    kept = {name: outputs[name] for name in ("seen", "condition", "amount")}
    return {name: np.asarray(values, np.float16) for name, values in {**kept, **cut}.items()}


def _numpy(x: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x))
