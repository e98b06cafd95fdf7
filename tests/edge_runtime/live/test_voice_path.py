"""The path of a live voice: rates, bypass, another model."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.live.voice_path import Rung, VoicePath, ladder
from tests.edge_runtime.fake_voice import CHUNK, RATE_HZ, FakeStream


class _Louder(FakeStream):
    """The original, twice as late as the other fake."""

    latency_samples = 2 * CHUNK

    def process(self, chunk: np.ndarray) -> np.ndarray:
        out = 2.0 * super().process(chunk)
        late = np.concatenate([self._later, out])
        self._later = late[len(out) :]
        return late[: len(out)].astype(np.float32)

    def reset(self) -> None:
        super().reset()
        self._later = np.zeros(CHUNK, np.float32)


def _noise(samples: int) -> np.ndarray:
    return (0.3 * np.random.default_rng(2).standard_normal(samples)).astype(np.float32)


def _path(from_hz: int = RATE_HZ, to_hz: int = RATE_HZ) -> VoicePath:
    return VoicePath(ladder([("fake", FakeStream())], CHUNK), RATE_HZ, from_hz, to_hz)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(16_000, 16_000), (48_000, 44_100)])
def test_chunks_of_any_length_give_the_same_sound(from_hz: int, to_hz: int) -> None:
    """Streaming and batch are twins."""
    sound = _noise(from_hz)
    path = _path(from_hz, to_hz)
    whole = np.concatenate([path.process(sound, 1.0), path.flush()])
    path, rng, parts, start = _path(from_hz, to_hz), np.random.default_rng(3), [], 0
    while start < len(sound):
        count = int(rng.integers(1, 2_000))
        parts.append(path.process(sound[start : start + count], 1.0))
        start += count
    parts.append(path.flush())
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_delay_is_what_it_says() -> None:
    """The latency that is shown rests on it."""
    sound = _noise(16_000)
    path = _path()
    out = path.process(sound, 1.0)
    delay = round(path.delay_s * RATE_HZ)
    np.testing.assert_allclose(out[delay : delay + 8_000], 0.5 * sound[:8_000], atol=1e-3)


def test_bypass_gives_the_original_at_the_same_delay() -> None:
    """So that it can be toggled in the middle of a word."""
    sound = _noise(16_000)
    path = _path()
    path.bypass = True
    out = path.process(sound, 1.0)
    delay = round(path.delay_s * RATE_HZ)
    np.testing.assert_allclose(out[delay + CHUNK : delay + 8_000], sound[CHUNK:8_000], atol=1e-3)


def test_another_model_takes_over_with_the_past_and_without_a_gap() -> None:
    """Its latency is another, so its sound lies later by the difference; nothing is missing and nothing is silent."""
    quiet, loud = FakeStream(), _Louder()
    path = VoicePath([Rung("quiet", quiet, CHUNK), Rung("loud", loud, CHUNK)], RATE_HZ, RATE_HZ, RATE_HZ)
    sound = _noise(20 * CHUNK + 100)
    before = path.process(sound[: 10 * CHUNK + 50], 1.0)
    path.use(1)
    after = path.process(sound[10 * CHUNK + 50 :], 1.0)
    out = np.concatenate([before, after])
    assert len(out) == pytest.approx(20 * CHUNK, abs=32)
    delay = round(path.delay_s * RATE_HZ)
    np.testing.assert_allclose(out[14 * CHUNK :], sound[14 * CHUNK - delay : len(out) - delay], atol=1e-3)


def test_ladder_goes_from_longer_blocks_to_smaller_models() -> None:
    """Only blocks that fit the latency."""
    big, small = FakeStream(), FakeStream()
    assert [rung.name for rung in ladder([("big", big), ("small", small)], 3 * CHUNK)] == [
        "big x1",
        "big x2",
        "small x2",
    ]
    assert [rung.name for rung in ladder([("big", big)], CHUNK // 2)] == ["big x1"]
