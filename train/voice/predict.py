"""Step 5: convert with the Keras model, through the same signal path as the board.

Only the network differs: here it is the offline Keras form over the whole recording. What the exported files give is
compared with this.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_runtime.cli.arguments import Parser
from edge_runtime.media.audio import read_audio, to_mono, write_wav
from edge_runtime.media.resample import resample
from edge_runtime.provenance import conversion_comment
from edge_runtime.voice.controls import Controls, make_controls
from edge_runtime.voice.framing import FloatArray
from edge_runtime.voice.stream import VoiceStream, convert_recording
from edge_runtime.voice.synthesis import Gains
from train.voice.run import TrainedVoice, load_run

_MAX_SECONDS = 600.0


class KerasNetwork:
    """The offline model as the signal path's network; each call is a whole signal from silence."""

    def __init__(self, trained: TrainedVoice) -> None:
        self._model = trained.offline

    def reset(self) -> None:
        """Nothing is kept between calls."""

    def run(self, mel: FloatArray, aux: FloatArray, film: FloatArray) -> Gains:
        """See `edge_runtime.voice.network.Network.run`."""
        outputs = self._model.predict_on_batch({"mel": mel[None], "aux": aux[None], "film": film})
        return Gains(*(np.asarray(outputs[name][0]) for name in ("harmonic", "noise", "residual")))


def convert(trained: TrainedVoice, samples: FloatArray, controls: Controls | None = None) -> FloatArray:
    """Convert a recording (n,) at the model's rate; gives (n,), latency removed."""
    stream = VoiceStream(trained, KerasNetwork(trained), trained.film, controls or make_controls(trained))
    # All in one block, because the offline model keeps nothing between calls.
    return convert_recording(stream, samples)


def main(argv: Sequence[str]) -> int:
    """``changeling train voice predict RUN IN.wav OUT.wav``."""
    parser = Parser("changeling train voice predict", "Convert a recording with the Keras model of a run.")
    parser.add_argument("run", metavar="RUN", help="folder of the run")
    parser.add_argument("recording", metavar="IN", help="the recording")
    parser.add_argument("output", metavar="OUT", help="the WAV file to write")
    parser.add_argument("--voice", help="voice of the model; the first by default")
    options = parser.parse_args(list(argv))
    audio = read_audio(options.recording, max_seconds=_MAX_SECONDS)
    trained = load_run(Path(options.run))
    controls = make_controls(trained, options.voice)
    rate = trained.front_end.sample_rate_hz
    converted = convert(trained, resample(to_mono(audio.samples), audio.sample_rate_hz, rate), controls)
    comment = conversion_comment(model=trained.name, voice=controls.voice)
    write_wav(options.output, converted, rate, comment=comment)
    print(f"{options.output}: {len(converted) / rate:.1f} s in the voice {controls.voice}")
    return 0
