"""What a measurement was taken on: board, processor, system, versions, clock governor, temperature, load."""

from __future__ import annotations

import dataclasses
import os
import platform
import sys
from dataclasses import dataclass

from edge_runtime.system import board_name, clock_governor, cpu_field, temperature_c, throttling


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
    throttled: int | None = None
    """The Raspberry Pi firmware's bits for power and heat, see `edge_runtime.system`; 0 is well, None not a Pi."""


def this_machine() -> Machine:
    """Describe the machine this runs on."""
    import numpy as np

    return Machine(
        board=board_name(),
        cpu=cpu_field("model name") or platform.processor(),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        system=_system_name(),
        python=platform.python_version(),
        numpy=np.__version__,
        governor=clock_governor(),
        temperature_c=temperature_c(),
        load_average=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        throttled=throttling(),
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
    if machine.throttled:
        parts.append(f"throttled {machine.throttled:#x}")
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


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return f"{platform.system()} {platform.release()}"
