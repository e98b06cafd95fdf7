"""``changeling doctor``: what keeps this machine from converting, and how to mend it."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from edge_runtime.cli import arguments
from edge_runtime.doctor import board, conversion, devices
from edge_runtime.doctor.check import FAIL, OK, WARN, Check
from edge_runtime.system import ROOT

FAILED = 1


def run(argv: list[str]) -> int:
    """Print every check; 0 when none failed, 1 when one did."""
    parser = arguments.Parser("changeling doctor", "Find out what keeps this machine from converting.")
    arguments.add_model(parser)
    parser.add_argument("--json", action="store_true", help="all checks, for programs")
    options = parser.parse_args(argv)
    checks = examine_machine(ROOT) + _examine_models(options.model, options.backend)
    print(json.dumps([dataclasses.asdict(check) for check in checks], indent=2) if options.json else report(checks))
    return FAILED if any(check.verdict == FAIL for check in checks) else 0


def examine_machine(root: Path) -> list[Check]:
    """All checks that need no model; ``root`` is where /proc, /sys and /dev are looked for."""
    groups = board.my_groups()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        board.check_python(),
        board.check_board(root),
        board.check_cores(root),
        board.check_governor(root),
        board.check_temperature(root),
        board.check_power(root),
        board.check_memory(root),
        board.check_priority(),
        *devices.check_sound(root),
        devices.check_sound_libraries(),
        board.check_groups(root / "dev/snd", "audio", "sound permission", mine=groups, is_root=is_root, pattern="pcm*"),
        devices.check_cameras(root),
        board.check_groups(root / "dev", "video", "camera permission", mine=groups, is_root=is_root, pattern="video*"),
    ]


def _examine_models(model: str | None, backend: str | None) -> list[Check]:
    wishes = ["--backend", backend] if backend else []
    path = arguments.model_path(model)
    if path is not None:
        from edge_runtime.model_file import open_model

        kind = open_model(path).manifest.kind
        return conversion.check_model(kind, [*wishes, "--model", str(path)])
    return [check for kind in ("voice", "face") for check in conversion.check_model(kind, wishes)]


def report(checks: list[Check]) -> str:
    """For people: a line for each check, its remedy below, and the sum."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{check.verdict:<4}  {check.name:<{width}}  {check.text}")
        if check.fix:
            lines.append(f"{'':<4}  {'':<{width}}  -> {check.fix}")
    count = {verdict: sum(check.verdict == verdict for check in checks) for verdict in (OK, WARN, FAIL)}
    lines += ["", f"{count[OK]} ok, {count[WARN]} to look at, {count[FAIL]} failed"]
    return "\n".join(lines)
