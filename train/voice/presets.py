"""The numbers of a voice model: front end, synthesis, timing, controls, and three sizes of network.

Everything the device needs of these travels in the model file; this is the only place where they are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from edge_runtime.contract import (
    FRONT_END_VERSION,
    ControlSpec,
    FrontEndSpec,
    LevelSpec,
    PitchSpec,
    SynthesisSpec,
    TimingSpec,
)
from edge_runtime.errors import WorkstationError

SAMPLE_RATE_HZ = 16_000
HOP_LENGTH = 160
N_MELS = 80

ACTIVE_LEVEL_DBFS = -26.0
"""Level of active speech (RMS, dB relative to full scale) to which recordings are brought before training."""

# Average log-mel of speech relative to its level; measured once on synthetic voices, see `train.voice.preprocess`.
_PRIOR_KNOTS = (
    (0, -4.2),
    (4, 1.3),
    (8, -0.6),
    (16, -1.2),
    (22, -2.2),
    (28, -3.5),
    (34, -4.6),
    (48, -5.1),
    (56, -6.4),
    (64, -7.6),
    (79, -9.4),
)


@dataclass(frozen=True)
class ModelPreset:
    """Size of the network. Blocks are causal depthwise-separable convolutions with a bottleneck in the middle."""

    name: str
    encoder_width: int
    decoder_width: int
    encoder_blocks: int
    decoder_blocks: int
    kernel_size: int
    """Taps of the depthwise convolutions."""
    dilations: tuple[int, ...]
    """Cycled through the blocks."""
    expansion: float
    """Hidden width of a block relative to its own."""
    content_size: int
    """Width of the content code between encoder and decoder."""

    def dilation(self, block: int) -> int:
        """Dilation of the given block, in hops."""
        return self.dilations[block % len(self.dilations)]

    def state_hops(self, block: int) -> int:
        """Hops of context the given block keeps."""
        return (self.kernel_size - 1) * self.dilation(block)

    @property
    def receptive_hops(self) -> int:
        """Hops of context the whole network sees."""
        blocks = [*range(self.encoder_blocks), *range(self.decoder_blocks)]
        return sum(self.state_hops(block) for block in blocks)

    @property
    def film_size(self) -> int:
        """Length of a voice's FiLM vector: a gain and an offset per decoder channel and block."""
        return 2 * self.decoder_width * self.decoder_blocks


def _preset(name: str, encoder: tuple[int, int], decoder: tuple[int, int]) -> ModelPreset:
    return ModelPreset(
        name=name,
        encoder_width=encoder[0],
        decoder_width=decoder[0],
        encoder_blocks=encoder[1],
        decoder_blocks=decoder[1],
        kernel_size=5,
        dilations=(1, 2, 4),
        expansion=2.5,
        content_size=64,
    )


PRESETS = {
    "nano": _preset("nano", (96, 4), (128, 4)),
    "small": _preset("small", (128, 6), (192, 6)),
    # 200 channels, not 256: with five taps, more than 1024 depthwise weights become an operator in dynamic_int8 that
    # XNNPACK leaves to the reference kernels (seven partitions instead of one); two more blocks make up for the width.
    "base": _preset("base", (192, 6), (200, 8)),
}

LATENCIES = {"low": 0, "default": 2, "quality": 4}
"""Look-ahead in hops by name: 28, 48 and 68 ms of algorithmic latency with chunks of two hops."""


def find_preset(name: str) -> ModelPreset:
    """The preset of that name. Raises `WorkstationError`."""
    if name not in PRESETS:
        raise WorkstationError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def front_end_spec() -> FrontEndSpec:
    """The front end of every voice model of this version."""
    return FrontEndSpec(
        version=FRONT_END_VERSION,
        sample_rate_hz=SAMPLE_RATE_HZ,
        hop_length=HOP_LENGTH,
        n_fft=512,
        win_length=512,
        n_mels=N_MELS,
        mel_fmin_hz=60.0,
        mel_fmax_hz=7600.0,
        power_floor=1e-9,
        level=LevelSpec(
            prior_log_energy=-5.25,
            prior_log_mel=_prior_log_mel(),
            level_time_s=3.0,
            spectrum_time_s=4.0,
            gate_below_level=4.6,
            silence_log_energy=-15.5,
            release_per_s=0.5,
        ),
        pitch=PitchSpec(
            minimum_hz=60.0,
            maximum_hz=500.0,
            window_samples=640,
            fft_length=1024,
            lowpass_hz=2500.0,
            octave_cost=0.12,
            jump_cost=0.15,
            voiced_on=0.65,
            voiced_off=0.55,
            energy_below_level=6.0,
            mean_time_s=20.0,
            prior_hz=150.0,
            prior_spread=0.18,
            prior_weight_s=0.3,
        ),
        formant_reference_hz=160.0,
        formant_exponent=0.23,
        formant_minimum=0.9,
        formant_maximum=1.2,
        formant_steps=16,
    )


