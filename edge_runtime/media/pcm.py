"""Samples as numbers: from the bytes of a PCM stream to float32 and back, and what makes samples acceptable.

Shapes: (N, C) with N frames and C channels. Full scale is 1.0; an integer of B bits is divided by 2 ** (B - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.errors import InputError

Samples = npt.NDArray[np.float32]

MINIMUM_RATE_HZ = 4_000
MAXIMUM_RATE_HZ = 384_000
MAXIMUM_CHANNELS = 8
MAXIMUM_BYTES = 2_000_000_000
"""Files above this are refused before they are read."""
MAXIMUM_VALUES = 2**29
"""Samples times channels held in memory at once (2 GiB of float32)."""

_LOUDEST = 64.0  # +36 dB: a float file above this was scaled to integers, not recorded too loud
_BLOCK = 2**18


@dataclass(frozen=True)
class Audio:
    """A whole recording."""

    samples: Samples
    """float32 (N, C), finite, within [-1, 1]; channels in the order of WAVE (FL FR FC LFE BL BR SL SR)."""
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.sample_rate_hz


def check_layout(channels: int, sample_rate_hz: int, name: str) -> None:
    """Refuse (`InputError`) a number of channels or a rate that is not converted."""
    if not 1 <= channels <= MAXIMUM_CHANNELS:
        raise InputError(f"{name} has {channels} channels and 1 to {MAXIMUM_CHANNELS} are read; mix it down first")
    if not MINIMUM_RATE_HZ <= sample_rate_hz <= MAXIMUM_RATE_HZ:
        raise InputError(
            f"{name} claims {sample_rate_hz} samples a second and {MINIMUM_RATE_HZ} to {MAXIMUM_RATE_HZ} are read; "
            "resample it first"
        )


def check_length(frames: int, channels: int, sample_rate_hz: int, max_seconds: float, name: str) -> None:
    """Refuse (`InputError`) no samples at all, or more than ``max_seconds`` or the memory cap allows."""
    if frames <= 0:
        raise InputError(f"{name} holds no samples; check how it was recorded or copied")
    if frames > max_seconds * sample_rate_hz or frames * channels > MAXIMUM_VALUES:
        limit = min(max_seconds, MAXIMUM_VALUES / (channels * sample_rate_hz))
        raise InputError(
            f"{name} lasts {frames / sample_rate_hz:.1f} s and at most {limit:g} s are read at once; "
            "cut it into shorter pieces"
        )


def accept(samples: Samples, sample_rate_hz: int, name: str) -> Audio:
    """Take decoded samples (N, C) as a recording, in place.

    Floating point files may overshoot full scale; those are turned down as a whole until their peak is 1. Raises
    `InputError` for NaN, infinity, or numbers far out of scale.
    """
    flat = samples.reshape(-1)
    bad = 0
    peak = 0.0
    for start in range(0, flat.size, _BLOCK):  # blocks keep the temporaries small
        block = flat[start : start + _BLOCK]
        low, high = float(block.min()), float(block.max())  # NaN spreads to both
        if np.isfinite(low) and np.isfinite(high):
            peak = max(peak, -low, high)
        else:
            bad += int(block.size - np.count_nonzero(np.isfinite(block)))
    if bad:
        raise InputError(f"{name}: {bad} of {flat.size} samples are NaN or infinite; repair or export the file again")
    if peak > _LOUDEST:
        raise InputError(f"{name} reaches {peak:.3g} where full scale is 1; divide its samples and export it again")
    if peak > 1.0:
        np.multiply(samples, np.float32(1.0 / peak), out=samples)
        np.clip(samples, -1.0, 1.0, out=samples)
    return Audio(samples, sample_rate_hz)


def decode(raw: bytes, *, is_float: bool, width: int) -> Samples:
    """Decode whole samples of ``width`` bytes (integers 1..4, floats 4 or 8) to flat float32.

    Integers of one byte are unsigned with their zero at 128, as WAVE has it. What does not fit float32 becomes
    infinite, and `accept` refuses it.
    """
    if is_float:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.frombuffer(raw, f"<f{width}").astype(np.float32)
    if width == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float32) - np.float32(128.0)) * np.float32(2.0**-7)
    if width == 3:
        octets = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(octets), 4), np.uint8)
        wide[:, 1:] = octets  # left-justified, so that the sign is in place
        return wide.reshape(-1).view("<i4").astype(np.float32) * np.float32(2.0**-31)
    scale = np.float32(2.0 ** (1 - 8 * width))
    decoded: Samples = np.frombuffer(raw, f"<i{width}").astype(np.float32) * scale
    return decoded


def encode_pcm16(samples: Samples) -> bytes:
    """Round to the nearest 16-bit integer (no dither) and clip; the inverse of `decode` for 16 bits."""
    scaled = np.clip(np.rint(samples * np.float32(32768.0)), -32768.0, 32767.0)
    return bytes(scaled.astype("<i2").data)
