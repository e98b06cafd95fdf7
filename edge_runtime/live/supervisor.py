"""Watches over one live conversion: opens the devices, tells how it goes, and waits when one of them went away.

It runs in the main thread, ten times a second. The conversion itself is a `Link`, one for as long as the devices stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from edge_runtime.errors import DeviceError
from edge_runtime.live.commands import QUIT, Commands
from edge_runtime.live.console import Console, Stats
from edge_runtime.live.crew import Crew
from edge_runtime.live.notify import Notifier

TICK_S = 0.1
RETRY_S = 1.0
STUCK_S = 3.0
"""A device that gives or takes nothing for so long is taken as lost: some drivers hang where others fail."""
_STOP_S = 2.0


class Link(Protocol):
    """Open devices and the threads between them."""

    @property
    def crew(self) -> Crew:
        """Its threads, running."""

    @property
    def progress(self) -> int:
        """A number that grows whenever something was converted and played."""

    @property
    def may_pause(self) -> bool:
        """Whether its source may give nothing for as long as it likes, as a pipe may."""

    def command(self, name: str) -> None:
        """Do what the user told."""

    def idle(self, seconds: float) -> None:
        """What the main thread does meanwhile: sleep, or draw a window. Raises `DeviceError`."""

    def stats(self) -> Stats:
        """How it goes."""

    def close(self) -> None:
        """Give the devices back; no thread of the crew works any more."""


class Supervisor:
    """`run` returns when the source ended or the user quits, and raises what cannot be mended by waiting."""

    def __init__(
        self,
        connect: Callable[[], Link],
        console: Console,
        commands: Commands,
        notifier: Notifier,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        seconds: float | None = None,
    ) -> None:
        """``connect`` opens the devices and starts the threads; ``seconds`` end it by themselves."""
        self._connect = connect
        self._console, self._commands, self._notifier = console, commands, notifier
        self._clock, self._sleep = clock, sleep
        self._until_s = float("inf") if seconds is None else clock() + seconds
        self.reconnects = 0

    def run(self) -> None:
        """Convert. A device that is not there at the beginning is an error; one that goes away later is waited for."""
        link: Link | None = self._connect()
        self._notifier.ready()
        try:
            while link is not None:
                lost = self._watch(link)
                if lost is None:
                    return
                link = self._wait_for(lost)
        finally:
            self._console.clear()
            self._notifier.stopping()

    def _watch(self, link: Link) -> DeviceError | None:
        """Until it ends (None) or a device goes away. Closes the link whatever happens."""
        try:
            return self._run_to_end(link)
        finally:
            if link.crew.stop(_STOP_S):
                link.close()
            # else a driver holds a thread, and closing under it would crash: its memory is the smaller loss

    def _run_to_end(self, link: Link) -> DeviceError | None:
        progress, moved_s = link.progress, self._clock()
        while not link.crew.ended:
            if self._told_to_quit(link):
                return None
            try:
                link.idle(TICK_S)
            except DeviceError as error:
                return _bare(error)
            now_s = self._clock()
            if link.progress != progress or link.may_pause:
                progress, moved_s = link.progress, now_s
                self._notifier.alive()
            if now_s - moved_s > STUCK_S:
                return DeviceError(f"a device gave or took nothing for {STUCK_S:g} s")
            if self._console.due():
                self._console.show(link.stats())
            if link.crew.stopping.is_set():
                break
        link.crew.stop(_STOP_S)
        failure, link.crew.failure = link.crew.failure, None
        if failure is not None and not isinstance(failure, DeviceError):
            raise failure
        return None if failure is None else _bare(failure)

    def _told_to_quit(self, link: Link) -> bool:
        for command in self._commands.poll():
            if command == QUIT:
                return True
            link.command(command)
        return self._clock() >= self._until_s

    def _wait_for(self, lost: DeviceError) -> Link | None:
        """Try again until the devices are back; None when the user quits."""
        text = str(lost).split(";")[0]
        self._console.say(f"{text}; waiting for it to come back")
        self._notifier.status(text)
        next_s = self._clock() + RETRY_S
        while QUIT not in self._commands.poll() and self._clock() < self._until_s:
            self._notifier.alive()
            self._sleep(TICK_S)
            if self._clock() < next_s:
                continue
            next_s = self._clock() + RETRY_S
            try:
                link = self._connect()
            except DeviceError:
                continue
            self.reconnects += 1
            self._console.say("the device is back")
            self._notifier.status("running")
            return link
        return None


def _bare(error: DeviceError) -> DeviceError:
    """Its text alone: its traceback holds the frames of the threads, and they the whole link with its buffers."""
    return DeviceError(str(error))
