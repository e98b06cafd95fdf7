"""What travels inside a file: whose voice it is, and by what it may be checked."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest

from edge_runtime.contract import ConsentRecord, VoiceInfo
from export.bundle import associated_files, golden_vectors
from tests.export.toy_model import make_toy_description


def test_the_notice_says_whose_voice_it_is() -> None:
    consent = ConsentRecord("Ada", "demonstrations", "2026-01-02", "2027-01-02", "0" * 64)
    voices = (
        VoiceInfo("nobody", 0, "", True, 100.0, 0.2, -26.0, None),
        VoiceInfo("ada", 1, "", False, 200.0, 0.2, -26.0, consent),
        VoiceInfo("unknown", 2, "", False, 200.0, 0.2, -26.0, None),
    )
    run = make_toy_description()
    manifest = SimpleNamespace(name="toy", licence="CC0-1.0", voices=voices, training=run.sources)
    files = associated_files(run, manifest, None)  # type: ignore[arg-type]
    notice = files["NOTICE"].decode()
    assert "- nobody: belongs to nobody" in notice
    assert "- ada: Ada agreed on 2026-01-02 until 2027-01-02 to: demonstrations" in notice
    assert "- unknown: a person's voice; no consent is on record" in notice
    assert "golden.npz" not in files
    assert np.array_equal(np.load(io.BytesIO(files["voices.npy"]), allow_pickle=False), run.film)


def test_golden_tolerances_follow_precision_and_size() -> None:
    stages = {
        "mel": np.full((2, 80), 3.0, np.float32),
        "harmonic": np.full((2, 80), -8.0, np.float32),
        "converted": np.full(320, 0.5, np.float32),
    }
    found = {}
    for precision in ("fp32", "int8"):
        data = golden_vectors(np.zeros(320, np.float32), stages, precision)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            assert arrays["samples"].shape == (320,)
            found[precision] = dict(zip(arrays["names"].tolist(), arrays["tolerance"].tolist(), strict=True))
    assert found["fp32"]["mel"] == found["int8"]["mel"]
    assert found["fp32"]["harmonic"] == pytest.approx(8.0 * 1e-3)
    assert found["fp32"]["converted"] == pytest.approx(0.5 * 0.03)  # room for the phase, which integrates the pitch
    assert found["int8"]["converted"] == pytest.approx(0.5 * 0.05)
    assert found["int8"]["harmonic"] > 10.0 * found["fp32"]["harmonic"]
