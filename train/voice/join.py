"""Several data sets into one: other voices, or other people and microphones to learn to listen to.

Clips are linked where the file system can and copied where not, so that the joined folder stands on its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from edge_runtime.cli.arguments import Parser
from edge_runtime.errors import InputError, OutputError, WorkstationError
from edge_runtime.files import make_folder, write_atomic
from train.records import write_json
from train.voice.dataset import (
    DATASET_FILE,
    PHONES_FILE,
    Clip,
    Dataset,
    load_dataset,
    save_dataset,
)

_LICENCE_FILE = "LICENCE.txt"


def join(parts: Sequence[Dataset], out: Path) -> Dataset:
    """Make the dataset folder ``out`` from all clips of ``parts``.

    A speaker who is in several is one speaker. Running again after a part has grown adds what is new. Raises
    `InputError` for fewer than two parts or a folder that holds something else, `WorkstationError` when their phone
    inventories differ, and `OutputError`.
    """
    if len({part.root.resolve() for part in parts}) < 2:
        raise InputError("name at least two data sets to join")
    if any(part.root.resolve() == out.resolve() for part in parts):
        raise InputError(f"{out} is one of the data sets to join; choose another folder for the result")
    phones = {names for part in parts if (names := part.phone_names())}
    if len(phones) > 1:
        raise WorkstationError("the data sets label other phones; collect them again with this version")
    clips = tuple(_take(part, number, clip, out) for number, part in enumerate(parts) for clip in part.clips)
    for names in phones:
        write_json(out / PHONES_FILE, list(names))
    write_atomic(out / _LICENCE_FILE, (_licences(parts).encode(),))
    people = tuple(dict.fromkeys(name for part in parts for name in part.people))
    joined = Dataset(out, clips, tuple(source for part in parts for source in part.sources), people)
    save_dataset(joined)
    return joined


def _take(part: Dataset, number: int, clip: Clip, out: Path) -> Clip:
    """Bring a clip and its labels over; names begin with the part's number, so that they cannot meet."""
    file = _link(part.root, clip.file, number, out)
    phones = None if clip.phones is None else _link(part.root, clip.phones, number, out)
    return replace(clip, file=file, phones=phones, group=f"{number}-{clip.group}")


def _link(root: Path, name: str, number: int, out: Path) -> str:
    path = PurePosixPath(name)
    taken = str(path.with_name(f"{number}-{path.name}"))
    source, target = root / name, out / taken
    make_folder(target.parent)
    try:
        with contextlib.suppress(FileNotFoundError):
            target.unlink()
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(f"{source} cannot be copied to {target} ({error.strerror or error})") from error
    return taken


def _licences(parts: Sequence[Dataset]) -> str:
    texts = [part.root / _LICENCE_FILE for part in parts]
    return "\n".join(path.read_text(encoding="utf-8") for path in texts if path.is_file())


def main(argv: Sequence[str]) -> int:
    """``changeling train voice join DATA DATA ... -o DATA``."""
    parser = Parser("changeling train voice join", "Make one data set of several.")
    parser.add_argument("data", nargs="+", metavar="DATA", help="folders made by collect")
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="dataset folder to make")
    options = parser.parse_args(list(argv))
    parts = [load_dataset(Path(path)) for path in options.data]
    out = Path(options.out)
    if out.exists() and any(out.iterdir()) and not (out / DATASET_FILE).is_file():
        raise InputError(f"{out} holds something else; choose an empty folder")
    joined = join(parts, out)
    print(f"{out}: {joined.minutes:.1f} minutes in {len(joined.clips)} clips of {len(joined.speakers)} speakers")
    return 0
