"""What a measurement was taken on: board, processor, system, versions, clock governor, temperature, load."""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_MAX_TEXT = 4096


@dataclass(frozen=True)
class Machine:
    """Empty text or None where the system does not tell."""

    board: str
    """Name of the board, such as "Raspberry Pi 4 Model B Rev 1.4"."""
    cpu: str
    architecture: str
    cores: int
    system: str
    python: str
    numpy: str
    governor: str
    """Frequency governor of the first core; anything but "performance" makes short measurements vary."""
    temperature_c: float | None
    load_average: float | None
    """Processes that wanted to run over the last minute, this one included."""


def this_machine() -> Machine:
    """Describe the machine this runs on."""
    import numpy as np

    temperature = _read(Path("/sys/class/thermal/thermal_zone0/temp"))
    return Machine(
        board=_read(Path("/proc/device-tree/model")),
        cpu=_cpu_name(),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        system=_system_name(),
        python=platform.python_version(),
        numpy=np.__version__,
        governor=_read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        temperature_c=int(temperature) / 1000.0 if temperature.lstrip("-").isdigit() else None,
        load_average=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def describe(machine: Machine) -> str:
    """The machine in one line."""
    fields = dataclasses.asdict(machine)
    parts = [fields["board"] or fields["cpu"] or "unknown processor", f"{machine.cores} cores", machine.architecture]
    parts += [machine.system, f"Python {machine.python}", f"numpy {machine.numpy}"]
    if machine.governor:
        parts.append(f"governor {machine.governor}")
    if machine.temperature_c is not None:
        parts.append(f"{machine.temperature_c:.0f} °C")
    if machine.load_average is not None:
        parts.append(f"load {machine.load_average:g}")
    return ", ".join(parts)


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process so far, in MB (10^6 bytes); None where it cannot be told."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 1e6


def _cpu_name() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor()


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return f"{platform.system()} {platform.release()}"


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_TEXT).decode("utf-8", "replace").strip("\0 \n")
    except OSError:
        return ""
