"""``changeling evaluate voice`` from its words to its files: a real model and runtime, judges that are stubs."""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.cli.main import main
from edge_runtime.media.audio import read_audio, write_wav
from edge_runtime.provenance import read_mark
from tests.train.voice.evaluate.judges_for_tests import stub_panel
from train.voice.evaluate import cli, sounds
from train.voice.evaluate.evaluators import Panel, missing, real_panel
from train.voice.evaluate.sounds import Maker

MODEL = Path(__file__).parents[3] / "assets" / "tiny_voice.fp16.tflite"
RATE_HZ = 16_000


def _speechlike(seed: int, seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2.0 * np.pi * np.cumsum(100.0 + 20.0 * np.sin(5.0 * time)) / RATE_HZ
    sound = sum(np.sin(k * phase) / k for k in range(1, 20)) + 0.05 * rng.standard_normal(len(time))
    return (0.1 * sound).astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Three recordings: with a transcript, with a text file, in Spanish without either."""
    folder = tmp_path / "in"
    folder.mkdir()
    for seed, name in enumerate(("a.wav", "b.wav", "c.wav")):
        write_wav(folder / name, _speechlike(seed), RATE_HZ, comment="")
    table = ["file\tlanguage\tspeaker\tsex\tkind\ttext", "a.wav\ten\tann\tf\treal\tone two three four"]
    table += ["c.wav\tes\tcarlo\tm\treal\t"]
    (folder / "transcripts.tsv").write_text("\n".join(table) + "\n")
    (folder / "b.txt").write_text("One, two: THREE.\n")
    return folder


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """Two recordings of a target."""
    folder = tmp_path / "held-out"
    folder.mkdir()
    for seed in (10, 11):
        write_wav(folder / f"{seed}.wav", _speechlike(seed), RATE_HZ, comment="")
    return folder


@pytest.fixture
def asked() -> Counter[str]:
    """How often the judges were asked."""
    return Counter()


@pytest.fixture
def evaluate(
    tmp_path: Path, recordings: Path, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run the command on the recordings with the tiny model; WORLD is replaced by what leaves the sound alone."""
    monkeypatch.setenv("CHANGELING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli, "real_panel", lambda: stub_panel(asked))
    monkeypatch.setattr(sounds, "world", lambda samples, f0_hz, front_end: samples)

    def run(*more: str, folder: Path = recordings, model: Path = MODEL) -> int:
        argv = ["evaluate", "voice", str(folder), "--model", str(model), "-o", str(tmp_path / "out"), "--pictures", "0"]
        return main([*argv, *more])

    return run


def _scores(tmp_path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((tmp_path / "out" / "scores.json").read_text())
    return found


def test_everything_is_written(
    evaluate: Callable[..., int], held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page, the scores twice, and marked sounds of every voice."""
    voice = _first_voice()
    assert evaluate("--voices", voice, "--target", f"{voice}={held_out}", "--pictures", "1") == 0
    out = tmp_path / "out"
    assert {"report.html", "scores.json", "scores.md"} <= {path.name for path in out.iterdir()}
    for name in "abc":
        mark = read_mark(out / "converted" / voice / f"{name}.wav")
        assert mark is not None
        assert mark.voice == voice
        assert len(read_audio(out / "converted" / voice / f"{name}.wav", max_seconds=9).samples) == RATE_HZ
    page = (out / "report.html").read_text()
    assert f'src="converted/{voice}/a.wav"' in page
    assert "data:image/png;base64," in page
    assert "report.html" in capsys.readouterr().out


def test_the_scores_are_the_judges_words(evaluate: Callable[..., int], held_out: Path, tmp_path: Path) -> None:
    """One word of four is misheard in `a`, none of three in `b`; `c` has no transcript and is heard the same."""
    voice = _first_voice()
    assert evaluate("--voices", voice, "--target", f"{voice}={held_out}") == 0
    rows = {(r["system"], r["voice"], r["group"]): r for r in _scores(tmp_path)["summaries"]}  # type: ignore[attr-defined]
    converted = rows["converted", "all voices", "all"]
    assert converted["recordings"] == 3
    assert converted["word_errors"]["mean"] == pytest.approx(1 / 7)
    assert converted["word_errors_added"]["mean"] == 0.0
    assert converted["words_changed"]["mean"] == 0.0
    assert converted["overall"]["mean"] == 3.25
    assert converted["melody"]["mean"] == pytest.approx(1.0)
    assert converted["silence_dbfs"] <= -60.0
    assert rows["converted", voice, "language: es"]["recordings"] == 1
    assert rows["unconverted", voice, "all"]["to_source"]["mean"] == pytest.approx(1.0, abs=1e-3)
    assert {system for system, _, _ in rows} == set(sounds.SYSTEMS)
    assert rows["copy", voice, "all"]["recordings"] == 2


def test_a_second_run_makes_and_judges_nothing(
    evaluate: Callable[..., int], asked: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was finished before Ctrl-C or yesterday is used again."""
    assert evaluate() == 0
    first = _scores(tmp_path)
    asked.clear()
    monkeypatch.setattr(Maker, "_sound", _refuse)
    assert evaluate() == 0
    assert not asked
    assert _scores(tmp_path) | {"created": ""} == first | {"created": ""}


def test_ctrl_c_loses_nothing(
    evaluate: Callable[..., int],
    asked: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run that is stopped at its third sound leaves two that the next run finds."""
    made = Maker._sound
    count = Counter[str]()

    def stop_at_third(self: Maker, job: sounds.Job) -> object:
        count["made"] += 1
        if count["made"] == 3:
            raise KeyboardInterrupt
        return made(self, job)

    monkeypatch.setattr(Maker, "_sound", stop_at_third)
    assert evaluate("--baselines", "none") == 130
    assert capsys.readouterr().err.splitlines()[-1] == "changeling: stopped"
    assert evaluate("--baselines", "none") == 0
    sounds_in_all = 3 * (1 + len(_voices()))
    assert count["made"] == sounds_in_all + 1  # the one that was stopped is made anew


def test_a_changed_recording_is_converted_again(evaluate: Callable[..., int], recordings: Path, tmp_path: Path) -> None:
    """Names stay, contents change."""
    voice = _first_voice()
    assert evaluate("--voices", voice, "--baselines", "none") == 0
    path = tmp_path / "out" / "converted" / voice / "a.wav"
    before = path.read_bytes()
    write_wav(recordings / "a.wav", 0.5 * _speechlike(99), RATE_HZ, comment="")
    assert evaluate("--voices", voice, "--baselines", "none") == 0
    assert path.read_bytes() != before


def test_skipped_measures_are_not_asked_and_said(
    evaluate: Callable[..., int], asked: Counter[str], tmp_path: Path
) -> None:
    """``--skip`` saves the time, and the page says so."""
    assert evaluate("--skip", "words,sound,melody", "--baselines", "none") == 0
    assert set(asked) == {"speaker"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Left out with --skip: melody, sound, words." in page
    bars = {bar["name"]: bar for bar in _scores(tmp_path)["bars"]}  # type: ignore[attr-defined]
    assert bars["DNSMOS overall"]["met"] is None


def test_quick_leaves_out_what_is_slow(evaluate: Callable[..., int], asked: Counter[str], tmp_path: Path) -> None:
    """A first look has no baselines, no DNSMOS and no pictures."""
    assert evaluate("--quick") == 0
    assert asked["sound"] == 0
    assert not (tmp_path / "out" / "pictures").exists()
    systems = {score["system"] for score in _scores(tmp_path)["scores"]}  # type: ignore[attr-defined]
    assert systems == {"unconverted", "converted"}


def test_another_file_of_the_model_is_compared(
    evaluate: Callable[..., int], recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against itself nothing is lost; against other recordings the question has no answer."""
    assert evaluate("--baselines", "none") == 0
    other = tmp_path / "other.json"
    other.write_bytes((tmp_path / "out" / "scores.json").read_bytes())
    assert evaluate("--baselines", "none", "--against", str(other)) == 0
    bars = {bar["name"]: bar for bar in _scores(tmp_path)["bars"]}  # type: ignore[attr-defined]
    assert bars["word errors above the other file's"]["value"] == 0.0
    (recordings / "b.wav").unlink()
    assert evaluate("--baselines", "none", "--against", str(other)) == 2
    assert "other recordings" in _one_line(capsys)


def test_broken_recordings_are_listed_and_left_out(
    evaluate: Callable[..., int], recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad file must not cost the others."""
    (recordings / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk")
    write_wav(recordings / "silent.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ, comment="")
    write_wav(recordings / "short.wav", _speechlike(1, 0.2), RATE_HZ, comment="")
    assert evaluate("--baselines", "none") == 0
    left_out = {file["file"]: file["reason"] for file in _scores(tmp_path)["skipped_files"]}  # type: ignore[attr-defined]
    assert set(left_out) == {"broken.wav", "silent.wav", "short.wav"}
    assert "silent" in left_out["silent.wav"]
    assert "left out: broken.wav" in capsys.readouterr().out
    assert "3 files could not be used" in (tmp_path / "out" / "scores.md").read_text()


def _first_voice() -> str:
    return _voices()[0]


def _voices() -> list[str]:
    from edge_runtime.model_file import open_model

    return [voice.name for voice in open_model(MODEL).manifest.voices]


def _refuse(*_: object) -> None:
    raise AssertionError("was made again")


def _one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("changeling:")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--target", "nobody=."], "no voice 'nobody'"),
        (["--voices", "nobody"], "no voice 'nobody'"),
        (["--target", "folder"], "VOICE=FOLDER"),
        (["--skip", "taste"], "no measure 'taste'"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_slips_are_one_line(
    evaluate: Callable[..., int], more: list[str], text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And nothing is written."""
    assert evaluate(*more) == 2
    assert text in _one_line(capsys)
    assert not (tmp_path / "out" / "scores.json").exists()


def test_folders_that_do_not_do(
    evaluate: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder, an empty one, and a target without recordings."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, text in ((tmp_path / "none", "is not a folder"), (empty, "holds no recordings")):
        assert evaluate(folder=folder) == 2
        assert text in _one_line(capsys)
        assert evaluate("--target", f"{_first_voice()}={folder}") == 2
        assert text in _one_line(capsys)


def test_a_file_that_is_no_model(
    evaluate: Callable[..., int], recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The runtime's own refusal."""
    assert evaluate(model=recordings / "a.wav") == 4
    _one_line(capsys)


def test_the_recordings_own_folder_is_not_written_into(
    evaluate: Callable[..., int], recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outputs among the inputs would be evaluated the next time."""
    assert evaluate("-o", str(recordings)) == 2
    assert "choose another folder" in _one_line(capsys)


def test_a_missing_judge_names_the_way_to_get_it(
    evaluate: Callable[..., int],
    asked: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Most checkouts have no PyTorch."""

    def absent() -> None:
        raise missing("Resemblyzer")

    def panel() -> Panel:
        stub = stub_panel(asked)
        return Panel(stub.names, absent, stub.make_recogniser, stub.make_rater, stub.make_tracker)  # type: ignore[arg-type]

    monkeypatch.setattr(cli, "real_panel", panel)
    assert evaluate() != 0
    assert "make evaluate" in _one_line(capsys)


@pytest.mark.parametrize(
    ("judge", "package"),
    [("speaker", "resemblyzer"), ("rater", "speechmos"), ("tracker", "swift_f0")],
)
def test_real_judges_say_what_is_missing(judge: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where their packages are not there."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Exception, match="make evaluate"):
        getattr(real_panel(), judge)


@pytest.mark.parametrize("argv", [["evaluate"], ["evaluate", "house"]])
def test_what_is_evaluated_must_be_said(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """There are two things."""
    assert main(argv) == 2
    assert "evaluate voice" in _one_line(capsys)


def test_on_a_board_it_says_where_it_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The wheel has no `train`."""
    monkeypatch.setattr(importlib.import_module("edge_runtime.cli.workstation"), "_beside_us", lambda package: False)
    assert main(["evaluate", "voice", "x", "-o", "y"]) != 0
    line = _one_line(capsys)
    assert "changeling evaluate" in line
    assert "checkout" in line
    assert "make evaluate" in line
