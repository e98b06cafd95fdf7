"""Fixtures shared by the tests of the device runtime."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge_runtime.contract import VoiceManifest
from tests.edge_runtime import manifest_factory


@pytest.fixture
def make_manifest() -> Callable[..., VoiceManifest]:
    """``make_manifest(graph, **changes)``: see `manifest_factory`."""
    return manifest_factory.make_manifest
