"""Every check against a machine made of files: a Raspberry Pi that is well, and one for each fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_runtime.cli import doctor as command
from edge_runtime.cli.main import main
from edge_runtime.doctor import board, conversion, devices
from edge_runtime.doctor.check import FAIL, OK, WARN, Check
from edge_runtime.doctor.conversion import Outcome
from edge_runtime.errors import MissingDependencyError

_WELL = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/meminfo": "MemTotal: 3884340 kB\nMemAvailable: 3000000 kB\n",
    "proc/asound/pcm": "00-00: bcm2835 Headphones : bcm2835 Headphones : playback 8\n"
    "01-00: USB Audio : USB Audio : playback 1 : capture 1\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/class/thermal/thermal_zone0/temp": "48200\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
    "sys/class/video4linux/video0/name": "USB Camera: USB Camera\n",
    "sys/class/video4linux/video0/index": "0\n",
    "sys/class/video4linux/video1/name": "USB Camera: USB Camera\n",
    "sys/class/video4linux/video1/index": "1\n",
    "sys/class/video4linux/video10/name": "bcm2835-codec-decode\n",
    "sys/class/video4linux/video10/index": "0\n",
    "dev/snd/pcmC1D0c": "",
    "dev/video0": "",
}


def _machine(folder: Path, **changes: str | None) -> Path:
    """A tree of files; ``changes`` by the end of a name, None takes it away."""
    files = dict(_WELL)
    for end, text in changes.items():
        (name,) = [name for name in files if name.endswith(end)]
        files.pop(name)
        if text is not None:
            files[name] = text
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_board_that_is_well_passes_every_check(tmp_path: Path) -> None:
    """And says what it is; a codec of the board is no camera, nor is a camera's second node."""
    root = _machine(tmp_path)
    assert board.check_board(root).text.startswith("Raspberry Pi 4 Model B Rev 1.4, ")
    microphones, speakers = devices.check_sound(root)
    assert microphones.text == "alsa:plughw:1,0 (USB Audio)"
    assert speakers.text == "alsa:plughw:0,0 (bcm2835 Headphones), alsa:plughw:1,0 (USB Audio)"
    assert devices.check_cameras(root).text == "/dev/video0 (USB Camera: USB Camera)"
    checks = [
        board.check_cores(root),
        board.check_governor(root),
        board.check_temperature(root),
        board.check_power(root),
        board.check_memory(root),
        microphones,
        speakers,
    ]
    assert {check.verdict for check in checks} == {OK}
    assert not any(check.fix for check in checks)


@pytest.mark.parametrize(
    ("check", "changes", "verdict", "text"),
    [
        (board.check_cores, {"online": "0"}, WARN, "1 core"),
        (board.check_governor, {"scaling_governor": "powersave"}, WARN, "lowest clock"),
        (board.check_temperature, {"temp": "77000"}, WARN, "77 °C"),
        (board.check_temperature, {"temp": "84000"}, FAIL, "too hot"),
        (board.check_power, {"get_throttled": "50005"}, FAIL, "too little voltage, slowed down by heat or power"),
        (board.check_power, {"get_throttled": "10000"}, WARN, "too little voltage since it was started (0x10000)"),
        (board.check_memory, {"meminfo": "MemAvailable: 200000 kB"}, WARN, "205 MB"),
        (board.check_memory, {"meminfo": "MemAvailable: 50000 kB"}, FAIL, "51 MB"),
    ],
)
def test_each_fault_is_found_and_has_a_remedy(
    check: object, changes: dict[str, str], verdict: str, text: str, tmp_path: Path
) -> None:
    """One line each, that says what to do."""
    found: Check = check(_machine(tmp_path, **changes))  # type: ignore[operator]
    assert found.verdict == verdict
    assert text in found.text
    assert found.fix
    assert "\n" not in found.fix


def test_a_machine_that_tells_nothing_fails_nothing(tmp_path: Path) -> None:
    """A container, or another system: devices are missing, and the rest is not known."""
    checks = command.examine_machine(tmp_path)
    assert {check.name for check in checks if check.verdict != OK} <= {
        "microphones",
        "speakers",
        "cameras",
        "sound libraries",
        "priority",
        "python",
    }
    assert all(check.fix for check in checks if check.verdict != OK)


@pytest.mark.parametrize(
    ("version", "bits", "verdict"),
    [
        ((3, 9), "64bit", FAIL),
        ((3, 10), "64bit", OK),
        ((3, 13), "64bit", OK),
        ((3, 14), "64bit", FAIL),
        ((3, 11), "32bit", WARN),
    ],
)
def test_python_must_have_wheels(version: tuple[int, int], bits: str, verdict: str) -> None:
    """Those that the README names."""
    assert board.check_python(version, bits).verdict == verdict


