"""Whole folders through a conversion: what is taken, where it goes, what failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from edge_runtime.errors import ChangelingError, InputError, OutputError
from edge_runtime.files import make_folder


def pending(pairs: list[tuple[Path, Path]], *, overwrite: bool) -> list[tuple[Path, Path]]:
    """Those whose result is not there yet; all with ``overwrite``."""
    return [(path, target) for path, target in pairs if overwrite or not target.exists()]


def convert_each(todo: list[tuple[Path, Path]], convert: Callable[[Path, Path], None], *, there: int) -> int:
    """Convert every source to its target, going on after a bad one; gives the first failure's code, 0 without any.

    A line on stderr tells of each file and of the end; ``there`` results were there already.
    """
    failures: list[tuple[Path, ChangelingError]] = []
    for count, (path, target) in enumerate(todo, start=1):
        print(f"[{count}/{len(todo)}] {path} -> {target}", file=sys.stderr)
        try:
            make_folder(target.parent)
            convert(path, target)
        except (InputError, OutputError) as error:
            failures.append((path, error))
    for path, failure in failures:
        print(f"changeling: {path}: {' '.join(str(failure).split())}", file=sys.stderr)
    done = len(todo) - len(failures)
    print(f"{done} converted, {there} already there, {len(failures)} failed", file=sys.stderr)
    return failures[0][1].exit_code if failures else 0


def plan(
    source: Path, folder: Path, suffixes: Collection[str], suffix_of: Callable[[Path], str]
) -> list[tuple[Path, Path]]:
    """Every file below ``source`` with one of ``suffixes``, and where its result goes.

    ``folder`` may lie inside ``source``. ``suffix_of`` gives a result's suffix.
    """
    pairs: list[tuple[Path, Path]] = []
    taken: set[Path] = set()
    inside = folder.resolve()
    for root, directories, names in os.walk(source):
        directories[:] = sorted(name for name in directories if (Path(root) / name).resolve() != inside)
        for name in sorted(names):
            path = Path(root) / name
            if path.suffix.lower() not in suffixes:
                continue
            target = folder / path.relative_to(source).with_suffix(suffix_of(path))
            if target in taken:  # take.flac beside take.wav
                target = target.with_name(f"{name}{suffix_of(path)}")
            taken.add(target)
            pairs.append((path, target))
    return pairs


def prepare(source: Path, folder: Path, pairs: list[tuple[Path, Path]], what: str) -> None:
    """Make ``folder`` ready for the results. Raises `InputError` without any source, `OutputError`."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{source} is a folder, so {folder} must be one too, or not exist yet")
    refuse_same(source, folder)
    if not pairs:
        raise InputError(f"{source} holds no {what}")
    make_folder(folder)
    check_writable(folder)


def refuse_same(source: Path, target: Path) -> None:
    """Raises `OutputError` when both are the same file or folder."""
    if target.resolve() == source.resolve() or (target.exists() and target.samefile(source)):
        raise OutputError(f"{target} is the input itself; give another OUT")


def check_writable(folder: Path) -> None:
    """Told now and not after minutes of conversion. Raises `OutputError`."""
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} is not writable")
