"""A live voice in simulated time: constant latency whatever the clocks do, and counted, bounded damage from stalls."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.errors import ControlError
from edge_runtime.live.commands import BYPASS, MUTE
from edge_runtime.live.voice_link import queue_target
from tests.edge_runtime.live.simulation import BLOCK, RATE_HZ, World


def _noise(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(5)
    smooth = np.convolve(rng.standard_normal(round(seconds * RATE_HZ)), np.ones(8) / 8, "same")
    return (0.3 * smooth).astype(np.float32)


def _lag_s(world: World, sound: np.ndarray, at_s: float) -> float:
    """How much later than it was recorded sound is played, at ``at_s`` of playing, by cross-correlation."""
    start = round(at_s * RATE_HZ)
    played = world.speaker.heard[start : start + 4096]
    wide = sound[start - 8000 : start + 8000]
    best = int(np.argmax(np.correlate(wide, played, "valid")))
    return (8000 - best) / RATE_HZ


def test_what_is_played_is_what_was_converted() -> None:
    """Half as loud, as the fake voice has it, and gapless after the start."""
    sound = _noise(3.0)
    world = World(sound)
    world.run(3.0)
    heard = world.speaker.heard
    assert np.sqrt(np.mean(heard[16_000:40_000] ** 2)) == pytest.approx(
        0.5 * np.sqrt(np.mean(sound[16_000:40_000] ** 2)), rel=0.05
    )
    assert world.link.stats().underruns == 0


@pytest.mark.parametrize("drift_ppm", [-200.0, 200.0])
def test_latency_stays_the_same_while_the_clocks_drift(drift_ppm: float) -> None:
    """In two minutes 200 ppm are 24 ms, and in a day 17 seconds, were it not trimmed."""
    sound = _noise(125.0)
    world = World(sound, drift_ppm=drift_ppm)
    world.run(120.0)
    speaker_s = 1.0 + 1e-6 * drift_ppm  # playing time runs by the speaker's clock, recording by the microphone's

    def lag_s(at_s: float) -> float:
        return _lag_s(world, sound, at_s) + at_s * (1.0 / speaker_s - 1.0)

    early_s, late_s = lag_s(45.0), lag_s(115.0)
    assert late_s == pytest.approx(early_s, abs=0.002)
    stats = world.link.stats()
    assert (stats.underruns, stats.skips, stats.lost_ms) == (0, 0, 0)
    assert stats.trim_ppm == pytest.approx(-drift_ppm, abs=30.0)  # a faster speaker is given slower sound
    assert stats.latency_ms == pytest.approx(stats.target_ms, abs=2.0)


def test_a_stall_costs_one_underrun_and_latency_returns() -> None:
    """A converter that hangs for 0.4 s: silence for what the queue did not cover, then the surplus is skipped."""
    sound = _noise(12.0)
    stalled: list[float] = []

    def cost_s(now_s: float) -> float:
        if now_s > 5.0 and not stalled:
            stalled.append(now_s)
            return 0.4
        return 0.002

    world = World(sound, cost_s=cost_s)
    world.run(11.0)
    stats = world.link.stats()
    assert stats.underruns == 1
    assert 250 < stats.silent_ms < 450
    assert stats.skipped_ms == pytest.approx(stats.silent_ms, abs=60)
    assert _lag_s(world, sound, 9.5) == pytest.approx(_lag_s(world, sound, 4.0), abs=0.055)
    assert stats.latency_ms == pytest.approx(stats.target_ms, abs=10.0)


def test_a_stall_longer_than_the_ring_is_counted_as_lost() -> None:
    """Five seconds: memory stays bounded, the oldest sound goes."""
    stalled: list[float] = []

    def cost_s(now_s: float) -> float:
        if now_s > 2.0 and not stalled:
            stalled.append(now_s)
            return 5.0
        return 0.002

    world = World(_noise(12.0), cost_s=cost_s)
    world.run(11.0)
    stats = world.link.stats()
    assert stats.lost_ms == pytest.approx(3000, abs=100)
    assert stats.latency_ms == pytest.approx(stats.target_ms, abs=10.0)


def test_load_steps_down_before_it_stutters_and_up_again() -> None:
    """A converter that needs 18 ms for a block of 20: longer blocks halve the cost, and no underrun is heard."""
    world = World(_noise(60.0), cost_s=lambda now_s: 0.018 if 2.0 < now_s < 20.0 else 0.002, latency_s=0.2)
    world.run(10.0)
    assert world.link.path.rung.name == "big x2"
    assert world.link.stats().underruns == 0
    world.run(40.0)
    assert world.link.path.rung.name == "big x1"
    assert world.link.stats().underruns == 0


def test_a_smaller_model_is_the_last_resort() -> None:
    """When no longer block fits the latency, the smaller model takes over without a gap."""
    world = World(_noise(20.0), cost_s=lambda now_s: 0.019, smaller_cost_s=lambda now_s: 0.003, latency_s=0.115)
    world.run(8.0)
    assert world.link.path.rung.name == "small x1"
    heard = world.speaker.heard[5 * RATE_HZ :]
    assert not (np.abs(heard.reshape(-1, BLOCK)).max(axis=1) == 0.0).any()


def test_bypass_and_mute_switch_without_a_jump() -> None:
    """Bypass plays the original as it came, mute nothing; both over 20 ms."""
    sound = _noise(6.0)
    world = World(sound)
    world.run(2.0)
    world.link.command(BYPASS)
    world.run(2.0)
    assert world.link.stats().mode == "bypass"
    heard = world.speaker.heard
    lag = round(_lag_s(world, sound, 3.0) * RATE_HZ)
    np.testing.assert_allclose(heard[48_000:52_000], sound[48_000 - lag : 52_000 - lag], atol=0.03)
    world.link.command(MUTE)
    world.run(1.0)
    assert world.link.stats().mode == "mute"
    assert not world.speaker.heard[-4_000:].any()


def test_a_latency_that_cannot_be_is_refused_with_what_can() -> None:
    """The message has the number that works."""
    with pytest.raises(ControlError, match=r"--latency 60 .*; 101 or more is possible"):
        queue_target(0.06, 0.06, 0.02)
    assert queue_target(0.12, 0.06, 0.02) == pytest.approx(0.06)
