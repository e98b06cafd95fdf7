"""``changeling train``: which step runs, and the one-line refusals."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from edge_runtime.cli.main import main
from train import cli


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Steps that were run with their arguments; no step really runs."""
    calls: list[tuple[str, list[str]]] = []
    for step in cli.STEPS:
        module = ModuleType(f"train.voice.{step}")

        def run(argv: list[str], step: str = step) -> int:
            calls.append((step, argv))
            return 0

        module.main = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"train.voice.{step}", module)
    return calls


@pytest.mark.parametrize("step", cli.STEPS)
def test_step_gets_its_arguments(step: str, ran: list[tuple[str, list[str]]]) -> None:
    """From the command to the step, untouched."""
    assert main(["train", "voice", step, "--data", "x y", "--steps=3"]) == 0
    assert ran == [(step, ["--data", "x y", "--steps=3"])]


def test_all_at_once_collects_and_fits(ran: list[tuple[str, list[str]]]) -> None:
    """What `collect` writes is what `fit` reads; what is not given is left to the steps."""
    argv = ["--target", "rec", "-o", "run", "--preset", "nano", "--speaker", "anna", "--minutes", "2.5"]
    consent = ["--i-have-consent", "Anna: all"]
    assert main(["train", "voice", *argv, *consent]) == 0
    fit = ["--data", "run/data", "-o", "run", "--preset", "nano", "--minutes", "2.5", "--name", "anna", *consent]
    assert ran == [
        ("collect", ["rec", "-o", "run/data", "--speaker", "anna"]),
        ("fit", fit),
    ]


def test_all_at_once_refuses_a_slip_before_any_work(
    ran: list[tuple[str, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Collecting can take an hour."""
    assert main(["train", "voice", "--target", "rec", "-o", "run", "--preset", "huge"]) == 2
    assert "--preset" in capsys.readouterr().err
    assert ran == []


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["sculpture"], "there are: voice, face"),
        (["face", "carve"], "there are: collect"),
        (["voice", "fitt"], "there are: collect, join, preprocess, fit, predict, picture"),
        (["voice", "-o", "run"], "--target"),
    ],
)
def test_wrong_words_are_one_line(argv: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And say what there is."""
    assert main(["train", *argv]) == 2
    err = capsys.readouterr().err
    assert text in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["--help"], ["voice"], ["voice", "--help"], ["face"], ["face", "--help"]])
def test_help_lists_the_steps(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A reader who types half the command learns the rest."""
    assert main(["train", *argv]) == 0
    out = capsys.readouterr().out
    assert all(f"  {step} " in out for step in (*cli.STEPS, *cli.FACE_STEPS))


@pytest.mark.parametrize("step", cli.FACE_STEPS)
def test_every_face_step_is_a_module_with_main(step: str) -> None:
    """The same for the other room."""
    assert callable(importlib.import_module(f"train.face.{step}").main)


@pytest.mark.tensorflow
@pytest.mark.parametrize("step", cli.STEPS)
def test_every_step_is_a_module_with_main(step: str) -> None:
    """The list and the files cannot drift apart."""
    assert callable(importlib.import_module(f"train.voice.{step}").main)
