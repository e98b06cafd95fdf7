"""The network: nothing of the photo but its code reaches the face, folding changes nothing, and it is small enough."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import ops

from tests.train.face.swap.made_up import SMALL_CROP, TINY
from train.face.model import count_macs
from train.face.parts import CROP
from train.face.swap.model import build_folded, build_swap, fold, is_film, is_mask
from train.face.swap.presets import PRESETS

pytestmark = pytest.mark.tensorflow

SIZE = SMALL_CROP.size_px


def _shaken(seed: int = 1) -> keras.Model:
    """A tiny network none of whose weights is 0 or 1, statistics included."""
    model = build_swap(TINY, SIZE)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights(
            [w * (1.0 + 0.3 * rng.random(w.shape)) + 0.05 * rng.normal(size=w.shape) for w in layer.get_weights()]
        )
    return model


def _answer(model: keras.Model, **feeds: np.ndarray) -> dict[str, np.ndarray]:
    """Without compiling anything: for one call that takes longest."""
    return {name: ops.convert_to_numpy(value) for name, value in model(feeds, training=False).items()}


def test_one_identity_folds_into_a_plain_net_that_gives_the_same() -> None:
    model, rng = _shaken(), np.random.default_rng(2)
    images = rng.random((2, SIZE, SIZE, 3)).astype(np.float32)
    for vector in rng.normal(size=(2, TINY.identity)).astype(np.float32):
        folded = fold(model, vector, TINY, SIZE)
        assert set(folded.input) == {"image"}
        for image in images:
            expected = _answer(model, image=image[None], identity=vector[None])
            found = _answer(folded, image=image[None])
            for name in ("rgb", "mask"):
                np.testing.assert_allclose(found[name], expected[name], atol=2e-5)


def test_identities_differ_and_the_plain_net_has_no_layers_of_them() -> None:
    model = _shaken()
    image = np.random.default_rng(3).random((1, SIZE, SIZE, 3)).astype(np.float32)
    first, second = (
        _answer(model, image=image, identity=np.full((1, TINY.identity), v, np.float32))["rgb"] for v in (-1.0, 1.0)
    )
    assert np.abs(first - second).max() > 1e-3
    names = [layer.name for layer in build_folded(TINY, SIZE).layers]
    assert not [name for name in names if is_film(name) or name.endswith("_norm")]


def test_the_face_depends_on_the_photo_through_the_code_alone() -> None:
    """A skip would carry the photo's own face over: with the code's weights at 0 no photo makes a difference."""
    model = _shaken()
    code = model.get_layer("code")
    code.set_weights([np.zeros_like(code.get_weights()[0]), code.get_weights()[1]])
    images = np.random.default_rng(4).random((2, SIZE, SIZE, 3)).astype(np.float32)
    found = _answer(model, image=images, identity=np.ones((2, TINY.identity), np.float32))
    np.testing.assert_array_equal(found["rgb"][0], found["rgb"][1])
    assert np.abs(found["mask"][0] - found["mask"][1]).max() > 1e-4


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_preset_keeps_to_the_boards_budget(preset: object) -> None:
    """0.2 GMAC a face; with weights of a byte, 1.5 MB of detector and landmark model and 0.2 MB of vectors, 3 MB."""
    folded = build_folded(preset, CROP.size_px)  # type: ignore[arg-type]
    parameters = sum(int(np.prod(weight.shape)) for weight in folded.weights)
    assert count_macs(folded) <= 0.2e9
    assert parameters <= 1.25e6
    assert {name: tuple(tensor.shape) for name, tensor in folded.output.items()} == {
        "rgb": (1, CROP.size_px, CROP.size_px, 3),
        "mask": (1, CROP.size_px, CROP.size_px, 1),
    }


def test_the_masks_layers_are_known_by_name() -> None:
    names = [layer.name for layer in build_swap(TINY, SIZE).layers if layer.weights]
    assert {name.split("_")[0] for name in names if is_mask(name)} == {"mask"}
    assert not is_mask("rgb_half")
