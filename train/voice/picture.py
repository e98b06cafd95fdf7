"""Spectrograms of recordings above each other: ``changeling train voice picture A.wav B.wav -o P.png``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.cli.arguments import Parser
from edge_runtime.errors import InputError, MissingDependencyError
from edge_runtime.files import write_atomic
from edge_runtime.media.audio import read_audio, to_mono
from edge_runtime.media.resample import resample

SAMPLE_RATE_HZ = 16_000
_MAX_SECONDS = 600.0
_MAX_FILES = 8
_WINDOW_S = 0.032
_HOP_S = 0.010
_RANGE_DB = 80.0


def main(argv: Sequence[str]) -> int:
    """``changeling train voice picture FILE ... -o PNG``. Raises as `draw` does, and `InputError` for too many."""
    parser = Parser("changeling train voice picture", "Draw the spectrograms of recordings above each other.")
    parser.add_argument("recordings", nargs="+", type=Path, metavar="FILE", help="a recording")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PNG", help="the picture")
    options = parser.parse_args(list(argv))
    if len(options.recordings) > _MAX_FILES:
        raise InputError(f"at most {_MAX_FILES} recordings fit on one picture")
    draw(options.recordings, options.output)
    return 0


def draw(recordings: Sequence[Path], output: Path) -> None:
    """Write a PNG of recordings of any rate, named by their files; raises `InputError` and as `draw_spectrograms`."""
    draw_spectrograms([(path.name, _read(path)) for path in recordings], SAMPLE_RATE_HZ, output)


def draw_spectrograms(panels: Sequence[tuple[str, NDArray[np.float32]]], rate_hz: int, output: Path) -> None:
    """Write a PNG with one row for every (title, samples (n,)), all at ``rate_hz`` and on one time axis.

    Raises `OutputError`, and `MissingDependencyError` without matplotlib.
    """
    pyplot = _pyplot()
    size = (11.0, 2.6 * len(panels) + 0.6)
    figure, axes = pyplot.subplots(len(panels), 1, figsize=size, sharex=True, squeeze=False, layout="constrained")
    for axis, (title, samples) in zip(axes[:, 0], panels, strict=True):
        image = axis.imshow(
            spectrogram_db(samples, rate_hz),
            origin="lower",
            aspect="auto",
            extent=(0.0, max(len(samples), 1) / rate_hz, 0.0, rate_hz / 2000.0),
            vmin=-_RANGE_DB,
            vmax=0.0,
            cmap="magma",
        )
        axis.set_title(title, loc="left")
        axis.set_ylabel("kHz")
    axes[-1, 0].set_xlabel("seconds")
    axes[-1, 0].set_xlim(0.0, max(len(samples) for _, samples in panels) / rate_hz or 1.0)
    figure.colorbar(image, ax=axes[:, 0], label="dB below the loudest")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    pyplot.close(figure)
    write_atomic(output, [buffer.getvalue()])


def spectrogram_db(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Magnitudes (bins, frames) of ``samples`` (n,) in dB relative to the loudest; Hann window of 32 ms, hop 10 ms."""
    window, hop = round(_WINDOW_S * rate_hz), round(_HOP_S * rate_hz)
    padded = np.pad(samples, (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2
    loudest = max(float(power.max()), 1e-12)
    return (10.0 * np.log10(np.maximum(power / loudest, 1e-12))).T.astype(np.float32)


def _read(path: Path) -> NDArray[np.float32]:
    audio = read_audio(path, max_seconds=_MAX_SECONDS)
    return resample(to_mono(audio.samples), audio.sample_rate_hz, SAMPLE_RATE_HZ)


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise MissingDependencyError("a picture needs matplotlib; run `make setup` in the checkout") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
