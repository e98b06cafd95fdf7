"""The judge learns to tell true pixels from invented ones, and what it says changes only the pixels invented."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tensorflow = pytest.importorskip("tensorflow")

from tests.train.face.warped_faces import tiny_config
from train.face.adversary import Adversary
from train.face.presets import MOUTH

pytestmark = pytest.mark.tensorflow

CONFIG = tiny_config()


def pictures() -> dict[str, np.ndarray]:
    """Stripes are true, their mean is what a network without a judge would invent; only in the mouth."""
    size = CONFIG.crop.size_px
    flat = np.full((2, size, size, 3), 0.5, np.float32)
    stripes = flat + 0.3 * np.sign(np.sin(np.arange(size, dtype=np.float32)))[None, None, :, None]
    mask = np.zeros((2, size, size, 1), np.float32)
    mask[:, 84:108, 44:84] = 1.0
    return {"source": flat, "warped": flat, "mask": mask, "rgb": flat, "target": stripes}


def test_the_judge_ranks_the_true_picture_above_the_blurred_one_and_the_network_is_drawn_to_it() -> None:
    keras.utils.set_random_seed(3)
    adversary, given = Adversary(CONFIG), pictures()
    variables = [v.value for judge in adversary.judges for v in judge.trainable_variables]
    adam = keras.optimizers.Adam(2e-3)
    before = adversary.terms(**given)
    for _ in range(20):
        with tensorflow.GradientTape() as tape:
            loss = adversary.terms(**given)["judge"]
        adam.apply(tape.gradient(loss, variables), [v for judge in adversary.judges for v in judge.trainable_variables])
    after = adversary.terms(**given)
    assert float(after["judge"]) < 0.5 * float(before["judge"])
    assert float(after["adversary"]) > float(before["adversary"])
    assert float(adversary.terms(**given | {"rgb": given["target"]})["adversary"]) < float(after["adversary"])


def test_each_side_is_trained_by_its_own_term_and_only_where_something_is_invented() -> None:
    adversary, given = Adversary(CONFIG), pictures()
    judges = [v.value for judge in adversary.judges for v in judge.trainable_variables]
    rgb, mask = tensorflow.Variable(given["rgb"]), tensorflow.Variable(given["mask"])
    with tensorflow.GradientTape(persistent=True) as tape:
        terms = adversary.terms(**given | {"rgb": rgb, "mask": mask})
    assert all(gradient is None for gradient in tape.gradient(terms["adversary"], judges))
    assert tape.gradient(terms["judge"], rgb) is None
    assert tape.gradient(terms["adversary"], mask) is None, "or nothing would be invented, to please the judge"
    drawn = np.abs(np.asarray(tape.gradient(terms["adversary"], rgb))).sum(axis=-1, keepdims=True)
    assert drawn[:, MOUTH.rows, MOUTH.columns].max() > 0.0
    assert drawn[given["mask"] == 0.0].max() == 0.0


def test_where_nothing_is_invented_there_is_nothing_to_judge() -> None:
    given = pictures()
    given["mask"] = np.zeros_like(given["mask"])
    terms = Adversary(CONFIG).terms(**given)
    assert float(terms["judge"]) == float(terms["adversary"]) == 0.0
