"""Batches prepared ahead of the training step, on a thread of their own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator

import numpy as np

Batch = dict[str, np.ndarray]


def stream(make: Callable[[np.random.Generator], Batch], seed: int, first_step: int) -> Generator[Batch, None, None]:
    """Batches of step first_step, first_step + 1, …; each depends on ``seed`` and its step alone."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(maxsize=4)
    stop = threading.Event()

    def produce() -> None:
        step = first_step
        while not stop.is_set():
            try:
                item: Batch | BaseException = make(np.random.default_rng([seed, step]))
            except BaseException as error:  # handed to the consumer, which raises it
                item = error
            step += 1
            while not stop.is_set():
                try:
                    ready.put(item, timeout=0.5)
                    break
                except queue.Full:
                    continue
            if isinstance(item, BaseException):
                return

    thread = threading.Thread(target=produce, name="batches", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
