"""A person's permission to be imitated: said in a line, and insisted on before their face is put on another."""

from __future__ import annotations

import datetime

from edge_runtime.contract import ConsentRecord
from edge_runtime.errors import ConsentError
from edge_runtime.swap_contract import IdentitySpec


def consent_text(consent: ConsentRecord) -> str:
    """Who agreed to what, when, and until when."""
    until = f" until {consent.expires_on}" if consent.expires_on else ""
    return f"consent of {consent.person} of {consent.given_on}{until}: {consent.scope}"


def identity_text(identity: IdentitySpec) -> str:
    """Whose face it is, and by what right."""
    if identity.synthetic:
        return f"{identity.name}: {identity.description}; belongs to no person"
    if identity.consent is None:
        return f"{identity.name}: {identity.description}; a person, and the file holds no consent record"
    return f"{identity.name}: {identity.description}; {consent_text(identity.consent)}"


def require_consent(identity: IdentitySpec, today: datetime.date | None = None) -> None:
    """Refuse (`ConsentError`) a person's face without their permission, or after it has ended.

    The last day of a permission belongs to it. ``today`` is this machine's date in UTC by default.
    """
    if identity.synthetic:
        return
    consent = identity.consent
    if consent is None:
        raise ConsentError(
            f"{identity.name} is a person and the model holds no consent record; train it with their permission"
        )
    now = today or datetime.datetime.now(datetime.timezone.utc).date()
    if consent.expires_on and datetime.date.fromisoformat(consent.expires_on) < now:
        raise ConsentError(f"the consent of {consent.person} ended on {consent.expires_on}; ask them and train again")
