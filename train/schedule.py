"""How the learning rate goes over the steps of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Learning rate over the steps of a run."""

    total_steps: int
    peak: float
    warm_up_steps: int = 30
    floor: float = 0.03
    """Fraction of the peak that is left at the end."""

    def rate(self, step: int) -> float:
        """Linear warm-up, then constant for a third, then cosine decay."""
        if step < self.warm_up_steps:
            return self.peak * (step + 1) / self.warm_up_steps
        hold = self.total_steps // 3
        if step < hold:
            return self.peak
        done = min(1.0, (step - hold) / max(1, self.total_steps - hold))
        return self.peak * (self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * done)))
