"""Rate conversion: right length, no delay, flat pass-band, no aliases, and streaming that equals the whole."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.errors import InputError
from edge_runtime.media.pcm import Samples
from edge_runtime.media.resample import StreamResampler, resample

ORDINARY = [(44_100, 16_000), (16_000, 44_100), (48_000, 16_000), (16_000, 48_000), (8_000, 16_000), (192_000, 16_000)]
ODD = [(47_999, 16_000), (16_000, 47_999), (384_000, 4_000), (4_000, 384_000), (44_100, 44_099)]


def tone(frequency_hz: float, rate_hz: int, samples: int) -> Samples:
    return np.sin(2 * np.pi * frequency_hz / rate_hz * np.arange(samples)).astype(np.float32)


def peak_db(values: npt.NDArray[np.float32]) -> float:
    return 20 * float(np.log10(np.abs(values).max() + 1e-12))


def in_chunks(samples: Samples, from_hz: int, to_hz: int, sizes: list[int]) -> Samples:
    stream = StreamResampler(from_hz, to_hz)
    parts = []
    start = 0
    for size in [*sizes, len(samples)]:
        parts.append(stream.process(samples[start : start + size]))
        start += size
    return np.concatenate([*parts, stream.flush()])


@pytest.mark.parametrize(("from_hz", "to_hz"), ORDINARY + ODD)
@pytest.mark.parametrize("samples", [0, 1, 2, 159, 4_001])
def test_length_is_the_rounded_ratio(from_hz: int, to_hz: int, samples: int) -> None:
    result = resample(np.ones(samples, np.float32), from_hz, to_hz)
    assert result.dtype == np.float32
    assert result.shape == (round(samples * to_hz / from_hz),)


@pytest.mark.parametrize(("from_hz", "to_hz"), ORDINARY + ODD)
def test_tones_in_the_pass_band_come_through_in_place(from_hz: int, to_hz: int) -> None:
    """Amplitude and phase both: any delay or droop shows as a difference from the same tone at the new rate."""
    lower = min(from_hz, to_hz)
    samples = from_hz * 400 // lower
    for fraction in (0.01, 0.2, 0.44):
        result = resample(tone(fraction * lower, from_hz, samples), from_hz, to_hz)
        edge = 60 * to_hz // lower
        expected = tone(fraction * lower, to_hz, len(result))
        assert peak_db((result - expected)[edge:-edge]) < -70


@pytest.mark.parametrize(("from_hz", "to_hz"), [pair for pair in ORDINARY + ODD if pair[1] < pair[0] * 0.9])
def test_tones_above_the_new_nyquist_are_gone(from_hz: int, to_hz: int) -> None:
    samples = from_hz * 400 // to_hz
    for fraction in (0.501, 0.55, 0.75, 0.99):
        if (frequency_hz := fraction * to_hz) < from_hz / 2:
            assert peak_db(resample(tone(frequency_hz, from_hz, samples), from_hz, to_hz)[60:-60]) < -70


@pytest.mark.parametrize(("from_hz", "to_hz"), [(16_000, 44_100), (8_000, 16_000), (16_000, 47_999)])
def test_no_images_appear_above_the_old_nyquist(from_hz: int, to_hz: int) -> None:
    result = resample(tone(0.4 * from_hz, from_hz, 4_000), from_hz, to_hz)
    middle = result[len(result) // 4 : -len(result) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.blackman(len(middle))))
    frequencies = np.fft.rfftfreq(len(middle), 1 / to_hz)
    images = spectrum[frequencies > 0.5 * from_hz].max()
    assert 20 * np.log10(images / spectrum.max()) < -70


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 16_000), (16_000, 44_100), (48_000, 16_000), (47_999, 16_000)])
def test_noise_in_the_pass_band_agrees_with_soxr(from_hz: int, to_hz: int) -> None:
    soxr = pytest.importorskip("soxr")
    lower = min(from_hz, to_hz)
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(from_hz))
    spectrum[np.fft.rfftfreq(from_hz, 1 / from_hz) > 0.44 * lower] = 0
    noise = np.fft.irfft(spectrum, from_hz).astype(np.float32)
    noise *= np.float32(0.9) / np.abs(noise).max()
    ours = resample(noise, from_hz, to_hz)
    theirs = soxr.resample(noise, from_hz, to_hz, quality="VHQ")
    edge = to_hz // 50
    assert len(ours) == len(theirs)
    assert peak_db((ours - theirs)[edge:-edge]) < -68


@pytest.mark.parametrize(("from_hz", "to_hz"), [*ORDINARY, *ODD, (16_000, 16_000)])
def test_random_chunks_equal_the_whole(from_hz: int, to_hz: int) -> None:
    rng = np.random.default_rng([from_hz, to_hz])
    samples = rng.uniform(-1, 1, max(2_000, from_hz // 10)).astype(np.float32)
    whole = resample(samples, from_hz, to_hz)
    for largest in (7, 400, len(samples)):
        sizes = [int(size) for size in rng.integers(0, largest + 1, 60)]
        chunked = in_chunks(samples, from_hz, to_hz, sizes)
        assert chunked.shape == whole.shape
        np.testing.assert_allclose(chunked, whole, atol=1e-6, rtol=0)


def test_long_input_equals_its_own_definition_across_internal_blocks() -> None:
    """Inner block borders leave no mark: a slow tone stays what it is everywhere."""
    result = resample(tone(100.0, 44_100, 441_000), 44_100, 16_000)
    assert peak_db((result - tone(100.0, 16_000, 160_000))[100:-100]) < -75


def test_every_output_comes_as_soon_as_its_inputs_are_there() -> None:
    stream = StreamResampler(48_000, 16_000)
    for received in range(160, 16_000, 160):
        stream.process(np.ones(160, np.float32))
        assert stream._sent == max(0, -(-(received - stream.delay_samples) // 3))
    assert stream.delay_samples / 48_000 <= 0.003


def test_flush_and_reset_start_anew() -> None:
    stream = StreamResampler(44_100, 16_000)
    samples = np.random.default_rng(1).uniform(-1, 1, 3_000).astype(np.float32)
    first = np.concatenate([stream.process(samples), stream.flush()])
    second = np.concatenate([stream.process(samples), stream.flush()])
    stream.process(samples)
    stream.reset()
    third = np.concatenate([stream.process(samples), stream.flush()])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)


def test_equal_rates_change_nothing_and_copy() -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, 100).astype(np.float32)
    result = resample(samples, 16_000, 16_000)
    np.testing.assert_array_equal(result, samples)
    assert not np.shares_memory(result, samples)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(3_999, 16_000), (16_000, 384_001), (0, 16_000), (-1, 16_000)])
def test_absurd_rates_are_refused(from_hz: int, to_hz: int) -> None:
    with pytest.raises(InputError, match="is not converted"):
        resample(np.zeros(10, np.float32), from_hz, to_hz)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 16_000), (16_000, 44_100)])
def test_fast_enough_for_a_board(from_hz: int, to_hz: int) -> None:
    """At least 100 times real time; it is some 1000 times on a desktop, so that a busy machine passes too."""
    samples = np.zeros(10 * from_hz, np.float32)
    resample(samples[:1_000], from_hz, to_hz)
    best = min(_timed(samples, from_hz, to_hz) for _ in range(3))
    assert best < 10 / 100


def _timed(samples: Samples, from_hz: int, to_hz: int) -> float:
    started = time.process_time()
    resample(samples, from_hz, to_hz)
    return time.process_time() - started


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 16_000), (47_999, 16_000), (383_999, 4_000), (4_000, 383_999)])
def test_working_memory_does_not_grow_with_the_recording(from_hz: int, to_hz: int) -> None:
    samples = np.zeros(4 * from_hz, np.float32)
    tracemalloc.start()
    result = resample(samples, from_hz, to_hz)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - result.nbytes < 24_000_000
