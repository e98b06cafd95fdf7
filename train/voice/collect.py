"""Step 1, collect: recordings (or a synthesiser) in, a dataset folder of clean, level clips out.

Everything that is left out is counted and explained. A run that was stopped goes on where it was; running again over
a grown folder only does the new files.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from edge_runtime.cli.arguments import Parser
from edge_runtime.contract import DataSource
from edge_runtime.errors import InputError
from edge_runtime.files import make_folder, write_atomic
from train.packages import file_sha256
from train.progress import Progress
from train.voice import collect_report
from train.voice.clips import CutSpec
from train.voice.dataset import Clip, Dataset, save_dataset
from train.voice.recordings import (
    LeftOut,
    RecordingResult,
    find_recordings,
    finished,
    forget_others,
    process,
    settings_key,
)

CORPORA: Final = ("kokoro", "hibari", "ensemble", "company", "tiny")
FESTVOX: Final = "festvox-ru"
"""A corpus of recordings: a real person, to be listened to."""
DEFAULT_VOICES: Final = "af_heart,am_michael,af_bella,am_fenrir,af_sarah+bm_george"
UNSTATED_LICENCE: Final = "unstated: own recordings"
_LARGEST_HELDOUT_SHARE: Final = 0.25


@dataclass(frozen=True)
class Collected:
    """What `collect` made."""

    dataset: Dataset
    results: tuple[RecordingResult, ...]
    """One per recording that could be read."""
    left_out: tuple[LeftOut, ...]
    """Everything that was not kept, whole recordings and stretches of them."""
    reused: int
    """Recordings that an earlier run had finished."""


def collect(
    sources: Sequence[Path],
    out: Path,
    *,
    speaker: str,
    licence: str = UNSTATED_LICENCE,
    heldout_fraction: float = 0.05,
    spec: CutSpec | None = None,
    source: str = "",
) -> Collected:
    """Make the dataset folder ``out`` from recordings of one speaker (files, and folders with all below them).

    ``source`` is where they come from, for the manifest of models trained on them; the speaker's name without one.

    Whole recordings are held out, at least ``heldout_fraction`` of the time and one clip; see `choose_heldout`.
    Raises `InputError` when there are no recordings or nothing usable in them, and `OutputError`.
    """
    spec = spec or CutSpec()
    if not 0.0 < heldout_fraction <= 0.5:
        raise InputError(f"the held-out share is {heldout_fraction:g}; choose more than 0 and at most 0.5")
    paths, left_out = find_recordings(sources, out)
    make_folder(out / "clips")
    make_folder(out / "sources")
    results, more, reused = _process_all(paths, out, spec)
    left_out += more + [entry for result in results for entry in result.left_out]
    clips = [clip for result in results for clip in result.clips]
    if len(clips) < 2:
        raise InputError(_nothing_usable(len(clips), left_out))
    heldout = choose_heldout(results, heldout_fraction)
    dataset = Dataset(
        root=out,
        clips=tuple(
            Clip(c.file, speaker, c.seconds, "heldout" if c.file in heldout else "train", c.file, None) for c in clips
        ),
        sources=(DataSource(source or speaker, licence, round(sum(c.seconds for c in clips) / 60.0, 2)),),
        people=(speaker,),
    )
    save_dataset(dataset)
    forget_others(out, results, settings_key(spec))
    write_atomic(out / "LICENCE.txt", (f"Recordings of {speaker}\nLicence: {licence}\n".encode(),))
    return Collected(dataset, tuple(results), tuple(left_out), reused)


def choose_heldout(results: Sequence[RecordingResult], fraction: float) -> frozenset[str]:
    """Files of the clips to keep out of training: the same for the same recordings, in whatever order or place.

    Whole recordings, in the order of their hashes, until ``fraction`` of the time is reached; so no held-out sentence
    has a neighbour from the same take in training. Recordings of more than a quarter of the time are never held out
    whole: where there are only such, the end of the longest is.
    """
    usable = [result for result in results if result.clips]
    total_s = sum(result.kept_s for result in usable)
    small = sorted(
        (result for result in usable if result.kept_s <= _LARGEST_HELDOUT_SHARE * total_s), key=lambda r: r.sha256
    )
    chosen: set[str] = set()
    seconds = 0.0
    for result in small:
        if seconds >= fraction * total_s:
            break
        chosen.update(clip.file for clip in result.clips)
        seconds += result.kept_s
    if not chosen:
        longest = max(usable, key=lambda r: (r.kept_s, r.sha256))
        for clip in reversed(longest.clips):
            if seconds >= fraction * total_s:
                break
            chosen.add(clip.file)
            seconds += clip.seconds
    return frozenset(chosen)


def collect_corpus(
    corpus: str, out: Path, *, minutes: float, voices: Sequence[str] = (), seed: int = 1, threads: int = 1
) -> Dataset:
    """Synthesise a corpus of ``minutes`` a voice into ``out``; ``corpus`` is one of `CORPORA`.

    Raises `InputError`, `WorkstationError`, `MissingDependencyError` or `OutputError`.
    """
    # Imported here: collecting recordings needs none of the packages behind these.
    from train.voice.corpus.build import Synthesiser, build_corpus

    if corpus not in ("kokoro", "ensemble") and voices:
        raise InputError(
            f"the corpus {corpus} has its own voices; leave out --voices, or use --corpus kokoro or ensemble"
        )
    if not (math.isfinite(minutes) and 0.0 < minutes <= 6000.0):
        raise InputError(f"{minutes:g} minutes cannot be made; choose more than 0 and at most 6000")
    synthesiser: Synthesiser
    if corpus == "kokoro":
        from train.voice.corpus.kokoro import KokoroSynthesiser

        synthesiser = KokoroSynthesiser(tuple(voices) or tuple(DEFAULT_VOICES.split(",")), threads=threads)
    elif corpus == "hibari":
        from train.voice.corpus.hibari import HibariSynthesiser

        synthesiser = HibariSynthesiser()
    elif corpus == "ensemble":
        from train.voice.corpus.ensemble import DEFAULT_ENSEMBLE, EnsembleSynthesiser

        synthesiser = EnsembleSynthesiser(",".join(voices) or DEFAULT_ENSEMBLE, threads=threads)
    elif corpus == "company":
        from train.voice.corpus.company import CompanySynthesiser

        synthesiser = CompanySynthesiser(seed, threads=threads)
    elif corpus == "tiny":
        from train.voice.corpus.tiny import TinySynthesiser

        synthesiser = TinySynthesiser()
    else:
        raise InputError(f"there is no corpus {corpus!r}; choose one of {', '.join(CORPORA)}")
    return build_corpus(synthesiser, out, minutes=minutes, seed=seed)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``changeling train voice collect``."""
    defaults = {field.name: field.default for field in fields(CutSpec)}
    parser.add_argument("sources", nargs="*", type=Path, metavar="SOURCE", help="recordings, or folders of them")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="dataset folder to make")
    recordings = parser.add_argument_group("from recordings")
    recordings.add_argument("--speaker", help="name of the speaker (default: name of the first source)")
    recordings.add_argument("--licence", default=UNSTATED_LICENCE, help="under which terms the recordings may be used")
    recordings.add_argument("--heldout", type=float, default=0.05, metavar="SHARE", help="kept out of training (0.05)")
    for name, option, text in (
        ("minimum_s", "--min-seconds", "shorter clips are left out"),
        ("maximum_s", "--max-seconds", "longer clips are cut"),
        ("minimum_snr_db", "--min-snr", "noisier clips are left out, dB"),
    ):
        value = defaults[name]
        recordings.add_argument(option, type=float, default=value, dest=name, metavar="N", help=f"{text} ({value:g})")
    synthetic = parser.add_argument_group("from a synthesiser, or recordings that are fetched")
    synthetic.add_argument(
        "--corpus",
        choices=(*CORPORA, FESTVOX),
        help="hibari: one voice, fast; kokoro: several, aligned; ensemble: what the shipped voices are made of; "
        "company: many people of many languages; festvox-ru: 90 minutes of a Russian speaker",
    )
    synthetic.add_argument("--minutes", type=float, default=6.0, metavar="M", help="minutes of every voice (6)")
    voices_help = f"kokoro voices, and blends such as a+b:0.3 ({DEFAULT_VOICES})"
    synthetic.add_argument("--voices", default="", metavar="A,B,C", help=voices_help)
    synthetic.add_argument("--seed", type=int, default=1, help="which sentences (1)")
    synthetic.add_argument("--threads", type=int, default=1, help="threads of the synthesiser (1)")


