"""What results follow from: a changed model or signal path must not be judged by yesterday's results."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from edge_runtime.model_file import ModelFile
from train.packages import file_sha256

ROOT = Path(__file__).parents[2]


def model_sha256(model: ModelFile) -> str:
    """SHA-256 of the model file."""
    path = Path(model.path)
    return file_sha256(path) if path.is_file() else model.manifest.graph_sha256


@functools.cache
def code_sha256(*folders: str) -> str:
    """SHA-256 of all Python files below ``folders``, which are paths inside the checkout."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
