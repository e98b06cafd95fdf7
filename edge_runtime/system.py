"""What the system tells of the machine: files of /proc and /sys, read so that their absence is an answer too.

``root`` is another place for the same tree; tests have one of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path("/")
_MAX_BYTES = 65_536
_FIRMWARE_S = 5.0
REALTIME_PRIORITY = 5
"""1 is the lowest, 99 the highest."""

UNDER_VOLTAGE, FREQUENCY_CAPPED, THROTTLED, SOFT_LIMIT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
"""Bits of `throttling` for now; the same shifted by `SINCE_BOOT` for any time since the board started."""
SINCE_BOOT = 16


def read_text(path: str, root: Path = ROOT) -> str:
    """What a file of the kernel says, without its ending; nothing where there is none."""
    try:
        with (root / path.lstrip("/")).open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace").strip("\0 \n")
    except OSError:
        return ""


def board_name(root: Path = ROOT) -> str:
    """Such as "Raspberry Pi 4 Model B Rev 1.4"; empty where nothing tells."""
    name = read_text("/proc/device-tree/model", root)
    return name or cpu_field("Model", root)


def cpu_field(name: str, root: Path = ROOT) -> str:
    """A field of /proc/cpuinfo, as the first line that has it says."""
    for line in read_text("/proc/cpuinfo", root).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def clock_governor(root: Path = ROOT) -> str:
    """Frequency governor of the first core, such as "ondemand"; empty where there is none."""
    return read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", root)


def temperature_c(root: Path = ROOT) -> float | None:
    """Of the processor."""
    text = read_text("/sys/class/thermal/thermal_zone0/temp", root)
    return int(text) / 1000.0 if text.lstrip("-").isdigit() else None


def throttling(root: Path = ROOT) -> int | None:
    """The Raspberry Pi firmware's word about power and heat (bits above); None on other machines."""
    text = read_text("/sys/devices/platform/soc/soc:firmware/get_throttled", root)
    if not text and root == ROOT and (program := shutil.which("vcgencmd")):
        try:
            done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=_FIRMWARE_S)
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = done.stdout.strip()
    found = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", text)
    return int(found.group(1), 16) if found else None


def resident_memory_mb(root: Path = ROOT) -> float | None:
    """Of this process, 10^6 bytes; None where it cannot be told."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", read_text("/proc/self/status", root), re.MULTILINE)
    return round(int(found.group(1)) * 1024 / 1e6, 1) if found else None


def available_memory_mb(root: Path = ROOT) -> float | None:
    """What programs may still take, 10^6 bytes; None where it cannot be told."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", read_text("/proc/meminfo", root), re.MULTILINE)
    return int(found.group(1)) * 1024 / 1e6 if found else None


def take_realtime_priority(priority: int = REALTIME_PRIORITY) -> bool:
    """Let this thread, and those it starts, run before all ordinary programs; gives whether the system allows it.

    Round robin and low among the real-time priorities: sound servers and drivers stay ahead. The kernel keeps a share
    of the time (5 % by default) from all such threads together, so that a machine can always be talked to.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
    except (AttributeError, OSError):  # another system, or a user without the right
        return False
    return True


def may_take_realtime_priority(priority: int = REALTIME_PRIORITY) -> bool | None:
    """Whether `take_realtime_priority` would succeed; None where there is no such thing."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    except (ImportError, AttributeError):
        return None
    return limit == resource.RLIM_INFINITY or limit >= priority or os.geteuid() == 0
