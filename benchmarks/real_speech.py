"""A test set of real recordings, from Debian packages: for evaluation only, never for training, never shipped.

    make evaluate
    .venv-evaluate/bin/python benchmarks/real_speech.py -o out/real

Thirty utterances of thirteen people, men and women, English, Spanish, French, Italian and Russian, wide band and
telephone band. The packages are fetched with ``apt-get download``, which needs Debian (or a derivative) and no root, or
are taken from a folder (``--packages``); only the few recordings wanted are unpacked. Beside the WAVs (mono, 16 kHz)
lie ``transcripts.tsv``, as ``changeling evaluate voice`` reads it, and ``SOURCES.txt`` with origin and licence of each.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ChangelingError, MissingDependencyError, OutputError
from edge_runtime.files import write_atomic
from edge_runtime.media.audio import write_wav
from edge_runtime.media.resample import resample
from edge_runtime.media.wav import read_wav
from train.packages import cache_dir
from train.voice.corpus.debian import DebianPackage, find_package

RATE_HZ: Final = 16_000
_LONGEST_S: Final = 120.0
_EDGE_S: Final = 0.01
"""Cut pieces fade in and out over this, so that a cut is not heard as a click."""
_ASTERISK_LICENCE: Final = "CC BY-SA 3.0"


@dataclass(frozen=True)
class Speaker:
    """Who speaks, and in which package."""

    name: str
    language: str
    sex: str
    """m or f."""
    kind: str
    """What the recording is: real (wide band), or telephone (sampled at 8 kHz)."""
    package: str
    folder: str
    """Where the recordings lie inside the package."""
    licence: str


@dataclass(frozen=True)
class Clip:
    """One utterance."""

    speaker: Speaker
    member: str
    """File name inside the speaker's folder."""
    text: str = ""
    """What is said; empty when the package's own list tells it, or nobody knows."""
    start_s: float = 0.0
    end_s: float = _LONGEST_S

    @property
    def name(self) -> str:
        """File name of the WAV that is made."""
        stem = re.sub(r"\W+", "-", Path(self.member).stem.replace("sense_and_sensibility_01_austen_64kb", "austen"))
        part = f"-{self.start_s:.0f}s" if self.start_s else ""
        return f"{self.speaker.language}-{self.speaker.sex}-{self.speaker.name}-{stem}{part}.wav"


def _asterisk(name: str, language: str, sex: str, folder: str, licence: str = _ASTERISK_LICENCE) -> Speaker:
    package = f"asterisk-core-sounds-{language}-g722"
    return Speaker(name, language, sex, "real", package, f"usr/share/asterisk/sounds/{folder}", licence)


def _codec2(name: str, sex: str, folder: str, kind: str) -> Speaker:
    return Speaker(name, "en", sex, kind, "codec2-examples", f"usr/share/codec2/{folder}", "LGPL-2.1")


def _sphinx(name: str, folder: str) -> Speaker:
    path = f"usr/share/pocketsphinx/test/data{folder}"
    return Speaker(name, "en", "m", "real", "pocketsphinx-testdata", path, "BSD-2-Clause; LibriVox: public domain")


_AUSTEN: Final = _sphinx("librivox", "/librivox")
_ALLISON: Final = _asterisk("allison", "en", "f", "en_US_f_Allison")
_ALLISON_ES: Final = _asterisk("allison", "es", "f", "es_MX_f_Allison")
_JUNE: Final = _asterisk("june", "fr", "f", "fr_CA_f_June")
_RUSSIAN: Final = _asterisk("ivrvoice", "ru", "f", "ru_RU_f_IvrvoiceRU", "CC BY 3.0")
_CARLO: Final = _asterisk("carlo", "it", "m", "it_IT_m_Carlo")
_BRUCE: Final = _codec2("bruce", "m", "wav", "telephone")

CLIPS: Final = (
    *(Clip(_AUSTEN, f"sense_and_sensibility_01_austen_64kb-{n}.wav") for n in ("0870", "0880", "0890", "0930")),
    Clip(  # the package's own transcription has a slip here
        _AUSTEN,
        "sense_and_sensibility_01_austen_64kb-0920.wav",
        "Had he married a more amiable woman he might have been made still more respectable than he was",
    ),
    Clip(_sphinx("tester", ""), "something.raw", "go somewhere and do something"),
    Clip(_sphinx("cards", "/cards"), "005.wav"),
    # Four people read a sentence each of the list known as Harvard sentences (IEEE, 1969).
    Clip(
        _codec2("a", "m", "raw", "real"), "speech_orig_16k.wav", "The birch canoe slid on the smooth planks.", 0, 2.65
    ),
    Clip(
        _codec2("b", "f", "raw", "real"),
        "speech_orig_16k.wav",
        "Glue the sheet to the dark blue background.",
        2.7,
        5.65,
    ),
    Clip(_codec2("c", "m", "raw", "real"), "speech_orig_16k.wav", "It's easy to tell the depth of a well.", 5.65, 7.9),
    Clip(_codec2("d", "f", "raw", "real"), "speech_orig_16k.wav", "Four hours of steady work faced us.", 7.9, 10.8),
    Clip(_codec2("e", "m", "wav", "telephone"), "mmt1.wav", "It's easy to tell the depth of a well."),
    # Free speech on the radio; written down from two recognisers that agreed.
    Clip(_BRUCE, "ve9qrp.wav", "The weather here seems quite nice, nice fall day. The leaves are slowly", 35.2, 42.2),
    Clip(
        _BRUCE, "ve9qrp.wav", "departing from us but it's been a pleasant enough week the last little while", 42.2, 47.6
    ),
    *(Clip(_ALLISON, f"{n}.g722") for n in ("followme/status", "privacy-unident", "queue-youarenext", "vm-nobox")),
    *(Clip(_ALLISON_ES, f"{n}.g722") for n in ("followme/sorry", "queue-youarenext", "vm-nobodyavail")),
    *(Clip(_JUNE, f"{n}.g722") for n in ("followme/sorry", "privacy-unident", "ss-noservice")),
    *(Clip(_RUSSIAN, f"{n}.g722") for n in ("queue-youarenext", "ss-noservice", "vm-nobox")),
    *(Clip(_CARLO, f"{n}.g722") for n in ("queue-youarenext", "ss-noservice", "vm-nobodyavail", "vm-tmpexists")),
)


