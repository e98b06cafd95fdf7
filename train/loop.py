"""The course of a training run: its schedule, progress, reports, checkpoints, and being stopped and resumed.

The schedule is a number of steps; with ``--minutes`` that number is fixed after the first steps have shown how fast
this machine is, and stays what it is when the run is resumed elsewhere.
"""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from edge_runtime.errors import WorkstationError
from train.log import Log
from train.prefetch import Batch
from train.progress import Progress
from train.schedule import Schedule

_MEASURE_FROM, _MEASURE_EVERY = 5, 25
_MEASURE_SHARE = 0.2
_REPORT_EVERY = 25


@dataclass(frozen=True)
class Position:
    """Where in its schedule a run is."""

    step: int
    """Steps done."""
    total_steps: int
    seed: int
    batch: int
    seconds: float
    """Time spent training so far."""


PositionT = TypeVar("PositionT", bound=Position)


class Loop(ABC, Generic[PositionT]):
    """A training run in progress; a subclass says what a batch and a checkpoint are."""

    note_terms: tuple[str, ...] = ("loss",)
    """Terms that progress shows."""

    def __init__(
        self,
        trainer: Any,
        average: Any,
        log: Log,
        position: PositionT,
        peak: float,
        minutes: float | None,
        checkpoint_minutes: float,
    ) -> None:
        self._trainer, self._average, self._log = trainer, average, log
        self.position = position
        self._peak = peak
        self._checkpoint_s = 60.0 * checkpoint_minutes
        self._stop_at: int | None = None
        self._budget_s = 60.0 * (minutes or 1.0)
        # Only a fresh run by time measures; one by steps, or resumed, has its schedule.
        self._measuring = not position.total_steps
        self._measured_from: PositionT | None = None

    @abstractmethod
    def batches(self) -> Generator[Batch, None, None]:
        """Batches from the present position on, the same ones whenever a run is resumed there."""

    @abstractmethod
    def checkpoint(self) -> None:
        """Save everything, judge on what is held out, and make the samples and curves of now."""

    def steps_in(self, seconds: float, per_step_s: float) -> int:
        """How many more steps fit into ``seconds`` when those so far took ``per_step_s``."""
        return int(seconds / per_step_s)

    def before_step(self) -> None:
        """Called before every step; for what changes in the middle of a run."""
        return

    def stop_after(self, step: int) -> None:
        """Stop at ``step`` as Ctrl-C would."""
        self._stop_at = step

    def run(self) -> None:
        """Train to the end of the schedule; on Ctrl-C leave a checkpoint and raise `KeyboardInterrupt`.

        Any other failure leaves the last checkpoint as it is: weights that made a loss infinite are worth nothing.
        """
        try:
            self._run_steps()
        except KeyboardInterrupt:
            if self.position.step:
                self.checkpoint()
            raise
        self.checkpoint()

    def run_and_tell(self, root: Path, look_at: Path) -> None:
        """`run`, and say where it resumes and what it made in ``root``."""
        start = self.position.step
        if start and start == self.position.total_steps:
            print(f"its schedule of {start} steps is done; for a longer one: --restart with more --minutes")
        elif start:
            print(f"resuming at step {start} of {self.position.total_steps or 'a schedule to be measured'}")
        try:
            self.run()
        except KeyboardInterrupt:
            print(f"\nstopped at step {self.position.step}; the same command goes on from there")
            raise
        print(f"{root}: step {self.position.step} after {self.position.seconds / 60:.1f} min; look at {look_at}")

    def _run_steps(self) -> None:
        before, started = self.position.seconds, time.monotonic()
        saved = started
        batches = self.batches()
        with contextlib.closing(batches), Progress(1.0, "fit") as progress:
            while not self._finished():
                self.before_step()
                terms = self._step(next(batches))
                now = time.monotonic()
                self.position = replace(self.position, seconds=before + now - started)
                self._plan()
                progress.update(self._share(), self._note(terms))
                self._report(terms)
                if self.position.step == self._stop_at:
                    raise KeyboardInterrupt
                if now - saved > self._checkpoint_s:
                    self.checkpoint()
                    saved = time.monotonic()

    def _finished(self) -> bool:
        return bool(self.position.total_steps) and self.position.step >= self.position.total_steps

    def _share(self) -> float:
        """How much of the schedule is done, 0..1."""
        if self._measuring:
            return min(1.0, self.position.seconds / self._budget_s)
        return self.position.step / self.position.total_steps

    def _plan(self) -> None:
        """Measure this machine while the learning rate is still constant, and fix the number of steps from it.

        The estimate is renewed for the first fifth of the time, so that a busy moment at the start does not shorten
        the whole run; after that the schedule stays, on whatever machine the run is resumed.
        """
        position = self.position
        if not self._measuring or position.step < _MEASURE_FROM:
            return
        if self._measured_from is None:
            self._measured_from = position
        elif position.step % _MEASURE_EVERY == 0:
            if position.total_steps and position.seconds > _MEASURE_SHARE * self._budget_s:
                self._measuring = False
                return
            took = position.seconds - self._measured_from.seconds
            per_step = took / (position.step - self._measured_from.step)
            left = max(1, self.steps_in(self._budget_s - position.seconds, per_step))
            self.position = replace(position, total_steps=position.step + left)

    def _step(self, batch: Batch) -> dict[str, float]:
        rate = Schedule(self.position.total_steps or 10**9, self._peak).rate(self.position.step)
        terms: dict[str, float] = self._trainer.step(batch, rate)
        if not np.isfinite(terms["loss"]):
            raise WorkstationError(
                f"the loss became {terms['loss']} at step {self.position.step}; the same command goes on from the "
                "last checkpoint, and if it happens again look for odd entries in the dataset"
            )
        self.position = replace(self.position, step=self.position.step + 1)
        self._average.update(self.position.step)
        return {**terms, "rate": rate}

    def _report(self, terms: dict[str, float]) -> None:
        if self.position.step % _REPORT_EVERY == 0:
            self._log.add({**terms, "step": self.position.step, "seconds": round(self.position.seconds, 1)})

    def _note(self, terms: dict[str, float]) -> str:
        shown = ", ".join(f"{name} {terms[name]:.3f}" for name in self.note_terms if name in terms)
        return f"step {self.position.step}, {shown}"