def main(argv: Sequence[str]) -> int:
    """``changeling train voice collect ...``."""
    parser = Parser("changeling train voice collect", "Make a data set of clean clips from recordings.")
    add_arguments(parser)
    return run(parser.parse_args(list(argv)))


def run(args: argparse.Namespace) -> int:
    """Collect as the arguments say, write the report, and print it."""
    if (args.corpus is None) == (not args.sources):
        raise InputError("name recordings, or a synthesiser with --corpus, and not both")
    source = ""
    if args.corpus == FESTVOX:
        from train.voice.corpus import festvox

        args.sources = [festvox.unpack_recordings()]
        args.speaker, args.licence, source = args.speaker or festvox.SPEAKER, festvox.LICENCE, festvox.SOURCE
    elif args.corpus is not None:
        voices = [voice.strip() for voice in args.voices.split(",") if voice.strip()]
        dataset = collect_corpus(
            args.corpus, args.out, minutes=args.minutes, voices=voices, seed=args.seed, threads=args.threads
        )
        print(collect_report.write_corpus_report(dataset))
        return 0
    if not 0.5 <= args.minimum_s <= args.maximum_s / 2.0 or args.maximum_s > 60.0:
        raise InputError("clips of that length cannot be cut; give 0.5 <= --min-seconds <= half of --max-seconds <= 30")
    spec = CutSpec(minimum_s=args.minimum_s, maximum_s=args.maximum_s, minimum_snr_db=args.minimum_snr_db)
    speaker = args.speaker or args.sources[0].resolve().stem
    collected = collect(
        args.sources,
        args.out,
        speaker=speaker,
        licence=args.licence,
        heldout_fraction=args.heldout,
        spec=spec,
        source=source,
    )
    print(collect_report.write_report(collected.dataset, collected.results, collected.left_out, collected.reused))
    return 0


