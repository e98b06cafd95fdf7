"""What watches over a live conversion: ends, failures, devices that went away and came back; in a clock of the test."""

from __future__ import annotations

import dataclasses
import gc
import io
import json
import os
import signal
import socket
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.errors import DeviceError, InputError
from edge_runtime.live.commands import BYPASS, QUIT, Commands
from edge_runtime.live.console import Console
from edge_runtime.live.crew import Crew
from edge_runtime.live.notify import Notifier
from edge_runtime.live.supervisor import STUCK_S, Supervisor
from edge_runtime.live.unit import unit_text


@dataclasses.dataclass(frozen=True)
class _Stats:
    time_s: float

    def line(self) -> str:
        return f"at {self.time_s:.1f} s"


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class _Link:
    """Does ``each_tick`` in the main thread; makes progress unless it is told not to."""

    def __init__(self, clock: _Clock, each_tick: Callable[[_Link], None]) -> None:
        self.crew = Crew()
        self.crew.start("waiter", lambda: not self.crew.stopping.wait(0.001))
        self.progress = 0
        self.moves = True
        self.may_pause = False
        self.told: list[str] = []
        self.closed = False
        self._clock, self._each_tick = clock, each_tick

    def command(self, name: str) -> None:
        self.told.append(name)

    def idle(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        self.progress += self.moves
        self._each_tick(self)

    def stats(self) -> _Stats:
        return _Stats(self._clock.now_s - 100.0)

    def close(self) -> None:
        self.closed = True

    def fail(self, error: Exception) -> None:
        self.crew.failure = error
        self.crew.stopping.set()


class _Stage:
    """A supervisor with everything around it."""

    def __init__(self, *ticks: Callable[[_Link], None] | DeviceError, seconds: float | None = 30.0) -> None:
        self.clock, self.figures, self.people = _Clock(), io.StringIO(), io.StringIO()
        self.links: list[_Link] = []
        self.commands = Commands(keys=False)
        self._ticks = list(ticks)
        self.supervisor = Supervisor(
            self._connect,
            Console("json", self.figures, self.people, clock=self.clock),
            self.commands,
            Notifier({}),
            clock=self.clock,
            sleep=self.clock.sleep,
            seconds=seconds,
        )

    def _connect(self) -> _Link:
        tick = self._ticks.pop(0)
        if isinstance(tick, DeviceError):
            raise tick
        self.links.append(_Link(self.clock, tick))
        return self.links[-1]


def _nothing(link: _Link) -> None:
    return


def _lose(link: _Link) -> None:
    if link.progress == 5:
        link.fail(DeviceError("the microphone went away (unplugged); plug it in"))


def test_runs_for_its_time_and_tells_every_second() -> None:
    """One line of JSON a second, no more and no fewer."""
    stage = _Stage(_nothing, seconds=10.05)
    stage.supervisor.run()
    times = [json.loads(line)["time_s"] for line in stage.figures.getvalue().splitlines()]
    assert times == pytest.approx(list(range(1, 11)), abs=0.11)
    assert stage.links[0].closed


def test_a_lost_device_is_told_once_and_waited_for() -> None:
    """One message when it goes, one when it is back, and the conversion goes on by itself."""
    gone = DeviceError("still gone")
    stage = _Stage(_lose, gone, gone, gone, _nothing)
    stage.supervisor.run()
    assert stage.people.getvalue().splitlines() == [
        "changeling: the microphone went away (unplugged); waiting for it to come back",
        "changeling: the device is back",
    ]
    assert [link.closed for link in stage.links] == [True, True]
    assert stage.supervisor.reconnects == 1


def test_a_device_that_hangs_is_taken_as_lost() -> None:
    """Some drivers never return when the plug is pulled."""

    def hang(link: _Link) -> None:
        link.moves = link.progress < 5

    stage = _Stage(hang, _nothing)
    stage.supervisor.run()
    assert f"nothing for {STUCK_S:g} s" in stage.people.getvalue()
    assert len(stage.links) == 2


def test_a_pipe_may_pause() -> None:
    """Whoever fills it decides when to speak; to open it a second time would lose what is in it."""

    def pause(link: _Link) -> None:
        link.may_pause, link.moves = True, False

    stage = _Stage(pause)
    stage.supervisor.run()
    assert len(stage.links) == 1
    assert stage.people.getvalue() == ""


def test_a_device_that_is_missing_from_the_start_is_an_error() -> None:
    """A wrong name would otherwise be waited for for ever."""
    with pytest.raises(DeviceError, match="no such"):
        _Stage(DeviceError("no such device")).supervisor.run()


def test_a_link_that_is_lost_leaves_no_memory_behind() -> None:
    """Its buffers must go when it goes, and not when the garbage collector happens to look for cycles."""
    clock, console = _Clock(), Console("none", io.StringIO(), io.StringIO())
    links: list[weakref.ref[_Link]] = []
    alive: list[int] = []

    class PulledLink(_Link):
        def pull(self) -> bool:
            raise DeviceError("the microphone went away")

    def connect() -> _Link:
        alive.append(sum(link() is not None for link in links))
        link = PulledLink(clock, _nothing)
        links.append(weakref.ref(link))
        link.crew.start("pulled", link.pull)
        return link

    gc.collect()
    gc.disable()
    try:
        Supervisor(
            connect, console, Commands(keys=False), Notifier({}), clock=clock, sleep=clock.sleep, seconds=10.0
        ).run()
    finally:
        gc.enable()
    assert len(links) > 5
    assert max(alive) <= 1


def test_any_other_failure_ends_it() -> None:
    """Waiting would not mend it."""
    stage = _Stage(lambda link: link.fail(InputError("the sound is broken")))
    with pytest.raises(InputError, match="broken"):
        stage.supervisor.run()
    assert stage.links[0].closed


def test_commands_reach_the_link_and_quit_ends_it() -> None:
    """Also while a device is waited for."""
    stage = _Stage(lambda link: stage.commands.tell(QUIT) if link.progress == 3 else None)
    stage.commands.tell(BYPASS)
    stage.supervisor.run()
    assert stage.links[0].told == [BYPASS]
    assert stage.clock.now_s < 101.0

    waiting = _Stage(_lose, *[DeviceError("still gone")] * 100)
    waiting.clock.sleep = lambda seconds: _pass(waiting, seconds)  # type: ignore[method-assign]
    waiting.supervisor = Supervisor(
        waiting._connect,
        Console("none", io.StringIO(), io.StringIO(), clock=waiting.clock),
        waiting.commands,
        Notifier({}),
        clock=waiting.clock,
        sleep=waiting.clock.sleep,
    )
    waiting.supervisor.run()
    assert waiting.clock.now_s < 110.0


def _pass(stage: _Stage, seconds: float) -> None:
    stage.clock.now_s += seconds
    if stage.clock.now_s > 105.0:
        stage.commands.tell(QUIT)


def test_a_crew_stops_together_and_keeps_the_first_failure() -> None:
    """One thread's end must not leave the others talking to nobody."""
    crew = Crew()
    crew.start("works", lambda: not crew.stopping.wait(0.001))
    crew.start("fails", lambda: 1 / 0 > 0)
    assert crew.stop(5.0)
    assert isinstance(crew.failure, ZeroDivisionError)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_console_redraws_a_terminal_and_logs_elsewhere() -> None:
    """A terminal five times a second in one line; a log every ten seconds in lines of its own."""
    clock, terminal, log = _Clock(), _Terminal(), io.StringIO()
    consoles = [Console("line", io.StringIO(), people, clock=clock) for people in (terminal, log)]
    for _ in range(210):
        clock.now_s += 0.1
        for console in consoles:
            if console.due():
                console.show(_Stats(clock.now_s - 100.0))
    assert terminal.getvalue().count("\r") == pytest.approx(105, abs=2)
    assert "\n" not in terminal.getvalue()
    assert log.getvalue().count("\n") == 2
    consoles[0].say("the device\nis gone")
    assert terminal.getvalue().endswith("\r\x1b[Kchangeling: the device is gone\n")


def test_signals_are_commands_only_inside_the_block() -> None:
    """SIGUSR1 toggles, SIGTERM ends in order; afterwards both are as they were."""
    before = signal.getsignal(signal.SIGTERM)
    with Commands(keys=False) as commands:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert commands.poll() == [BYPASS, QUIT]
        assert commands.poll() == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_systemd_is_told_what_it_asks_for(tmp_path: Path) -> None:
    """Over a real datagram socket: ready once, alive twice in every interval and only when called, stopping."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.setblocking(False)
        clock = _Clock()
        notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10000000"}, clock=clock)
        notifier.ready()
        for _ in range(200):
            clock.now_s += 0.1
            notifier.alive()
        notifier.status("the microphone\nwent away")
        notifier.stopping()
        notifier.close()
        told = []
        while True:
            try:
                told.append(manager.recv(4096).decode())
            except BlockingIOError:
                break
    assert told[0] == "READY=1"
    assert told[-2:] == ["STATUS=the microphone went away", "STOPPING=1"]
    assert told.count("WATCHDOG=1") == pytest.approx(20.0 / 5.0, abs=1)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_a_manager_that_does_not_read_holds_nothing_up(tmp_path: Path) -> None:
    """Its socket takes some messages and then blocks whoever sends more, for ever."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        notifier = Notifier({"NOTIFY_SOCKET": address})
        for _ in range(1_000):
            notifier.status("running")
        notifier.close()


def test_watchdog_of_another_process_and_no_systemd_are_silence() -> None:
    """A child inherits the environment and must not answer for its parent."""
    Notifier({}).ready()
    other = Notifier({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
    other.alive()
    gone = Notifier({"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "1000"})
    gone.alive()
    gone.close()


def test_unit_runs_the_same_command_and_survives_odd_names() -> None:
    """systemd would expand ``%`` and ``$`` and split at spaces."""
    text = unit_text(["live", "voice", "--input", "USB Audio: 50% $5", "--pitch", "-2"], python="/usr/bin/python3")
    assert 'ExecStart=/usr/bin/python3 -m edge_runtime live voice --input "USB Audio: 50%% $$5" --pitch -2\n' in text
    assert "Type=notify\n" in text
    assert "WatchdogSec=10\n" in text
    assert "Restart=on-failure\n" in text
