"""The resampler that makes two clocks one."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.media.stretch import Stretcher


def _tone(samples: int, hz: float, rate: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2.0 * np.pi * hz / 16_000 * rate * np.arange(samples))).astype(np.float32)


@pytest.mark.parametrize("rate", [0.997, 1.0, 1.0003])
def test_chunks_of_any_length_give_the_same_sound(rate: float) -> None:
    """Streaming and batch are twins."""
    sound = np.random.default_rng(0).standard_normal(5_000).astype(np.float32)
    whole = Stretcher().process(sound, rate)
    rng, stream, parts, start = np.random.default_rng(1), Stretcher(), [], 0
    while start < len(sound):
        count = int(rng.integers(0, 400))
        parts.append(stream.process(sound[start : start + count], rate))
        start += count
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


@pytest.mark.parametrize("rate", [0.997, 1.0, 1.003])
@pytest.mark.parametrize("hz", [100.0, 1_000.0, 6_000.0])
def test_a_tone_stays_clean_and_moves_by_the_rate(rate: float, hz: float) -> None:
    """Against the tone that should come out; the filter's own delay is known."""
    stretcher = Stretcher()
    out = stretcher.process(_tone(8_000, hz), rate)
    wanted = 0.5 * np.sin(2.0 * np.pi * hz / 16_000 * (rate * np.arange(len(out)) - stretcher.delay_samples))
    np.testing.assert_allclose(out[200:], wanted[200:], atol=0.005)


def test_length_follows_the_rate() -> None:
    """A hundred seconds at 300 parts in a million are 30 ms."""
    stretcher = Stretcher()
    count = sum(len(stretcher.process(np.zeros(160, np.float32), 1.0003)) for _ in range(10_000))
    assert count == pytest.approx(1_600_000 / 1.0003, abs=20)


def test_a_rate_far_from_one_is_refused() -> None:
    """The filter would alias."""
    for rate in (0.9, 1.1, float("nan")):
        with pytest.raises(ValueError, match="rate"):
            Stretcher().process(np.zeros(10, np.float32), rate)
