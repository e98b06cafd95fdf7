"""Judging swaps: what a perfect and a useless swap score, and how the target is looked for among others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.face.follow import EXPRESSIVE
from edge_runtime.face.geometry import align
from edge_runtime.face.landmarks import Face
from edge_runtime.face.swapper import Swapped
from tests.edge_runtime.face.tiny_swap import write_swap
from tests.train.face.swap.made_up import NAMES, aligned
from train.evaluate.results import make_bars
from train.face.parts import CROP
from train.face.preprocess import crop_to_frame
from train.face.swap.evaluate.bars import BARS
from train.face.swap.evaluate.measures import expression_error, following, mean_of_known
from train.face.swap.evaluate.rendered import Gallery, RenderedJudge, RenderedScore, summary
from train.face.swap.looks import Look, RenderedLooks


def _mesh(seed: int = 1) -> Face:
    points = np.random.default_rng(seed).uniform(40.0, 120.0, (468, 3)).astype(np.float32)
    return Face(points, crop_to_frame().apply(np.array(CROP.reference)), 1.0)


class _Converter:
    """Knows the answer to the one look that it is shown, or does nothing."""

    def __init__(self, look: Look, perfect: bool) -> None:
        self.manifest = SimpleNamespace(crop=CROP)
        self.finder = SimpleNamespace(find=lambda image: [_mesh()])
        self.swapper = SimpleNamespace(run=self._run)
        self._look, self._perfect = look, perfect

    def controls(self, **wishes: Any) -> None:
        return None

    def swap_face(self, image: np.ndarray, face: Face, controls: None) -> None:
        if self._perfect:
            inside = self._look.shown > 0
            image[inside] = self._look.target[inside]

    def _run(self, crop: np.ndarray) -> Swapped:
        from edge_runtime.face.remap import sample

        back = align(_mesh().five, CROP).inverse()
        shown = sample(self._look.shown[..., None], back, (128, 128), black_outside=True).astype(np.float32) / 255.0
        return Swapped(crop / np.float32(255.0), shown if self._perfect else 1.0 - shown)


def _score(perfect: bool) -> RenderedScore:
    look = RenderedLooks([aligned(NAMES, 2, 1)], NAMES).look(0)
    converter: Any = _Converter(look, perfect)
    found = RenderedJudge(converter, None, None).score(look, 3)
    assert found is not None
    return found


def test_a_perfect_swap_and_none_at_all() -> None:
    perfect, nothing = _score(True), _score(False)
    assert perfect.psnr_db == 99.0
    assert perfect.mask_iou == 1.0
    assert 0.5 < perfect.covered_iou < 1.0  # it knows nothing of what was drawn before the face
    assert nothing.psnr_db == nothing.nothing_psnr_db < 40.0
    assert nothing.mask_iou == 0.0
    assert perfect.pose_deg == perfect.expression == 0.0
    assert perfect.source_distance is None
    means = summary([perfect, nothing])
    assert means["psnr_gain_db"] == pytest.approx((99.0 - perfect.nothing_psnr_db) / 2.0)
    assert means["top1"] is means["ssim"] is means["closer"] is None


def test_the_target_is_looked_for_among_all_others() -> None:
    gallery = Gallery(None, [np.array([0.0, 0.1]), np.array([0.0, -0.1])], [np.array([1.0, 0.0]), np.array([0.0, 2.0])])  # type: ignore[arg-type]
    assert len(gallery) == 3
    assert gallery.is_first(np.array([0.3, 0.0]))
    assert not gallery.is_first(np.array([0.8, 0.0]))
    assert gallery.distance(np.array([0.0, 0.5])) == pytest.approx(0.5)


def test_an_expression_is_told_whatever_the_place_size_and_tilt_of_the_head() -> None:
    face = _mesh()
    turned = face.points.copy()
    angle = 0.3
    matrix = 1.7 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned[:, :2] = face.points[:, :2] @ matrix.T + (5.0, -3.0)
    assert expression_error(Face(turned, face.five, 1.0), face) < 1e-4
    turned[EXPRESSIVE[8], :2] += 30.0
    assert expression_error(Face(turned, face.five, 1.0), face) > 1e-3


def test_bars_are_met_missed_or_not_measured() -> None:
    made = make_bars(BARS, {"top1": 0.95, "gmac": 0.3})
    found = {spec.key: bar.met for spec, bar in zip(BARS, made, strict=True)}
    assert (found["top1"], found["gmac"], found["closer"]) == (True, False, None)
    assert mean_of_known([None, 1.0, 3.0]) == 2.0
    assert mean_of_known([None]) is None


def test_a_photo_is_judged_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the model that turns red discs blue; whether it is the target needs a recogniser, which is left out."""
    pytest.importorskip("PIL")
    from edge_runtime.media.image import Photo, write_photo
    from tests.edge_runtime.face.tiny_face import picture

    model = str(write_swap(tmp_path / "model" / "swap.tflite"))
    for name, pixels in (("face.png", picture((80.0, 60.0, 30.0))), ("none.png", picture())):
        write_photo(tmp_path / name, Photo(pixels, None, b"", b""), comment=None)
    out = tmp_path / "out"
    argv = ["evaluate", "swap", "--model", model, "-o", str(out), "--skip", "identity,ssim"]
    assert main([*argv, str(tmp_path / "none.png")]) == 0
    text = (out / "scores.md").read_text()
    assert "shows no face" in text
    assert "Expressions follow by 1 with faces, 0.136 GMAC a face more." in text
    assert main([*argv, "--follow", "0", str(tmp_path / "none.png")]) == 0
    assert "Expressions are as the network paints them." in (out / "scores.md").read_text()
    capsys.readouterr()
    assert main(argv) == 2
    assert "give footage" in capsys.readouterr().err
    assert main(["evaluate", "swap", str(tmp_path / "face.png"), "-o", str(out), "--skip", "identity"]) == 2
    assert "name the swap model" in capsys.readouterr().err


def test_a_swap_of_another_shape_that_moves_alike_follows_exactly() -> None:
    rng = np.random.default_rng(4)
    source = [rng.normal(size=(27, 2)).astype(np.float32) for _ in range(12)]
    mean = np.mean(source, axis=0)
    other = (mean + rng.normal(size=(27, 2))).astype(np.float32)
    alike = following(source, [face - mean + other for face in source])
    assert alike.error < 1e-6
    assert alike.carried == pytest.approx(1.0)
    half = following(source, [0.5 * (face - mean) + other for face in source])
    assert half.carried == pytest.approx(0.5)
    assert half.error == pytest.approx(0.5 * half.standing_still, rel=1e-6)
    still = following(source, [other] * 12)
    assert still.carried == 0.0
    assert still.error == pytest.approx(still.standing_still)
