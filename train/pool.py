"""Work spread over processes: results as they are done, an interrupt that ends at once, nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from edge_runtime.errors import InputError, WorkstationError

Item = TypeVar("Item")
Result = TypeVar("Result")

MAXIMUM_WORKERS: Final = 256


def check_workers(workers: int) -> None:
    """Refuse (`InputError`) a number of processes that cannot be started."""
    if not 1 <= workers <= MAXIMUM_WORKERS:
        raise InputError(f"{workers} processes cannot be started; choose 1 to {MAXIMUM_WORKERS}")


def run_all(task: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """``task`` of every item: in order here when ``workers`` is 1, else on that many processes, in the order in which
    they are done. ``task``, items and results must then be picklable. Raises what ``task`` raises, and
    `WorkstationError` when a process is ended from outside.
    """
    if workers == 1:
        yield from map(task, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        try:
            yield from _as_completed(pool, task, iter(items), 2 * workers)
        except BrokenProcessPool:
            raise WorkstationError("a process was ended, maybe for want of memory; use fewer --workers") from None
        except BaseException:
            # an item takes seconds, and nobody who stops a run wants to wait for it
            for process in multiprocessing.active_children():
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _as_completed(
    pool: ProcessPoolExecutor, task: Callable[[Item], Result], items: Iterator[Item], ahead: int
) -> Iterator[Result]:
    """Results in the order they are done, with ``ahead`` items given to the pool at a time."""
    running: set[Future[Result]] = set()
    while True:
        for item in items:
            running.add(pool.submit(task, item))
            if len(running) >= ahead:
                break
        if not running:
            return
        finished, running = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield future.result()


def _start_worker() -> None:
    """One thread each; ended by the parent alone, and with it, however it ends."""
    import cv2  # here, where it is needed: importing this module must not bring OpenCV along

    cv2.setNumThreads(1)
    # an interrupt reaches all processes at once, and each would print a traceback
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
