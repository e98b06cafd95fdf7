"""Fixtures of the signal path's tests."""

from __future__ import annotations

import pytest

from tests.edge_runtime.voice.heard import Speaker


@pytest.fixture(scope="session")
def speaker() -> Speaker:
    """See `heard`; made once, since every conversion is remembered."""
    return Speaker()
