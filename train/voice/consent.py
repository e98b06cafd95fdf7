"""A person's permission to be imitated, asked for before their voice is trained and carried in the model file."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timezone

from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import WorkstationError
from train.voice.dataset import DATASET_FILE, Dataset

FLAG = "--i-have-consent"

_HOW = f'say who agreed to what: {FLAG} "NAME: SCOPE", for instance {FLAG} "Anna Smith: my own podcast"'


def record_consent(
    text: str | None, until: str | None, dataset: Dataset, voices: tuple[str, ...]
) -> ConsentRecord | None:
    """The record for the voices that are trained on a dataset; None where all are synthetic and belong to nobody.

    ``text`` is "NAME: SCOPE", ``until`` an ISO date or None. Raises `WorkstationError` when a person's recordings come
    without, or the date is not one or has passed.
    """
    if not set(voices) & set(dataset.people):
        return None
    if text is None:
        raise WorkstationError(f"these are recordings of a person; {_HOW}")
    person, colon, scope = (part.strip() for part in text.partition(":"))
    if not (person and colon and scope):
        raise WorkstationError(f"{text!r} does not name a person and a scope; {_HOW}")
    today = datetime.now(timezone.utc).date()
    return ConsentRecord(person, scope, today.isoformat(), _expiry(until, today), _data_sha256(dataset))


def _expiry(until: str | None, today: date) -> str:
    if until is None:
        return ""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise WorkstationError(f"--consent-until {until} is not a date such as 2027-12-31") from None
    if day < today:
        raise WorkstationError(f"the consent ended on {until}; ask the person again")
    return day.isoformat()


def _data_sha256(dataset: Dataset) -> str:
    """Hash of the listing, which in turn names every clip."""
    return hashlib.sha256((dataset.root / DATASET_FILE).read_bytes()).hexdigest()
