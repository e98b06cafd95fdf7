"""What ``live voice`` and ``live face`` share on the command line, and how a live conversion is run from there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli import arguments
from edge_runtime.errors import ControlError
from edge_runtime.live.commands import BYPASS, Commands
from edge_runtime.live.console import STYLES, Console
from edge_runtime.live.notify import Notifier

if TYPE_CHECKING:
    from edge_runtime.live.supervisor import Link

PRINT_UNIT = "--print-unit"
PIPE = "-"


def add(parser: arguments.Parser) -> None:
    """Add the flags."""
    live = parser.add_argument_group("live")
    live.add_argument(
        "--smaller",
        action="append",
        default=[],
        metavar="FILE",
        help="a smaller model to change to when the board cannot keep up; may be given several times",
    )
    live.add_argument("--bypass", action="store_true", help="begin with the original (key b, or SIGUSR1, toggles)")
    live.add_argument("--stats", choices=STYLES, default="line", help="a line for people (default), JSON every second")
    live.add_argument("--record", type=Path, metavar="DIR", help="keep exactly what came in and what went out, in DIR")
    live.add_argument("--seconds", type=_seconds, metavar="S", help="end after so long")
    live.add_argument(PRINT_UNIT, action="store_true", help="print a systemd unit that runs this, and do nothing else")


def print_unit(kind: str, argv: Sequence[str]) -> int:
    """Print the unit for ``changeling live KIND`` with these arguments."""
    from edge_runtime.live.unit import unit_text

    print(unit_text(["live", kind, *(argument for argument in argv if argument != PRINT_UNIT)]), end="")
    return 0


def supervise(
    connect: Callable[[], Link], options: argparse.Namespace, *, stdin_is_source: bool, stdout_is_sink: bool
) -> int:
    """Run a live conversion until it ends or the user quits; gives the exit code."""
    from edge_runtime.live.supervisor import Supervisor

    console = Console(options.stats, sys.stderr if stdout_is_sink else sys.stdout, sys.stderr)
    notifier = Notifier()
    with Commands(keys=not stdin_is_source) as commands:
        if options.bypass:
            commands.tell(BYPASS)
        Supervisor(connect, console, commands, notifier, seconds=options.seconds).run()
    notifier.close()
    return 0


def refuse_mixed_rates(rates_hz: Sequence[int]) -> None:
    """Smaller models take over in the middle of a sound, at its rate. Raises `ControlError`."""
    if len(set(rates_hz)) > 1:
        raise ControlError(f"--smaller needs models of one sample rate, and these have {sorted(set(rates_hz))} Hz")


def _seconds(text: str) -> float:
    value = arguments.number(text)
    if value <= 0.0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value
