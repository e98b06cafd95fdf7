"""What a user can get wrong on the command line is told in one line, before anything slow starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.errors import ChangelingError, WorkstationError
from export.cli import main


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["RUN"], "--out"),
        (["RUN", "-o", "OUT", "--precision", "int3"], "int3"),
        (["RUN", "-o", "OUT", "--format", "coreml"], "coreml"),
        (["RUN", "-o", "OUT", "--timeout", "0"], "--timeout"),
        (["RUN", "-o", "OUT", "--timeout", "soon"], "timeout"),
        (["RUN", "-o", "OUT", "--compat", "tflite-1"], "tflite-2.14"),
        (["RUN", "-o", "OUT", "--calibration", "no-such-folder"], "no-such-folder"),
    ],
)
def test_mistakes_are_named_in_one_line(arguments: list[str], named: str) -> None:
    with pytest.raises(ChangelingError, match=named) as caught:
        main(arguments)
    assert "\n" not in str(caught.value)


def test_another_keras_backend_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(WorkstationError, match="KERAS_BACKEND=tensorflow"):
        main([str(tmp_path), "-o", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_help_needs_no_tensorflow() -> None:
    code = (
        "import sys\nfrom edge_runtime.cli.main import main\n"
        "try: main(['export', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'tensorflow', 'keras', 'onnx'} & sys.modules.keys()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert "--precision" in result.stdout
