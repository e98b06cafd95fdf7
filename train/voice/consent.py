"""A person's permission to be imitated, asked for before their voice is trained and carried in the model file."""

from __future__ import annotations

import hashlib

from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import WorkstationError
from train.consent import HOW, make_record
from train.voice.dataset import DATASET_FILE, Dataset


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
        raise WorkstationError(f"these are recordings of a person; {HOW}")
    return make_record(text, until, _data_sha256(dataset))


def _data_sha256(dataset: Dataset) -> str:
    """Hash of the listing, which in turn names every clip."""
    return hashlib.sha256((dataset.root / DATASET_FILE).read_bytes()).hexdigest()
