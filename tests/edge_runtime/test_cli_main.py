"""The command as a whole: help at once, one line for every error, the promised exit codes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edge_runtime.cli import main as cli
from edge_runtime.errors import ChangelingError, ModelFileError

REPOSITORY = Path(__file__).parents[2]


def _pretend_verb(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the verb ``info`` end with ``error``."""
    module = ModuleType("edge_runtime.cli.info")

    def run(argv: list[str]) -> int:
        raise error

    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edge_runtime.cli.info", module)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_no_interpreter(arguments: list[str]) -> None:
    """Help must answer at once on a small board."""
    heavy = "('ai_edge_litert', 'tflite_runtime', 'onnxruntime', 'tensorflow', 'keras', 'soundfile')"
    code = (
        "import sys; from edge_runtime.cli.main import main; "
        f"assert main({arguments!r}) == 0; "
        f"found = [name for name in {heavy} if name in sys.modules]; assert not found, found"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert "changeling" in done.stdout


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_is_a_module_with_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The list in the help and the modules cannot drift apart."""
    assert callable(importlib.import_module(f"edge_runtime.cli.{verb}").run)
    assert cli.main(["--help"]) == 0
    assert f"  {verb} " in capsys.readouterr().out


def test_help_lists_every_verb_module() -> None:
    """A verb's file that the dispatcher does not know would be dead code."""
    shared = {
        "__init__",
        "arguments",
        "machine",
        "main",
        "progress",
        "convert_faces",
        "convert_swaps",
        "face_flags",
        "face_job",
        "folders",
        "live_face",
        "live_flags",
        "live_voice",
        "media_kind",
        "raw",
        "style_list",
        "voice_flags",
        "workstation",
    }
    modules = {path.stem for path in (REPOSITORY / "edge_runtime" / "cli").glob("*.py")}
    assert modules - shared == set(cli.VERBS)


def test_unknown_verb_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the finger is told with what there is."""
    assert cli.main(["covnert"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("changeling: unknown verb 'covnert'; there are: convert, ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("argv", [["convert"], ["convert", "a", "b", "--pich", "3"], ["bench", "--threads", "0"]])
def test_wrong_arguments_are_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """argparse by itself prints its whole usage."""
    assert cli.main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith("changeling: ")
    assert err.endswith(f"see changeling {argv[0]} --help\n")
    assert err.count("\n") == 1


def test_error_is_one_line_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even if a message came with line breaks."""
    _pretend_verb(monkeypatch, ModelFileError("the file is\ntruncated; copy it again"))
    assert cli.main(["info"]) == 4
    assert capsys.readouterr().err == "changeling: the file is truncated; copy it again\n"


def test_ctrl_c_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """130 is what a shell expects of a stopped command."""
    _pretend_verb(monkeypatch, KeyboardInterrupt())
    assert cli.main(["info"]) == 130
    assert capsys.readouterr().err == "changeling: stopped\n"


def test_unexpected_error_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of ours shows no traceback unless asked for."""
    monkeypatch.delenv("CHANGELING_DEBUG", raising=False)
    _pretend_verb(monkeypatch, ZeroDivisionError("division by\nzero"))
    assert cli.main(["info"]) == 70
    expected = "internal error: ZeroDivisionError: division by zero; run with CHANGELING_DEBUG=1 for details\n"
    assert capsys.readouterr().err == f"changeling: {expected}"


def test_debug_variable_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one line promises."""
    monkeypatch.setenv("CHANGELING_DEBUG", "1")
    _pretend_verb(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(["info"])


def test_closed_pipe_is_quiet() -> None:
    """``changeling --help | true`` must not complain, neither by us nor by the interpreter at exit."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with os.fdopen(write_end, "wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "edge_runtime", "--help"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=60,
            env=environment,
        )
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.parametrize("verb", ["train", "export"])
def test_training_from_a_wheel_is_refused(verb: str, tmp_path: Path) -> None:
    """A board is told where training runs; a foreign package of the common name `train` is not taken for ours."""
    foreign = tmp_path / "site"
    (foreign / verb).mkdir(parents=True)
    (foreign / verb / "__init__.py").write_text("raise SystemExit('a foreign package was imported')")
    copied = tmp_path / "wheel"
    copied.mkdir()
    _copy_runtime(copied)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copied), str(foreign)])}
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", verb],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=copied,
    )
    assert done.returncode == 7, done.stderr
    assert done.stderr.count("\n") == 1
    assert "checkout on a workstation" in done.stderr


def _copy_runtime(folder: Path) -> None:
    for path in (REPOSITORY / "edge_runtime").rglob("*.py"):
        target = folder / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


def test_every_error_of_ours_has_its_own_exit_code_range() -> None:
    """0 means done, and 70, 130 and 141 are taken by the command itself."""

    def tree(cls: type[ChangelingError]) -> list[type[ChangelingError]]:
        return [cls, *(leaf for sub in cls.__subclasses__() for leaf in tree(sub))]

    assert {cls.exit_code for cls in tree(ChangelingError)} <= set(range(1, 9))