def _process_all(paths: Sequence[Path], out: Path, spec: CutSpec) -> tuple[list[RecordingResult], list[LeftOut], int]:
    results: list[RecordingResult] = []
    left_out: list[LeftOut] = []
    seen: dict[str, Path] = {}
    reused = 0
    key = settings_key(spec)
    with Progress(len(paths), "collect") as progress:
        for number, path in enumerate(paths, 1):
            try:
                sha256 = file_sha256(path)
            except OSError as error:
                left_out.append(LeftOut(path.name, 0.0, 0.0, "unreadable", error.strerror or str(error)))
                continue
            if sha256 in seen:
                left_out.append(LeftOut(path.name, 0.0, 0.0, "duplicate", f"same bytes as {seen[sha256].name}"))
                continue
            seen[sha256] = path
            result = finished(out, sha256, key)
            reused += result is not None
            try:
                results.append(result or process(path, sha256, out, spec))
            except InputError as error:
                left_out.append(LeftOut(path.name, 0.0, 0.0, "unreadable", str(error)))
            progress.update(number, f"{number} of {len(paths)} recordings")
    return results, left_out, reused


def _nothing_usable(n_clips: int, left_out: Sequence[LeftOut]) -> str:
    reasons = collect_report.count_reasons(left_out)
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "there is only one stretch of speech"
    have = "nothing usable is in the recordings" if n_clips == 0 else "one clip is not enough to train and to test"
    return f"{have} ({why}); record more speech, or see the limits in: changeling train voice collect --help"
