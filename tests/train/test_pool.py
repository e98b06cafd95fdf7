"""Work on several processes: every result, faults in one line, and nothing that goes on by itself."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator

import pytest

from edge_runtime.errors import InputError, WorkstationError
from train.pool import check_workers, run_all


def square(number: int) -> int:
    """Or an end as the system gives one that takes too much memory, or a fault in the data."""
    if number == 100:
        os._exit(9)
    if number == 200:
        raise InputError("there is no square of 200; ask for another")
    return number * number


def test_every_item_gives_a_result() -> None:
    numbers = list(range(12))
    assert list(run_all(square, numbers, 1)) == [n * n for n in numbers]
    assert sorted(run_all(square, numbers, 2)) == [n * n for n in numbers]


def test_items_are_taken_as_they_are_needed() -> None:
    """A million of them must not lie in memory at once."""
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = run_all(square, items(), 2)
    next(results)
    assert len(taken) < 20
    results.close()
    assert not multiprocessing.active_children()


def test_a_fault_in_another_process_is_its_own_line() -> None:
    with pytest.raises(InputError, match="no square of 200"):
        list(run_all(square, [1, 200, 3], 2))


def test_a_process_that_is_ended_is_one_line() -> None:
    with pytest.raises(WorkstationError, match="fewer --workers"):
        list(run_all(square, [1, 100, 3, 4], 2))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [0, -1, 257])
def test_impossible_numbers_are_refused(workers: int) -> None:
    with pytest.raises(InputError, match="choose 1 to 256"):
        check_workers(workers)
