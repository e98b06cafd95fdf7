"""The figures of live faces, as one line of JSON or of a terminal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FaceStats:
    """One look; counts are since the start, rates since the last look."""

    time_s: float
    mode: str
    """converting, bypass or black."""
    rung: str
    """Model in use, and which share of the camera's pictures it takes."""
    load: float
    """Share of the available time that converting takes, smoothed."""
    camera_hz: float
    """Pictures a second that came."""
    shown_hz: float
    """Pictures a second that were shown."""
    age_ms: float
    """From taken to shown, the mean since the last look."""
    faces: int
    """In the last picture."""
    left_out: int
    """Pictures that the governor left out, evenly."""
    dropped: int
    """Pictures that came while the one before was still worked on."""
    steps_down: int
    reconnects: int
    memory_mb: float | None
    """Resident, 10^6 bytes; None where the system does not tell."""

    def line(self) -> str:
        """For a terminal."""
        return "  ".join(
            [
                f"{self.camera_hz:4.1f} -> {self.shown_hz:4.1f} pictures/s",
                f"{self.age_ms:.0f} ms",
                f"load {self.load:.0%}",
                f"{self.faces} face(s)",
                self.rung if self.mode == "converting" else self.mode,
                f"{self.dropped} dropped",
            ]
        )
