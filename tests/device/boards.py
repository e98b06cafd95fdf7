"""The boards that are emulated: what their processor tells of itself, their Debian, their Python, their packages.

Never QEMU's processor "max": its SME kernels gave int8 results that were off by 97 steps. The named cores have the
instructions of the real ones and no more, so an instruction that a board lacks ends a test with SIGILL.
"""

from __future__ import annotations

from dataclasses import dataclass

FEATURES_32 = "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32"
"""What every 64-bit core tells a 32-bit system."""


@dataclass(frozen=True)
class Cache:
    """One cache, as /sys/devices/system/cpu describes it."""

    level: int
    kind: str
    kilobytes: int
    sets: int
    ways: int
    shared: bool = False
    """By all cores."""


@dataclass(frozen=True)
class Hardware:
    """A board with four cores of one kind."""

    model: str
    qemu_cpu: str
    """Name for QEMU: decides which instructions there are, and what HWCAP says."""
    part: str
    """ARM's number of the core in /proc/cpuinfo: decides which kernels XNNPACK takes; must fit ``qemu_cpu``."""
    variant: str
    revision: str
    features: str
    maximum_khz: int
    minimum_khz: int
    caches: tuple[Cache, ...]


@dataclass(frozen=True)
class Userland:
    """A Debian, as Raspberry Pi OS is one."""

    suite: str
    python: str
    architecture: str
    """Debian's name: arm64 or armhf."""
    machine: str
    """Python's name: aarch64 or armv7l; and QEMU's, but for armv7l."""
    triplet: str
    packages: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.suite}-{self.architecture}"

    @property
    def qemu(self) -> str:
        """QEMU's program for it."""
        return "qemu-arm" if self.machine == "armv7l" else f"qemu-{self.machine}"


@dataclass(frozen=True)
class Board:
    """Hardware, its system, and what gets installed on it."""

    name: str
    hardware: Hardware
    userland: Userland
    lock: str
    """File of ``locks/`` with the packages beside the wheel."""
    only: tuple[str, ...] = ()
    """Names of that lock's packages to take, whatever their markers say; all whose markers fit when empty."""

    @property
    def is_64_bit(self) -> bool:
        """Whether there are ai-edge-litert and wheels for faces."""
        return self.userland.machine == "aarch64"


_PI4 = Hardware(
    model="Raspberry Pi 4 Model B Rev 1.4",
    qemu_cpu="cortex-a72",
    part="0xd08",
    variant="0x0",
    revision="3",
    features="fp asimd evtstrm crc32 cpuid",
    maximum_khz=1_800_000,
    minimum_khz=600_000,
    caches=(
        Cache(1, "Data", 32, 256, 2),
        Cache(1, "Instruction", 48, 256, 3),
        Cache(2, "Unified", 1024, 1024, 16, shared=True),
    ),
)
_PI5 = Hardware(
    model="Raspberry Pi 5 Model B Rev 1.0",
    qemu_cpu="cortex-a76",
    part="0xd0b",
    variant="0x4",
    revision="1",
    features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    maximum_khz=2_400_000,
    minimum_khz=1_500_000,
    caches=(
        Cache(1, "Data", 64, 256, 4),
        Cache(1, "Instruction", 64, 256, 4),
        Cache(2, "Unified", 512, 1024, 8),
        Cache(3, "Unified", 2048, 2048, 16, shared=True),
    ),
)
_COMMON = ("libstdc++6", "libgcc-s1", "libatomic1")


def _arm64(suite: str, python: str) -> Userland:
    packages = (f"python{python}-minimal", f"libpython{python}-stdlib", *_COMMON)
    return Userland(suite, python, "arm64", "aarch64", "aarch64-linux-gnu", packages)


BOOKWORM = _arm64("bookworm", "3.11")
TRIXIE = _arm64("trixie", "3.13")
BOOKWORM_32 = Userland(
    "bookworm",
    "3.11",
    "armhf",
    "armv7l",
    "arm-linux-gnueabihf",
    # NumPy has no 32-bit wheels: there it is Debian's, as the README says
    ("python3.11-minimal", "libpython3.11-stdlib", *_COMMON, "python3-numpy"),
)

BOARDS = (
    Board("pi4-bookworm", _PI4, BOOKWORM, "device-face.txt"),
    Board("pi5-bookworm", _PI5, BOOKWORM, "device-face.txt"),
    Board("pi4-trixie", _PI4, TRIXIE, "device-face.txt"),
    Board("pi5-trixie", _PI5, TRIXIE, "device-face.txt"),
    Board("pi4-bookworm-32", _PI4, BOOKWORM_32, "device-tflite.txt", only=("tflite-runtime",)),
)
