"""Sound and pictures that fit inside one HTML page: data URIs of WAV and PNG, and bar charts as SVG."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np

from edge_runtime.media import pcm
from edge_runtime.media.wav import wav_header
from edge_runtime.provenance import conversion_comment, info_entries
from export.subject import FloatArray

_FRAME, _HOP = 512, 160
_RANGE_DB = 75.0
_PNG_RGB, _PNG_PALETTE = 2, 3
# From black over violet and orange to pale yellow, evenly spaced in lightness.
_COLOURS = ((0, 0, 4), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191))


def wav_uri(samples: FloatArray, sample_rate_hz: int, *, model: str, voice: str) -> str:
    """A 16-bit WAV of (n,) as a data URI; converted sound carries its mark here too (``model`` empty: a recording)."""
    info = info_entries(conversion_comment(model=model, voice=voice)) if model else {}
    data = wav_header(len(samples), 1, sample_rate_hz, info) + bytes(pcm.encode_pcm16(samples[:, None]))
    return f"data:audio/wav;base64,{base64.b64encode(data).decode()}"


def level_db(samples: FloatArray) -> FloatArray:
    """Spectrogram (bins, frames) of (n,) in dB, low frequencies last, as a picture has them."""
    padded = np.pad(samples, (0, max(0, _FRAME - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    pairs = power[:, : _FRAME // 2].reshape(len(power), -1, 2).max(axis=2)
    levels: FloatArray = (10.0 * np.log10(pairs + 1e-10)).T[::-1].astype(np.float32)
    return levels


def picture_uri(levels_db: FloatArray, top_db: float) -> str:
    """A spectrogram as a PNG data URI; ``top_db`` is the brightest level, so that pictures can be compared."""
    share = np.clip((levels_db - top_db) / _RANGE_DB + 1.0, 0.0, 1.0)
    return f"data:image/png;base64,{base64.b64encode(_png((255.0 * share).astype(np.uint8))).decode()}"


def _png(pixels: np.ndarray) -> bytes:
    """An 8-bit palette PNG of (height, width) indices."""
    anchors = np.linspace(0, 255, len(_COLOURS))
    columns = [np.interp(np.arange(256), anchors, channel) for channel in zip(*_COLOURS, strict=True)]
    palette = np.stack(columns, axis=1).round().astype(np.uint8).tobytes()
    return _pack_png(pixels, _PNG_PALETTE, (b"PLTE", palette))


def png(pixels: np.ndarray) -> bytes:
    """A PNG of (height, width, 3) uint8 RGB."""
    return _pack_png(pixels.reshape(len(pixels), -1), _PNG_RGB)


def _pack_png(rows: np.ndarray, colour_type: int, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG of 8-bit ``rows`` (height, bytes); ``more`` are chunks before the pixels."""
    height = len(rows)
    width = rows.shape[1] // (3 if colour_type == _PNG_RGB else 1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
        *more,
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bars(rows: Sequence[tuple[str, float, str]], label: str) -> str:
    """Horizontal bars (name, value, text beside it) as SVG; all bars share one scale from zero."""
    top = max((value for _, value, _ in rows), default=0.0) or 1.0
    height = 24 * len(rows) + 4
    lines = [f'<svg class="bars" viewBox="0 0 560 {height}" role="img" aria-label="{escape(label)}">']
    for i, (name, value, text) in enumerate(rows):
        y, width = 24 * i + 2, max(1.0, 300.0 * value / top)
        lines += [
            f'<text x="150" y="{y + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="158" y="{y + 3}" width="{width:.1f}" height="16" rx="2"/>',
            f'<text x="{164 + width:.1f}" y="{y + 15}">{escape(text)}</text>',
        ]
    return "".join([*lines, "</svg>"])


def histogram(counts: Sequence[int], edges: Sequence[float], label: str) -> str:
    """Columns per decade as SVG; ``edges`` are the log10 borders between the counts."""
    top = max(counts, default=0) or 1
    width = 20 * len(counts)
    lines = [f'<svg class="histogram" viewBox="0 0 {width} 74" role="img" aria-label="{escape(label)}">']
    for i, count in enumerate(counts):
        size = 54.0 * count / top
        title = f"{count} values"
        lines.append(
            f'<rect x="{20 * i + 2}" y="{56 - size:.1f}" width="16" height="{size:.1f}"><title>{title}</title></rect>'
        )
    for i, edge in enumerate(edges):
        if i % 3 == 0:
            lines.append(f'<text x="{20 * (i + 1)}" y="70" text-anchor="middle">1e{edge:.0f}</text>')
    return "".join([*lines, "</svg>"])
