"""What is the same in the draft of any manifest: when it was made, under which licence, of how many parameters."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np


class Source(Protocol):
    """Something a model was trained on."""

    @property
    def licence(self) -> str:
        """Its terms."""


def created_now() -> str:
    """ISO time in UTC; SOURCE_DATE_EPOCH stands in for the clock where builds must be repeatable."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.timezone.utc)
    moment = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc) if epoch else now
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def licence_of(sources: Iterable[Source]) -> str:
    """The terms of all ``sources``, each once."""
    return "; ".join(dict.fromkeys(source.licence for source in sources))


def parameter_count(model: Any) -> int:
    """Weights of a Keras model that are not computed from others."""
    return int(sum(int(np.prod(weight.shape)) for weight in model.weights))
