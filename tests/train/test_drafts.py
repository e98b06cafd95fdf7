"""What every draft of a manifest says: when it was made, and under which terms."""

from __future__ import annotations

import pytest

from edge_runtime.face_manifest import FaceDataSource
from train.drafts import created_now, licence_of


def test_the_date_can_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two builds of the same run must be able to give the same bytes."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert created_now() == "2023-11-14T22:13:20Z"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert created_now() > "2024"


def test_every_licence_is_named_once() -> None:
    sources = [FaceDataSource(name, terms, 1) for name, terms in (("a", "CC0-1.0"), ("b", "MIT"), ("c", "CC0-1.0"))]
    assert licence_of(sources) == "CC0-1.0; MIT"
