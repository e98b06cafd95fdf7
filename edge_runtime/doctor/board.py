"""The machine itself: Python, cores, clock, heat, power, memory, and who may use its devices. Reads files alone."""

from __future__ import annotations

import platform
import sys
from collections.abc import Collection
from pathlib import Path

from edge_runtime import system
from edge_runtime.doctor.check import FAIL, OK, WARN, Check

_OLDEST, _NEWEST = (3, 10), (3, 13)
_HOT_C, _THROTTLES_C = 75.0, 80.0
"""A Raspberry Pi slows down at 80 °C."""
_TIGHT_MB, _TOO_LITTLE_MB = 300.0, 120.0
"""A live voice takes 75 MB, faces twice that, and the system needs the rest."""
_CAUSES = (
    (system.UNDER_VOLTAGE, "too little voltage", "use the board's own power supply and a short cable"),
    (system.THROTTLED, "slowed down by heat or power", "cool the board, and use its own power supply"),
    (system.FREQUENCY_CAPPED, "its clock is capped", "cool the board, and use its own power supply"),
    (system.SOFT_LIMIT, "near its temperature limit", "cool the board"),
)


def check_python(version: tuple[int, int] = sys.version_info[:2], bits: str = platform.architecture()[0]) -> Check:
    """Whether there are wheels for this Python."""
    text = f"Python {version[0]}.{version[1]}, {bits}"
    if not _OLDEST <= version <= _NEWEST:
        return Check("python", FAIL, text, "use Python 3.10 to 3.13: python3.11 -m venv changeling")
    if bits != "64bit":
        return Check("python", WARN, text, "install a 64-bit system if you can: it is faster, and has LiteRT")
    return Check("python", OK, text)


def check_board(root: Path = system.ROOT) -> Check:
    """What it is."""
    name = system.board_name(root) or system.cpu_field("model name", root) or platform.machine()
    return Check("board", OK, f"{name}, {platform.machine()}")


def check_cores(root: Path = system.ROOT) -> Check:
    """One for the conversion, and at least one for devices and system."""
    text = system.read_text("/sys/devices/system/cpu/online", root)
    count = _cores(text)
    if count is None:
        return Check("cores", OK, "not told")
    if count < 2:
        return Check("cores", WARN, "1 core", "live conversion needs two; convert files here, or take a larger board")
    return Check("cores", OK, f"{count} cores")


def _cores(text: str) -> int | None:
    """``0-3,6`` are five."""
    total = 0
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            return None
        total += int(last if dash else first) - int(first) + 1
    return total


def check_governor(root: Path = system.ROOT) -> Check:
    """A clock that goes down between two blocks comes up late for the next."""
    governor = system.clock_governor(root)
    if not governor:
        return Check("clock governor", OK, "none: the clock is not changed by the system")
    if governor == "powersave":
        fix = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        return Check("clock governor", WARN, f"{governor}: the lowest clock", fix)
    return Check("clock governor", OK, governor)


def check_temperature(root: Path = system.ROOT) -> Check:
    """Heat slows a board down."""
    celsius = system.temperature_c(root)
    if celsius is None:
        return Check("temperature", OK, "not told")
    text = f"{celsius:.0f} °C"
    if celsius >= _THROTTLES_C:
        return Check("temperature", FAIL, f"{text}: too hot to run at full speed", "cool the board: a fan, or air")
    if celsius >= _HOT_C:
        return Check("temperature", WARN, f"{text}: nearly too hot", "cool the board: a fan, or air")
    return Check("temperature", OK, text)


def check_power(root: Path = system.ROOT) -> Check:
    """What the firmware of a Raspberry Pi says about voltage and heat."""
    bits = system.throttling(root)
    if bits is None:
        return Check("power", OK, "not told: not a Raspberry Pi")
    now = [(text, fix) for bit, text, fix in _CAUSES if bits & bit]
    before = [(text, fix) for bit, text, fix in _CAUSES if bits & bit << system.SINCE_BOOT]
    if now:
        return Check("power", FAIL, f"{', '.join(text for text, _ in now)} ({bits:#x})", now[0][1])
    if before:
        text = f"{', '.join(text for text, _ in before)} since it was started ({bits:#x})"
        return Check("power", WARN, text, before[0][1])
    return Check("power", OK, "never too little voltage, never slowed down")


def check_memory(root: Path = system.ROOT) -> Check:
    """What is left for a conversion."""
    available_mb = system.available_memory_mb(root)
    if available_mb is None:
        return Check("memory", OK, "not told")
    text = f"{available_mb:.0f} MB available"
    if available_mb < _TOO_LITTLE_MB:
        return Check("memory", FAIL, text, "end other programs: a live voice needs 75 MB, faces 130 MB")
    if available_mb < _TIGHT_MB:
        return Check("memory", WARN, text, "end other programs before you convert faces or long files")
    return Check("memory", OK, text)


def check_priority(allowed: bool | None = None) -> Check:
    """Whether a live voice may run before other programs."""
    allowed = system.may_take_realtime_priority() if allowed is None else allowed
    if allowed is None:
        return Check("priority", OK, "not told")
    if allowed:
        return Check("priority", OK, "a live voice runs before other programs")
    fix = "echo '@audio - rtprio 95' | sudo tee /etc/security/limits.d/audio.conf, join the group audio, log in again"
    return Check("priority", WARN, "a live voice runs beside other programs, and stutters when they are busy", fix)


def check_groups(devices: Path, group: str, name: str, *, mine: Collection[str], is_root: bool, pattern: str) -> Check:
    """Whether this user may open ``devices``/``pattern``; groups by name, as `my_groups` gives them."""
    there = any(devices.glob(pattern)) if devices.is_dir() else False
    if not there:
        return Check(name, OK, f"no device of the group {group} here")
    if is_root or group in mine:
        return Check(name, OK, f"this user may use devices of the group {group}")
    fix = f"sudo usermod -aG {group} $USER, and log in again"
    return Check(name, WARN, f"this user is not in the group {group}", fix)


def my_groups() -> set[str]:
    """Names of the groups of this process."""
    try:
        import grp
        import os
    except ImportError:  # Windows
        return set()
    names = set()
    for number in {*os.getgroups(), os.getegid()}:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:
            continue
    return names
