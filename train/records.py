"""Plain values and dataclasses as readable JSON files, whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from edge_runtime.contract import from_dict
from edge_runtime.errors import ModelFileError, WorkstationError
from edge_runtime.files import write_atomic


def remove(*paths: Path) -> None:
    """Take away files and folders, with all in them; what is not there needs no taking away."""
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON with one space of indentation, atomically."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomic(path, (text.encode(),))


def save_json(path: Path, value: Any) -> None:
    """Write a dataclass as readable JSON, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, dataclasses.asdict(value))


def load_json(path: Path, cls: type[Any]) -> Any:
    """Read what `save_json` wrote. Raises `WorkstationError`."""
    try:
        return from_dict(cls, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise WorkstationError(f"{path} is missing; give the folder that `changeling train` wrote") from error
    except (ValueError, ModelFileError) as error:
        raise WorkstationError(f"{path} cannot be read ({error}); train again with this version") from error
