"""What a board tells of its processor: files below a root that QEMU shows in place of this machine's own.

Without them LiteRT dies in its first lines: QEMU 7.2 shows an ARM program the x86 machine's /proc/cpuinfo, in which the
library that looks for ARM cores finds none. With none at all it runs, but without XNNPACK.
"""

from __future__ import annotations

from pathlib import Path

from tests.device.boards import FEATURES_32, Cache, Hardware

CORES = 4
_LINE_BYTES = 64
_CACHE_FIELDS = (
    "level",
    "type",
    "size",
    "coherency_line_size",
    "number_of_sets",
    "ways_of_associativity",
    "shared_cpu_list",
    "shared_cpu_map",
)
_MOST_CACHES = 5
"""Empty files hide those of this machine that a board has not."""


def write_pretence(root: Path, hardware: Hardware, *, is_64_bit: bool) -> None:
    """Write /proc/cpuinfo and /sys/devices/system/cpu of ``hardware`` below ``root``."""
    _write(root / "proc" / "cpuinfo", _cpuinfo(hardware, is_64_bit))
    cpus = root / "sys" / "devices" / "system" / "cpu"
    everyone = f"0-{CORES - 1}"
    for name in ("possible", "present", "online"):
        _write(cpus / name, everyone)
    _write(cpus / "kernel_max", str(CORES - 1))
    for number in range(CORES):
        core = cpus / f"cpu{number}"
        _write(core / "cpufreq" / "cpuinfo_max_freq", str(hardware.maximum_khz))
        _write(core / "cpufreq" / "cpuinfo_min_freq", str(hardware.minimum_khz))
        _write_topology(core / "topology", number, everyone)
        for index in range(_MOST_CACHES):
            values = _cache(hardware.caches[index], number) if index < len(hardware.caches) else {}
            for name in _CACHE_FIELDS:
                _write(core / "cache" / f"index{index}" / name, values.get(name, ""))


def _cpuinfo(hardware: Hardware, is_64_bit: bool) -> str:
    lines = []
    for number in range(CORES):
        lines += [
            f"processor\t: {number}",
            *([] if is_64_bit else [f"model name\t: ARMv7 Processor rev {hardware.revision} (v7l)"]),
            "BogoMIPS\t: 108.00",
            f"Features\t: {hardware.features if is_64_bit else FEATURES_32}",
            "CPU implementer\t: 0x41",
            f"CPU architecture: {8 if is_64_bit else 7}",
            f"CPU variant\t: {hardware.variant}",
            f"CPU part\t: {hardware.part}",
            f"CPU revision\t: {hardware.revision}",
            "",
        ]
    return "\n".join([*lines, "Serial\t\t: 0000000000000000", f"Model\t\t: {hardware.model}"])


def _write_topology(folder: Path, number: int, everyone: str) -> None:
    values = {"physical_package_id": "0", "core_id": str(number), "cluster_id": "0"}
    values |= dict.fromkeys(("core_siblings_list", "package_cpus_list", "cluster_cpus_list"), everyone)
    values |= dict.fromkeys(("thread_siblings_list", "core_cpus_list"), str(number))
    values |= dict.fromkeys(("core_siblings", "package_cpus", "cluster_cpus"), f"{(1 << CORES) - 1:x}")
    values |= dict.fromkeys(("thread_siblings", "core_cpus"), f"{1 << number:x}")
    for name, value in values.items():
        _write(folder / name, value)


def _cache(cache: Cache, number: int) -> dict[str, str]:
    sharing = (f"0-{CORES - 1}", f"{(1 << CORES) - 1:x}") if cache.shared else (str(number), f"{1 << number:x}")
    sizes = (cache.level, cache.kind, f"{cache.kilobytes}K", _LINE_BYTES, cache.sets, cache.ways)
    return dict(zip(_CACHE_FIELDS, (str(value) for value in (*sizes, *sharing)), strict=True))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n" if text else "", encoding="ascii")
