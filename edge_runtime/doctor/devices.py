"""Microphones, speakers and cameras that the kernel shows, and the libraries to use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edge_runtime.devices.shared_library import load_library
from edge_runtime.doctor.check import OK, WARN, Check
from edge_runtime.errors import MissingDependencyError
from edge_runtime.system import ROOT, read_text

_LIBRARIES = (("asound", "libasound.so.2", "libasound2"), ("pulse-simple", "libpulse-simple.so.0", "libpulse0"))
_SERVERS = "or name one of a sound server: pulse:NAME"


def check_sound(root: Path = ROOT) -> list[Check]:
    """Capture and playback devices of ALSA, by the kernel's list."""
    captures, playbacks = [], []
    for line in read_text("/proc/asound/pcm", root).splitlines():
        found = re.match(r"(\d+)-(\d+): ([^:]*)", line)
        if found is None:
            continue
        name = f"alsa:plughw:{int(found.group(1))},{int(found.group(2))} ({found.group(3).strip()})"
        if "capture" in line:
            captures.append(name)
        if "playback" in line:
            playbacks.append(name)
    return [
        _listed("microphones", captures, f"plug in a USB microphone, {_SERVERS}"),
        _listed("speakers", playbacks, f"plug in a USB sound card or use HDMI, {_SERVERS}"),
    ]


def check_cameras(root: Path = ROOT) -> Check:
    """Video devices that are no codecs of the board itself."""
    names = []
    for folder in sorted((root / "sys/class/video4linux").glob("video*")):
        title = read_text(f"/sys/class/video4linux/{folder.name}/name", root)
        inside = re.match(r"(bcm2835|rpi|rpivid|pispbe|rp1-cfe)", title) is not None
        if read_text(f"/sys/class/video4linux/{folder.name}/index", root) in ("", "0") and not inside:
            names.append(f"/dev/{folder.name} ({title})" if title else f"/dev/{folder.name}")
    fix = "plug in a USB camera; frames of a camera on the ribbon cable go through a pipe (--input -, see the README)"
    return _listed("cameras", names, fix)


def check_sound_libraries(load: Callable[[str, str, str], object] = load_library) -> Check:
    """At least one way to a sound device."""
    ways = []
    for name, soname, package in _LIBRARIES:
        try:
            load(name, soname, package)
        except MissingDependencyError:
            continue
        ways.append(package)
    try:
        from edge_runtime.devices.portaudio import list_devices

        names = [f"{number} {name}" for number, (name, _, _) in enumerate(list_devices())]
        ways.append(f"PortAudio ({', '.join(names) or 'no devices'})")
    except MissingDependencyError:
        pass
    if not ways:
        return Check("sound libraries", WARN, "none", "sudo apt install libasound2")
    return Check("sound libraries", OK, ", ".join(ways))


def _listed(name: str, found: list[str], fix: str) -> Check:
    return Check(name, OK, ", ".join(found)) if found else Check(name, WARN, "none", fix)