def transcripts(packages: dict[str, DebianPackage], folder: Path) -> dict[tuple[str, str], str]:
    """What the packages say is spoken: {(package, member without suffix): text}."""
    texts: dict[tuple[str, str], str] = {}
    for name in packages:
        if name.startswith("asterisk"):
            plain = name.removesuffix("-g722")
            language = plain.rsplit("-", 1)[1]
            listing = find_package(plain, folder).read(f"usr/share/doc/{plain}/core-sounds-{language}.txt.gz")
            for line in gzip.decompress(listing).decode("utf-8-sig").splitlines():
                key, separator, text = line.partition(": ")
                if separator:
                    texts[name, key] = text.strip()
    sphinx = "pocketsphinx-testdata"
    for part in ("librivox/transcription", "cards/cards.transcription"):
        lines = packages[sphinx].read(f"usr/share/pocketsphinx/test/data/{part}").decode()
        for text, key in re.findall(r"<s>(.*?)</s>\s*\((.*?)\)", lines):
            texts[sphinx, key] = text.strip()
    return texts


def decode(data: bytes, name: str) -> NDArray[np.float32]:
    """Samples (n,) at 16 kHz of a WAV, a G.722 stream or raw 16-bit samples. Raises `ChangelingError`."""
    if name.endswith(".g722"):
        return _decode_g722(data)
    if name.endswith(".raw"):
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768.0)
    audio = read_wav(io.BytesIO(data), len(data), name, max_seconds=600.0)
    mono = audio.samples if audio.samples.ndim == 1 else audio.samples[:, 0]
    return resample(mono, audio.sample_rate_hz, RATE_HZ)


def _decode_g722(data: bytes) -> NDArray[np.float32]:
    try:
        import av
    except ImportError:
        raise MissingDependencyError(
            "decoding G.722 needs PyAV; use the environment that `make evaluate` makes"
        ) from None
    with av.open(io.BytesIO(data), format="g722") as container:
        blocks = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float32) / np.float32(32768.0)


def cut(samples: NDArray[np.float32], clip: Clip) -> NDArray[np.float32]:
    """The clip's part of its recording, with soft edges where it was cut."""
    first, last = round(clip.start_s * RATE_HZ), min(round(clip.end_s * RATE_HZ), len(samples))
    piece = samples[first:last].copy()
    ramp = np.linspace(0.0, 1.0, round(_EDGE_S * RATE_HZ), dtype=np.float32)
    if first:
        piece[: len(ramp)] *= ramp
    if last < len(samples):
        piece[-len(ramp) :] *= ramp[::-1]
    return piece


def build(clips: Iterable[Clip], output: Path, folder: Path) -> list[Path]:
    """Write the test set into ``output`` with packages from ``folder``. Raises `ChangelingError`."""
    chosen = list(clips)
    packages = {name: find_package(name, folder) for name in dict.fromkeys(c.speaker.package for c in chosen)}
    texts = transcripts(packages, folder)
    rows = ["file\tlanguage\tspeaker\tsex\tkind\ttext"]
    sources = ["Real recordings for evaluation only: not for training, not to be shipped.", ""]
    written = []
    for clip in chosen:
        speaker = clip.speaker
        data = packages[speaker.package].read(f"{speaker.folder}/{clip.member}")
        text = clip.text or texts.get((speaker.package, str(Path(clip.member).with_suffix(""))), "")
        path = output / clip.name
        write_wav(path, cut(decode(data, clip.member), clip), RATE_HZ, comment=f"from {speaker.package}: {clip.member}")
        written.append(path)
        rows.append("\t".join([clip.name, speaker.language, speaker.name, speaker.sex, speaker.kind, text]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        origin = f"{packages[speaker.package].path.name}: {speaker.folder}/{clip.member}"
        sources += [clip.name, f"  {origin}", f"  {speaker.licence}; see usr/share/doc/{speaker.package}/copyright"]
        sources += [f"  SHA-256 {digest}"]
    write_atomic(output / "transcripts.tsv", ["\n".join([*rows, ""]).encode()])
    write_atomic(output / "SOURCES.txt", ["\n".join([*sources, ""]).encode()])
    return written


def main() -> int:
    """Build the set and say where it is."""
    parser = argparse.ArgumentParser(description="Build a test set of real recordings from Debian packages.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the set goes")
    parser.add_argument("--packages", type=Path, metavar="FOLDER", help="Debian packages already there, or kept there")
    options = parser.parse_args()
    folder = options.packages or cache_dir() / "debian"
    try:
        for path in (options.output, folder):
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{path} cannot be made ({error.strerror}); choose another place") from None
        written = build(CLIPS, options.output, folder)
    except ChangelingError as error:
        print(f"real_speech: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{len(written)} recordings in {options.output}, with transcripts.tsv and SOURCES.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
