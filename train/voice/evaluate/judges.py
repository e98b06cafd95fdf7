"""Who speaks (Resemblyzer), how clean it sounds (DNSMOS) and the melody (SwiftF0): each imported here alone.

All run on one thread: on a shared machine spinning thread pools cost several times what the work does.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any, Final

import numpy as np

from train.voice.evaluate.evaluators import RATE_HZ, SoundQuality, missing, peak_normalised
from train.voice.evaluate.measures import Samples, Vector

_LOWEST_HZ: Final = 50.0
_HIGHEST_HZ: Final = 700.0
_VOICED_FROM: Final = 0.5
"""SwiftF0's confidence is calibrated so that a frame is voiced from here on."""


class Resemblyzer:
    """Embeddings of 256 dimensions (GE2E, Wan et al. 2018), of the whole utterance without its pauses."""

    name = "resemblyzer-0.1.4"

    def __init__(self) -> None:
        """Raises `MissingDependencyError`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # webrtcvad announces the end of pkg_resources
                import resemblyzer
                import torch
        except ImportError:
            raise missing("Resemblyzer") from None
        torch.set_num_threads(1)
        self._prepare = resemblyzer.preprocess_wav
        self._encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)

    def embed(self, samples: Samples) -> Vector:
        """Unit vector (256,)."""
        trimmed = self._prepare(samples.astype(np.float32), RATE_HZ)
        # With nothing that it takes for speech it would divide by zero.
        heard = trimmed if len(trimmed) else samples
        return np.asarray(self._encoder.embed_utterance(heard), np.float64)


class Dnsmos:
    """DNSMOS P.835 without a reference; it finds artefacts and noise, and cannot rank good conversions."""

    name = "dnsmos-speechmos-0.0.1.1"

    def __init__(self) -> None:
        """Raises `MissingDependencyError`."""
        try:
            import onnxruntime
            from speechmos import dnsmos
        except ImportError:
            raise missing("speechmos") from None
        # The package opens its sessions without a way to say how many threads they get.
        dnsmos.ort = _OneThread(onnxruntime)
        self._run = dnsmos.run

    def rate(self, samples: Samples) -> SoundQuality:
        """Mean over windows of nine seconds; shorter sounds are repeated, as Microsoft's own script does."""
        scores = self._run(peak_normalised(samples), sr=RATE_HZ)
        return SoundQuality(float(scores["ovrl_mos"]), float(scores["sig_mos"]), float(scores["bak_mos"]))


class SwiftF0:
    """A small convolutional tracker (Nieradzik 2025), 16 ms frames."""

    name = "swift-f0-0.3.0"

    def __init__(self) -> None:
        """Raises `MissingDependencyError`."""
        try:
            import swift_f0
        except ImportError:
            raise missing("swift-f0") from None
        self._detector = swift_f0.SwiftF0(threads=1, spin=False)

    def track(self, samples: Samples) -> Vector:
        """F0 (F,) in Hz, 0 where unvoiced."""
        found = self._detector.detect(samples, RATE_HZ, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ)
        return np.where(found.confidence >= _VOICED_FROM, found.pitch_hz, 0.0)


class _OneThread:
    """The module onnxruntime with sessions of one thread that do not spin."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.InferenceSession = functools.partial(_session, library)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


def _session(library: Any, path: str) -> Any:
    return library.InferenceSession(path, one_thread_options(library), providers=["CPUExecutionProvider"])


def one_thread_options(library: Any) -> Any:
    """Options of onnxruntime for a session that takes one thread and sleeps while it waits."""
    options = library.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
