"""A person's permission to be imitated, asked for before anything is trained on them and carried in the model file."""

from __future__ import annotations

from datetime import date, datetime, timezone

from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import WorkstationError

FLAG = "--i-have-consent"

HOW = f'say who agreed to what: {FLAG} "NAME: SCOPE", for instance {FLAG} "Anna Smith: my own podcast"'


def make_record(text: str, until: str | None, data_sha256: str) -> ConsentRecord:
    """The record of a permission given today.

    ``text`` is "NAME: SCOPE", ``until`` an ISO date or None, ``data_sha256`` the hash of what it is given for. Raises
    `WorkstationError` when that says nothing, or the date is not one or has passed.
    """
    person, colon, scope = (part.strip() for part in text.partition(":"))
    if not (person and colon and scope):
        raise WorkstationError(f"{text!r} does not name a person and a scope; {HOW}")
    today = datetime.now(timezone.utc).date()
    return ConsentRecord(person, scope, today.isoformat(), _expiry(until, today), data_sha256)


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
