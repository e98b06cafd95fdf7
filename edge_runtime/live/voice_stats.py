"""The figures of a live voice, as one line of JSON or of a terminal."""

from __future__ import annotations

from dataclasses import dataclass

_BAR = 12
_BAR_FLOOR_DB = -60.0


@dataclass(frozen=True)
class VoiceStats:
    """One look; counts are since the start."""

    time_s: float
    mode: str
    """converting, bypass or mute."""
    rung: str
    """Model and block length in use."""
    load: float
    """Share of the available time that converting takes, smoothed."""
    latency_ms: float
    """From the microphone to the speaker, the devices' own included as far as they tell it."""
    target_ms: float
    """What `latency_ms` is kept at."""
    trim_ppm: int
    """How much faster than recorded the sound is played, for the sake of the two clocks; parts in a million."""
    underruns: int
    """Times the speaker found too little."""
    silent_ms: int
    """Silence played because of that."""
    skips: int
    """Times sound was left out to be on time again."""
    skipped_ms: int
    lost_ms: int
    """Recorded sound that was never converted."""
    device_faults: int
    """Overruns and underruns that the devices themselves reported."""
    steps_down: int
    """Times the governor took a cheaper way, on this connection."""
    reconnects: int
    in_peak_db: float
    in_rms_db: float
    out_peak_db: float
    out_rms_db: float
    """Levels since the last look, dB relative to full scale, -90 for silence."""
    realtime: bool
    """Whether its threads run before ordinary programs."""
    memory_mb: float | None
    """Resident, 10^6 bytes; None where the system does not tell."""

    def line(self) -> str:
        """For a terminal."""
        parts = [
            f"in {_bar(self.in_peak_db)} {self.in_peak_db:5.1f} dB",
            f"out {_bar(self.out_peak_db)} {self.out_peak_db:5.1f} dB",
            f"{self.latency_ms:.0f} ms",
            f"load {self.load:.0%}",
            self.rung if self.mode == "converting" else f"{self.mode} ({self.rung})",
            f"{self.underruns} underruns",
        ]
        if self.lost_ms:
            parts.append(f"{self.lost_ms} ms lost")
        return "  ".join(parts)


def _bar(level_db: float) -> str:
    share = min(1.0, max(0.0, 1.0 - level_db / _BAR_FLOOR_DB))
    full = round(share * _BAR)
    return "#" * full + "." * (_BAR - full)
