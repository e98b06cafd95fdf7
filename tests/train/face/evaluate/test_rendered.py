"""Scores of rendered heads on edits whose answers are known: nothing, the exact flow, half of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.face.compose import Composer
from edge_runtime.face.generator import Edit
from edge_runtime.face.geometry import FloatArray
from tests.train.face.evaluate.judges_for_tests import StubEyes
from tests.train.face.warped_faces import tiny_config, write_aligned
from train.face.batches import Example, Sampler
from train.face.evaluate.rendered import HeadJudge, HeadScore, landmark_sums
from train.face.evaluate.results import ALL_UNITS, FILE, LINEAR, NOTHING, TRUE_FLOW, WARP
from train.face.evaluate.summarise import bar_values, rendered_of
from train.face.scoring import flow_alone
from train.face.units import UNIT_INDEX, UNIT_NAMES


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Held-out smiles of made-up faces."""
    sampler = Sampler.of([write_aligned(tmp_path)], tiny_config(), "heldout")
    return [sampler.plain(number) for number in range(len(sampler))]


class _Answering(HeadJudge):
    """The arithmetic of the judge without a model file."""

    def __init__(self, basis: FloatArray | None = None) -> None:
        config = tiny_config()
        self._composer = Composer(config.crop, config.mask)
        self._basis, self._ssim, self._eyes = basis, None, StubEyes()

    def _finished(self, example: Example, edit: Edit) -> np.ndarray:
        out = example.source.copy()
        from train.face.scoring import HERE

        self._composer.paste(out, edit, HERE)
        return out


def _scored(example: Example, share: float, haze: float = 0.0, number: int = 0) -> HeadScore:
    """What a model scores that moves ``share`` of the truth and lays grey over everything."""
    size = example.source.shape[0]
    mask = np.full((size, size, 1), haze, np.float32)
    edit = replace(flow_alone(share * example.flow, size), mask=mask, rgb=np.full((size, size, 3), 0.5, np.float32))
    points = np.array([[46.0, 81.0], [82.0, 81.0], [64.0, 20.0]], np.float32)
    moved = points.copy()
    from train.face.evaluate.rendered import flow_at

    moved -= flow_at(example.flow, points)
    sums = _Answering()._sums(example, edit, (points, moved))
    zero = (0.0, 0.0)
    return HeadScore("a.npz", f"head {number}", "smile", tuple(example.delta.tolist()), sums, {}, 0.0, zero, None)


def _row(scores: list[HeadScore], system: str) -> object:
    rendered = rendered_of(scores, 0, "")
    return next(row for row in rendered.rows if (row.system, row.unit) == (system, ALL_UNITS))


def test_doing_nothing_scores_one(examples: list[Example]) -> None:
    """A converter that does nothing is what all is measured by."""
    scores = [_scored(example, 0.0, number=i) for i, example in enumerate(examples)]
    for system in (NOTHING, WARP, FILE):
        row = _row(scores, system)
        assert row.changed_l1.mean == pytest.approx(1.0)  # type: ignore[attr-defined]
        assert row.flow.mean == pytest.approx(1.0)  # type: ignore[attr-defined]


def test_the_exact_flow_is_the_ceiling(examples: list[Example]) -> None:
    """And a model that has it scores the same as the row that has it by right."""
    scores = [_scored(example, 1.0, number=i) for i, example in enumerate(examples)]
    mine, ceiling = _row(scores, FILE), _row(scores, TRUE_FLOW)
    assert mine.flow.mean == ceiling.flow.mean == 0.0  # type: ignore[attr-defined]
    assert mine.changed_l1 == ceiling.changed_l1  # type: ignore[attr-defined]
    assert ceiling.changed_l1.mean < 0.3  # type: ignore[attr-defined]


def test_half_the_way_is_half_the_error(examples: list[Example]) -> None:
    """Flow error and gain are in proportion."""
    row = _row([_scored(example, 0.5) for example in examples], FILE)
    assert row.flow.mean == pytest.approx(0.5, abs=1e-4)  # type: ignore[attr-defined]
    assert row.gain.mean == pytest.approx(0.5, abs=0.05)  # type: ignore[attr-defined]


def test_haze_over_what_should_stay_shows(examples: list[Example]) -> None:
    """The bar of unchanged pixels is met by the warp alone and not by a mask that is open everywhere."""
    clean, hazy = ([_scored(example, 1.0, haze) for example in examples] for haze in (0.0, 0.6))
    assert bar_values(rendered_of(clean, 0, ""), None, 1e8)["still"] == 1.0
    assert bar_values(rendered_of(hazy, 0, ""), None, 1e8)["still"] > 5.0  # type: ignore[operator]


def test_a_linear_basis_is_a_row_of_its_own(examples: list[Example]) -> None:
    """The bar is 30 % below it."""
    example = examples[0]
    basis = np.zeros((len(UNIT_NAMES), *example.flow.shape), np.float32)
    smile = UNIT_INDEX["smile"]
    basis[smile] = 0.5 * example.flow / example.delta[smile]
    size = example.source.shape[0]
    edit = flow_alone(0.9 * example.flow, size)
    points = np.zeros((1, 2), np.float32)
    sums = _Answering(basis)._sums(example, edit, (points, points))
    score = HeadScore("a", "h", "smile", tuple(example.delta.tolist()), sums, {}, 0.0, (0.0, 0.0), None)
    assert _row([score], LINEAR).flow.mean == pytest.approx(0.5, abs=1e-3)  # type: ignore[attr-defined]
    assert bar_values(rendered_of([score], 0, ""), None, 1e8)["below_linear"] == pytest.approx(0.8, abs=1e-3)


def test_gain_and_leak_of_a_plain_shift() -> None:
    """A flow of 2 px everywhere where 4 px are right for one landmark and none for another."""
    flow = np.zeros((64, 64, 2), np.float32)
    flow[..., 1] = -2.0
    before = np.array([[40.0, 40.0], [90.0, 90.0]], np.float32)
    after = before + np.array([[0.0, 4.0], [0.0, 0.0]], np.float32)
    sums = landmark_sums(flow, before, after)
    assert sums["gain"][0] / sums["gain"][1] == pytest.approx(0.5)
    assert sums["leak"][0] / sums["leak"][1] == pytest.approx(0.5)
