"""The WAV reader converts what is sound and refuses the rest in one line, whatever the header claims."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.errors import InputError
from edge_runtime.media.audio import read_audio
from edge_runtime.media.pcm import Audio
from edge_runtime.media.wav import read_wav
from tests.edge_runtime.media.wav_files import EXTENSIBLE, FLOAT, PCM, chunk, encode, fmt, riff, simple

RNG = np.random.default_rng(7)


def noise(frames: int, channels: int = 1) -> npt.NDArray[np.float64]:
    return RNG.uniform(-0.9, 0.9, (frames, channels))


def read(data: bytes, max_seconds: float = 60.0) -> Audio:
    return read_wav(io.BytesIO(data), len(data), "x.wav", max_seconds=max_seconds)


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(data)
    message = str(caught.value)
    assert "\n" not in message
    assert "x.wav" in message
    assert ";" in message
    return message


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize(
    ("tag", "bits", "tolerance"),
    [(PCM, 8, 2**-7), (PCM, 16, 2**-15), (PCM, 24, 2**-23), (PCM, 32, 2**-23), (FLOAT, 32, 1e-7), (FLOAT, 64, 1e-7)],
)
def test_every_width_and_channel_count(tag: int, bits: int, tolerance: float, channels: int, extensible: bool) -> None:
    samples = noise(501, channels)
    form = fmt(tag, channels, 48_000, bits, extensible=extensible)
    audio = read(riff(form, chunk(b"data", encode(samples, tag, bits))))
    assert audio.sample_rate_hz == 48_000
    assert audio.samples.dtype == np.float32
    assert audio.samples.shape == samples.shape
    np.testing.assert_allclose(audio.samples, samples, atol=tolerance, rtol=0)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_full_scale_integers_map_to_minus_one_and_just_below_one(bits: int) -> None:
    extremes = np.array([[-1.0], [0.0], [1.0 - 2.0 ** (1 - bits)]])
    decoded = read(simple(extremes, bits=bits)).samples
    assert decoded[0, 0] == -1.0
    assert decoded[1, 0] == 0.0
    assert 0.99 < decoded[2, 0] <= 1.0


@pytest.mark.parametrize("rate_hz", [4_000, 8_000, 11_025, 44_100, 96_000, 192_000, 384_000])
def test_every_rate(rate_hz: int) -> None:
    assert read(simple(noise(10), rate_hz)).sample_rate_hz == rate_hz


@pytest.mark.parametrize("rate_hz", [0, 1, 3_999, 384_001, 2**32 - 1])
def test_absurd_rates_are_refused(rate_hz: int) -> None:
    assert "samples a second" in refusal(simple(noise(10), rate_hz))


def test_files_of_the_standard_library_are_read(tmp_path: Path) -> None:
    values = (noise(1_000, 2) * 32767).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(values.tobytes())
    audio = read_audio(tmp_path / "a.wav", max_seconds=1)
    np.testing.assert_array_equal(audio.samples, values.astype(np.float32) / 32768)


def test_odd_junk_before_and_chunks_after_the_data() -> None:
    samples = noise(11)
    data = riff(
        chunk(b"JUNK", b"abc"), fmt(PCM, 1, 16_000, 8), chunk(b"fact", bytes(4)),
        chunk(b"data", encode(samples, PCM, 8)), chunk(b"LIST", b"INFOISFT\3\0\0\0abc\0"),
    )  # fmt: skip
    assert read(data).samples.shape == (11, 1)


@pytest.mark.parametrize("riff_size", [0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("data_size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_streams_whose_length_was_never_filled_in(riff_size: int, data_size: int) -> None:
    samples = noise(100, 2)
    body = encode(samples, PCM, 16) + b"\1"  # and half a frame at the end
    data = riff(fmt(PCM, 2, 16_000, 16), chunk(b"data", body, data_size), claimed=riff_size)
    np.testing.assert_allclose(read(data).samples, samples, atol=2**-15)


def test_a_truncated_file_gives_the_whole_frames_it_has() -> None:
    samples = noise(100, 2)
    whole = simple(samples, bits=24)
    for missing in (1, 5, 6, 7, 100):
        frames = (600 - missing) // 6
        np.testing.assert_allclose(read(whole[:-missing]).samples, samples[:frames], atol=2**-22)


def ds64(data_bytes: int) -> bytes:
    return chunk(b"ds64", struct.pack("<QQQI", 72, data_bytes, 0, 0))


@pytest.mark.parametrize("container", [b"RF64", b"BW64"])
@pytest.mark.parametrize("claimed", [200, 2**40, 2**64 - 1])
def test_rf64_takes_its_length_from_ds64(container: bytes, claimed: int) -> None:
    body = encode(noise(100), PCM, 16)
    trailer = chunk(b"LIST", b"INFO") if claimed == 200 else b""
    data = riff(
        ds64(claimed), fmt(PCM, 1, 16_000, 16), chunk(b"data", body, 0xFFFFFFFF), trailer,
        claimed=0xFFFFFFFF, container=container,
    )  # fmt: skip
    assert read(data).samples.shape == (100, 1)


FORM = fmt(PCM, 1, 16_000, 16)
DATA = chunk(b"data", bytes(64))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (riff(DATA, FORM), "data before its format"),
        (riff(FORM), "no data chunk"),
        (riff(), "no format chunk"),
        (riff(FORM, FORM, DATA), "twice"),
        (riff(FORM, chunk(b"data", b"")), "no samples"),
        (riff(FORM, chunk(b"data", b""), chunk(b"LIST", b"INFOabcdefgh")), "no samples"),
        (riff(FORM, chunk(b"data", b"\0")), "no samples"),
        (riff(fmt(PCM, 0, 16_000, 16), DATA), "0 channels"),
        (riff(fmt(PCM, 9, 16_000, 16), DATA), "9 channels"),
        (riff(fmt(PCM, 65_535, 16_000, 16), DATA), "65535 channels"),
        (riff(fmt(PCM, 1, 16_000, 0), DATA), "0-bit"),
        (riff(fmt(PCM, 1, 16_000, 40), DATA), "40-bit"),
        (riff(fmt(PCM, 1, 16_000, 65_535), DATA), "65535-bit"),
        (riff(fmt(FLOAT, 1, 16_000, 16), DATA), "16-bit float"),
        (riff(fmt(6, 1, 16_000, 8), DATA), "compressed"),
        (riff(fmt(0x55, 2, 44_100, 16), DATA), "compressed"),
        (riff(fmt(EXTENSIBLE, 1, 16_000, 16), DATA), "extensible"),
        (riff(chunk(b"fmt ", b"\1\0\1\0"), DATA), "damaged format"),
        (riff(FORM, chunk(b"JUNK", b"", 2**32 - 1), DATA), "no data chunk"),
        (riff(*[chunk(b"JUNK", b"")] * 2_000, FORM, DATA), "1000 chunks"),
        (b"RIFX" + riff(FORM, DATA)[4:], "big-endian"),
        (b"RIFF\4\0\0\0AVI ", "not a WAV"),
        (b"RIFF", "not a WAV"),
    ],
)
def test_what_is_not_sound_is_refused_with_the_reason(data: bytes, text: str) -> None:
    assert text in refusal(data)


@pytest.mark.parametrize("bits", [32, 64])
def test_nan_and_infinite_samples_are_counted_and_refused(bits: int) -> None:
    samples = noise(300_000)
    samples[[3, 299_999]] = np.nan
    samples[200_000] = -np.inf
    assert "3 of 300000 samples are NaN or infinite" in refusal(simple(samples, tag=FLOAT, bits=bits))


def test_a_double_that_no_float32_holds_is_refused_as_infinite() -> None:
    assert "1 of 2 samples" in refusal(simple(np.array([[0.0], [1e300]]), tag=FLOAT, bits=64))


def test_float_overshoot_is_scaled_to_full_scale_and_integers_posing_as_floats_are_refused() -> None:
    samples = np.array([[0.5], [-2.0], [1.0]])
    np.testing.assert_allclose(read(simple(samples, tag=FLOAT, bits=32)).samples, samples / 2, atol=1e-7)
    assert "full scale is 1" in refusal(simple(samples * 16_000, tag=FLOAT, bits=32))


def test_longer_than_allowed_is_refused_before_samples_are_held() -> None:
    data = simple(np.zeros((16_001, 1)))
    with pytest.raises(InputError, match="at most 1 s"):
        read(data, 1.0)
    assert len(read(data[:-2], 1.0).samples) == 16_000


def test_a_sparse_file_of_4_gb_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.wav"
    with open(path, "wb") as file:
        file.write(riff(FORM, chunk(b"data", b"", 0xFFFFFFFF)))
        file.truncate(4 * 2**30)
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(InputError, match="at most 2000 MB"):
        read_audio(path, max_seconds=1e9)
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 0.1
    assert peak < 1_000_000


def test_a_sparse_file_just_below_the_cap_is_refused_by_its_seconds(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with open(path, "wb") as file:
        file.write(riff(FORM, chunk(b"data", b"", 0xFFFFFFFF)))
        file.truncate(1_900_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match="at most 3600 s"):
        read_audio(path, max_seconds=3_600)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_claims_do_not_allocate() -> None:
    """A 100-byte file that claims 4 GB of samples costs what 100 bytes cost."""
    data = riff(fmt(FLOAT, 8, 384_000, 64), chunk(b"data", bytes(64), 0xFFFFFFF0))
    tracemalloc.start()
    assert read(data, 1e9).samples.shape == (1, 8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


def seeds() -> list[bytes]:
    samples = noise(40, 2)
    return [
        simple(samples),
        simple(samples[:, :1], bits=24),
        simple(samples, tag=FLOAT, bits=32),
        riff(fmt(FLOAT, 2, 48_000, 64, extensible=True), chunk(b"data", encode(samples, FLOAT, 64))),
        riff(chunk(b"JUNK", b"abc"), fmt(PCM, 2, 8_000, 8), chunk(b"data", encode(samples, PCM, 8))),
        riff(
            ds64(160), fmt(PCM, 2, 16_000, 16), chunk(b"data", encode(samples, PCM, 16), 0xFFFFFFFF), container=b"RF64"
        ),
    ]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to three of: flipped bits, an extreme number, a cut, a repeated or a removed stretch."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(min(len(changed), 96 if rng.random() < 0.8 else len(changed)))
        kind = rng.randrange(5)
        if kind == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            value = rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF])
            changed[place : place + 4] = struct.pack("<I", value)
        elif kind == 2:
            del changed[max(1, place) :]
        elif kind == 3:
            changed[place:place] = changed[place : place + rng.randint(1, 40)]
        else:
            del changed[place : place + rng.randint(1, 9)]
        if not changed:
            return b"R"
    return bytes(changed)


def test_fuzzed_files_are_read_or_refused_and_nothing_else() -> None:
    rng = random.Random(2026)
    read_count = 0
    messages: list[str] = []
    for _ in range(600):
        for seed in seeds():
            data = mutated(seed, rng)
            try:
                audio = read(data)
            except InputError as error:
                messages.append(str(error))
                continue
            read_count += 1
            assert audio.samples.dtype == np.float32
            assert audio.samples.size > 0
            assert audio.samples.nbytes <= 8 * len(data)
            assert np.isfinite(audio.samples).all()
            assert np.abs(audio.samples).max() <= 1.0
            assert 4_000 <= audio.sample_rate_hz <= 384_000
    assert read_count > 300
    assert len(messages) > 300
    assert not any("\n" in message for message in messages)
