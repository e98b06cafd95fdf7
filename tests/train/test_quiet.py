"""Native greetings are held back, but never the words that go with a failure."""

from __future__ import annotations

import os

import pytest

from train.quiet import _held_back


def test_native_output_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with _held_back():
        os.write(2, b"hello from C++\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_it_comes_out_when_something_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with _held_back():
            os.write(2, b"the reason\n")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "the reason\nafter\n"
