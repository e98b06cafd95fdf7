"""A systemd unit that runs a live conversion and is told, by `edge_runtime.live.notify`, that it is still alive."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

WATCHDOG_S = 10
_UNIT = """# Save as ~/.config/systemd/user/changeling.service, then:
#   systemctl --user daemon-reload && systemctl --user enable --now changeling
#   loginctl enable-linger    # run it without anybody logged in
[Unit]
Description=Changeling, live conversion
After=pipewire.service pulseaudio.service sound.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WorkingDirectory={folder}
ExecStart={command}
WatchdogSec={watchdog}
Restart=on-failure
RestartSec=2
Environment=PYTHONUNBUFFERED=1 OPENBLAS_NUM_THREADS=1
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def unit_text(arguments: Sequence[str], *, python: str | None = None) -> str:
    """The unit for ``python -m edge_runtime`` with ``arguments``; the interpreter that runs this by default."""
    command = [python or sys.executable, "-m", "edge_runtime", *arguments]
    return _UNIT.format(command=" ".join(map(_quoted, command)), watchdog=WATCHDOG_S, folder=os.getcwd())


def _quoted(argument: str) -> str:
    """As systemd.syntax(7) and systemd.service(5) read it back: no variable, specifier or escape is left active."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain = escaped == argument and argument and not set(argument) & set(" \t\n;'")
    return argument if plain else '"' + escaped.replace("\n", "\\n") + '"'