def _prior_log_mel() -> tuple[float, ...]:
    values = []
    for band in range(N_MELS):
        (x0, y0), (x1, y1) = next((a, b) for a, b in pairwise(_PRIOR_KNOTS) if a[0] <= band <= b[0])
        values.append(round(y0 + (y1 - y0) * (band - x0) / (x1 - x0), 4))
    return tuple(values)


def synthesis_spec() -> SynthesisSpec:
    """The synthesis of every voice model of this version."""
    return SynthesisSpec(
        win_length=2 * HOP_LENGTH,
        n_fft=512,
        lead_samples=64,
        n_bands=80,
        band_fmin_hz=40.0,
        band_fmax_hz=7900.0,
        log_gain_minimum=-14.0,
        log_gain_maximum=3.0,
        residual_bins=128,
        residual_bound=0.9,
        pulse_taps=16,
        gate_log_energy=-9.0,
        gate_slope=2.0,
    )


def timing_spec(preset: ModelPreset, latency: str = "default", chunk_hops: int = 2) -> TimingSpec:
    """Timing for a latency by name (`LATENCIES`). Raises `WorkstationError`."""
    if latency not in LATENCIES:
        raise WorkstationError(f"there is no latency {latency!r}; choose one of {', '.join(LATENCIES)}")
    return TimingSpec(chunk_hops, LATENCIES[latency], preset.receptive_hops)


def control_specs() -> tuple[ControlSpec, ...]:
    """Ranges and neutral values of the controls of a voice model."""
    return (
        ControlSpec("pitch", 0.0, -24.0, 24.0, "semitones", "pitch shift on top of the automatic pitch"),
        ControlSpec("auto_pitch", 1.0, 0.0, 1.0, "", "how far the mean pitch moves to the voice's own"),
        ControlSpec("formant", 1.0, 0.7, 1.4, "ratio", "spectral envelope moved down (<1) or up (>1)"),
        ControlSpec("intonation", 1.0, 0.0, 2.0, "ratio", "range of the intonation: 0 flat, 2 doubled"),
        ControlSpec("robot", 0.0, 0.0, 1.0, "", "1 holds one constant pitch"),
        ControlSpec("whisper", 0.0, 0.0, 1.0, "", "1 takes all voicing away"),
        ControlSpec("breath", 0.0, -24.0, 24.0, "dB", "gain of the noise part"),
        ControlSpec("tilt", 0.0, -12.0, 12.0, "dB/octave", "spectral tilt about 500 Hz"),
        ControlSpec("mix", 1.0, 0.0, 1.0, "", "converted against original sound"),
        ControlSpec("gain", 0.0, -60.0, 20.0, "dB", "output gain"),
        ControlSpec("emphasis", 0.0, -1.0, 1.0, "", "stressed syllables stand out (>0) or do not (<0)"),
        ControlSpec("gate", 0.0, 0.0, 36.0, "dB", "sound this much louder fades to silence too"),
        ControlSpec("denoise", 0.0, 0.0, 1.0, "", "1 takes steady noise out before anything is heard"),
        ControlSpec("presence", 0.0, -12.0, 12.0, "dB", "gain of 2 to 5 kHz"),
        # 0.3 is measured: nearer to the target's voice, as well understood (benchmarks/results/voice_training.md).
        ControlSpec("clarity", 0.3, 0.0, 1.0, "", "formants deeper than the network draws them"),
        ControlSpec("vibrato", 0.0, 0.0, 2.0, "semitones", "regular wave of the pitch, 5.5 a second"),
        ControlSpec("tremor", 0.0, 0.0, 1.0, "", "irregular trembling of pitch and loudness"),
        ControlSpec("roughness", 0.0, 0.0, 1.0, "", "irregular pulses, every other one weaker"),
        ControlSpec("radio", 0.0, 0.0, 1.0, "", "300 to 3400 Hz, slightly driven"),
        ControlSpec("echo", 0.0, 0.0, 1.0, "", "repetitions that fade, 0.15 s apart"),
    )