def test_permission_is_asked_of_those_who_need_it(tmp_path: Path) -> None:
    """Not of root, and not where there is no device."""
    root = _machine(tmp_path)

    def verdict(folder: Path, mine: set[str], is_root: bool = False) -> Check:
        return board.check_groups(folder, "audio", "sound permission", mine=mine, is_root=is_root, pattern="pcm*")

    assert verdict(root / "dev/snd", {"audio"}).verdict == OK
    assert verdict(root / "dev/snd", set(), is_root=True).verdict == OK
    assert verdict(root / "nowhere", set()).verdict == OK
    refused = verdict(root / "dev/snd", {"users"})
    assert (refused.verdict, refused.fix) == (WARN, "sudo usermod -aG audio $USER, and log in again")


@pytest.mark.parametrize(("allowed", "verdict"), [(True, OK), (False, WARN)])
def test_the_right_to_run_first_is_told(allowed: bool, verdict: str) -> None:
    """On Raspberry Pi OS the group audio has it."""
    assert board.check_priority(allowed).verdict == verdict
    assert bool(board.check_priority(allowed).fix) != allowed


def test_sound_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """At least one way is enough; none has a remedy."""

    def only_alsa(name: str, soname: str, package: str) -> object:
        if name != "asound":
            raise MissingDependencyError("no")
        return object()

    def none(name: str, soname: str, package: str) -> object:
        raise MissingDependencyError("no")

    def no_portaudio() -> list[tuple[str, int, int]]:
        raise MissingDependencyError("no")

    monkeypatch.setattr("edge_runtime.devices.portaudio.list_devices", no_portaudio)
    assert devices.check_sound_libraries(only_alsa) == Check("sound libraries", OK, "libasound2")
    assert devices.check_sound_libraries(none).verdict == WARN
    listed = [("bcm2835 Headphones", 0, 8), ("USB Audio", 1, 2)]
    monkeypatch.setattr("edge_runtime.devices.portaudio.list_devices", lambda: listed)
    assert devices.check_sound_libraries(none).text == "PortAudio (0 bcm2835 Headphones, 1 USB Audio)"


_DELEGATE = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


@pytest.mark.parametrize(
    ("outcome", "verdicts", "text", "fix"),
    [
        (Outcome(0, "m on ai-edge-litert 2.3.0 agrees with its golden vectors\n", _DELEGATE), [OK, OK], "agrees", ""),
        (Outcome(0, "m on tflite-runtime 2.14.0 agrees with its golden vectors\n", ""), [OK, WARN], "agrees", ""),
        (Outcome(0, "m on onnxruntime 1.31 agrees with its golden vectors\n", ""), [OK, OK], "agrees", ""),
        (Outcome(1, "m on x does NOT agree with its golden vectors\n", ""), [FAIL], "NOT agree", "another interpreter"),
        (Outcome(-4, "", ""), [FAIL], "died of SIGILL", "not for this processor"),
        (
            Outcome(5, "", "changeling: no interpreter for .tflite files is installed; run: pip install x\n"),
            [FAIL],
            "no interpreter",
            "run: pip install x",
        ),
        (Outcome(70, "", "Traceback\n"), [FAIL], "unknown reason", "pip install"),
    ],
)
def test_the_model_check_tells_every_way_it_can_end(outcome: Outcome, verdicts: list[str], text: str, fix: str) -> None:
    """Right, right but slow, wrong, dead, refused."""
    asked: list[Sequence[str]] = []

    def run(arguments: Sequence[str]) -> Outcome:
        asked.append(arguments)
        return outcome

    checks = conversion.check_model("voice", ["--backend", "litert"], run)
    assert asked == [["--kind", "voice", "--backend", "litert"]]
    assert [check.verdict for check in checks] == verdicts
    assert text in checks[0].text
    assert fix in checks[0].fix
    assert all(check.fix for check in checks if check.verdict != OK)


def test_the_command_prints_json_and_fails_when_a_check_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script can rely on both."""
    monkeypatch.delenv("CHANGELING_MODEL", raising=False)
    outcome = Outcome(0, "m on ai-edge-litert 2.3.0 agrees with its golden vectors\n", _DELEGATE)
    monkeypatch.setattr(
        "edge_runtime.doctor.conversion.check_model",
        lambda kind, arguments: [Check(f"{kind} model", OK if outcome.code == 0 else FAIL, "x")],
    )
    monkeypatch.setattr(command, "examine_machine", lambda root: [Check("cores", WARN, "1 core", "two are better")])
    assert main(["doctor", "--json"]) == 0
    assert [check["name"] for check in json.loads(capsys.readouterr().out)] == ["cores", "voice model", "face model"]
    assert main(["doctor"]) == 0
    assert "-> two are better" in capsys.readouterr().out
    outcome = Outcome(1, "", "")
    assert main(["doctor"]) == 1
    assert "2 failed" in capsys.readouterr().out


def test_the_command_examines_this_very_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped voices, through a process of their own."""
    checks = conversion.check_model("voice", [])
    assert checks[0].verdict == OK, checks[0]
    assert "agrees with its golden vectors" in checks[0].text
