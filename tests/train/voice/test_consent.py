"""Nobody's voice is trained without a word on who agreed to it."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from pathlib import Path

import pytest

from edge_runtime.errors import WorkstationError
from tests.train.voice.tiny_dataset import make_dataset
from train.voice.consent import record_consent
from train.voice.dataset import Dataset


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A dataset of which one speaker is a person."""
    dataset = make_dataset(tmp_path_factory.mktemp("data") / "person", sentences=2)
    return dataclasses.replace(dataset, people=("low",))


def test_synthetic_voices_need_none(person: Dataset) -> None:
    """Neither where nobody is a person, nor where a person is listened to but not imitated."""
    assert record_consent(None, None, dataclasses.replace(person, people=()), ("low", "bright")) is None
    assert record_consent(None, None, person, ("bright",)) is None


@pytest.mark.parametrize(
    ("text", "until", "message"),
    [
        (None, None, "recordings of a person"),
        ("Anna", None, "does not name a person and a scope"),
        (": podcast", None, "does not name a person and a scope"),
        ("Anna: podcast", "2001-01-01", "ended on 2001-01-01"),
        ("Anna: podcast", "soon", "is not a date"),
    ],
)
def test_a_person_is_refused_without_it(person: Dataset, text: str | None, until: str | None, message: str) -> None:
    with pytest.raises(WorkstationError, match=message):
        record_consent(text, until, person, ("low", "bright"))


def test_the_record_says_who_what_when_and_on_which_data(person: Dataset, tmp_path: Path) -> None:
    record = record_consent("Anna Smith: podcast: season 2", "2999-12-31", person, ("low",))
    assert record is not None
    assert (record.person, record.scope, record.expires_on) == ("Anna Smith", "podcast: season 2", "2999-12-31")
    assert record.given_on == datetime.now(timezone.utc).date().isoformat()
    other = make_dataset(tmp_path / "other", sentences=3)
    again = record_consent("Anna Smith: podcast", None, dataclasses.replace(other, people=("low",)), ("low",))
    assert again is not None
    assert again.data_sha256 != record.data_sha256
