"""The pieces of a live voice one by one: ring, playout, drift, governor, ramp, history, meters."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.live.blend import History, Ramp
from edge_runtime.live.drift import MAXIMUM_TRIM, DriftControl
from edge_runtime.live.governor import Governor, GovernorSpec
from edge_runtime.live.meters import FLOOR_DB, LevelMeter
from edge_runtime.live.playout import Playout, PlayoutSpec
from edge_runtime.live.ring import SampleRing

RATE_HZ = 1_000


def _count(start: int, stop: int) -> np.ndarray:
    return np.arange(start, stop, dtype=np.float32)


def test_ring_gives_back_what_was_written_however_it_is_cut() -> None:
    """A thousand random writes and reads across the ring's end, against a list."""
    rng = np.random.default_rng(0)
    ring, expected, written = SampleRing(100), np.zeros(0, np.float32), 0
    for _ in range(1_000):
        block = _count(written, written + int(rng.integers(0, 140)))
        written += len(block)
        joined = np.concatenate([expected, block])
        assert ring.write(block) == max(0, len(joined) - 100)
        expected = joined[-100:]
        taken = int(rng.integers(0, 120))
        np.testing.assert_array_equal(ring.peek(taken), expected[:taken])
        np.testing.assert_array_equal(ring.read(taken), expected[:taken])
        expected = expected[taken:]
        assert len(ring) == len(expected)


def test_ring_waits_no_longer_than_told() -> None:
    """Both ways."""
    ring = SampleRing(10)
    assert not ring.wait_for(1, 0.001)
    ring.write(_count(0, 10))
    assert ring.wait_for(10, 0.0)
    assert not ring.wait_for_room(1, 0.001)


def _playout(target_s: float = 0.1, surplus_s: float = 0.05) -> Playout:
    return Playout(RATE_HZ, PlayoutSpec(target_s, surplus_s))


def test_playout_is_silent_until_the_queue_is_long_enough() -> None:
    """What is upstream counts: the latency is that of the whole queue."""
    playout = _playout()
    playout.push(np.ones(60, np.float32))
    assert not playout.take(10, 0.03).any()
    assert playout.take(10, 0.04).any()
    assert playout.counts.underruns == 0


def test_playout_fades_and_counts_when_it_runs_dry() -> None:
    """The last value glides to zero within 5 ms, so that nothing clicks; then it fills up again."""
    playout = _playout()
    playout.push(np.ones(100, np.float32))
    for _ in range(9):
        playout.take(10, 0.0)
    playout.take(5, 0.0)
    torn = playout.take(10, 0.0)
    np.testing.assert_allclose(torn[:5], np.linspace(1.0, 0.0, 5))
    assert not torn[5:].any()
    assert playout.counts.underruns == 1
    assert not playout.take(10, 0.0).any()
    assert playout.counts.silent_s == pytest.approx(0.015)
    playout.push(np.ones(100, np.float32))
    assert playout.take(10, 0.0)[-1] == 1.0


def test_playout_glides_to_silence_from_its_last_value_when_nothing_is_left() -> None:
    """The underrun that falls between two blocks."""
    playout = _playout()
    playout.push(np.ones(100, np.float32))
    for _ in range(10):
        playout.take(10, 0.0)
    np.testing.assert_allclose(playout.take(10, 0.0)[:5], np.linspace(1.0, 0.0, 5))


def test_playout_skips_a_surplus_that_lasts_with_a_crossfade() -> None:
    """After a stall the sound recorded meanwhile comes all at once; a short burst is left alone."""
    playout = _playout()
    playout.push(_count(0, 110))
    played = [playout.take(10, 0.0)]
    playout.push(_count(110, 310))
    for start in range(310, 460, 10):
        played.append(playout.take(10, 0.0))
        playout.push(_count(start, start + 10))
    assert playout.counts.skips == 1
    assert playout.waiting / RATE_HZ == pytest.approx(0.1, abs=0.02)
    assert playout.counts.skipped_s == pytest.approx(0.2, abs=0.03)
    joined = np.concatenate(played)[10:]
    assert np.diff(joined).min() > 0.0
    assert np.diff(joined).max() <= 1.0 + 220 / 4  # over five samples, and not at once


def test_playout_does_not_skip_a_short_burst() -> None:
    """Devices deliver in bursts."""
    playout = _playout()
    playout.push(_count(0, 110))
    playout.take(10, 0.0)
    playout.push(_count(110, 200))
    for _ in range(6):
        playout.take(10, 0.0)
    assert playout.counts.skips == 0


def test_playout_ends_without_an_underrun() -> None:
    """All of it is played, then it is done."""
    playout = _playout()
    playout.push(np.ones(25, np.float32))
    playout.end()
    total = sum(float(playout.take(10, 0.0).sum()) for _ in range(4))
    assert playout.done
    assert playout.counts.underruns == 0
    assert 18.0 < total <= 25.0  # the fades take a little


@pytest.mark.parametrize("ppm", [-300.0, 80.0, 300.0])
def test_drift_control_learns_the_clocks_and_holds_the_queue(ppm: float) -> None:
    """An ideal queue that one clock fills and the other empties: its length settles at the target, without error."""
    control, queue_s = DriftControl(0.1), 0.1
    for _ in range(30_000):
        rate = control.update(queue_s, 0.01)
        queue_s += 0.01 * (1e-6 * ppm - (rate - 1.0))
    assert queue_s == pytest.approx(0.1, abs=1e-4)
    assert control.trim == pytest.approx(1e-6 * ppm, abs=2e-6)


def test_drift_control_never_bends_the_pitch_audibly() -> None:
    """Also while a whole second is too much."""
    control = DriftControl(0.1)
    assert all(abs(control.update(1.1, 0.01) - 1.0) <= MAXIMUM_TRIM for _ in range(5_000))
    control.resume()
    for _ in range(2_000):
        control.update(0.1, 0.01)
    assert abs(control.trim) < 1e-3  # nothing was learnt at the limit


def _observe(governor: Governor, load: float, start_s: float, seconds: float) -> float:
    for step in range(round(seconds / 0.02)):
        governor.observe(load, start_s + 0.02 * step)
    return start_s + seconds


def test_governor_steps_down_after_high_load_and_up_after_long_calm() -> None:
    """Down within half a second, up only after ten."""
    governor = Governor(3)
    now_s = _observe(governor, 0.3, 0.0, 5.0)
    assert governor.rung == 0
    now_s = _observe(governor, 1.1, now_s, 0.7)
    assert governor.rung == 1
    now_s = _observe(governor, 0.3, now_s, 9.0)
    assert governor.rung == 1
    _observe(governor, 0.3, now_s, 2.0)
    assert governor.rung == 0


def test_governor_waits_longer_after_a_step_up_that_was_wrong() -> None:
    """Load that fits the lower rung and not the upper: the ladder must not become a swing."""
    governor, now_s = Governor(2, GovernorSpec(longest_wait_s=60.0)), 0.0
    governor.observe(0.0, now_s)
    while now_s < 600.0:
        now_s += 0.02
        governor.observe(1.0 if governor.rung == 0 else 0.3, now_s)
    assert governor.steps_down <= 14  # ten seconds between all of them would make more than fifty


def test_governor_takes_an_underrun_for_load_only_where_there_is_some() -> None:
    """A device that hiccups is not helped by a worse voice."""
    governor = Governor(2)
    governor.observe(0.1, 0.0, underrun=True)
    assert governor.rung == 0
    governor.observe(0.7, 0.1, underrun=True)
    assert governor.rung == 1
    governor.observe(2.0, 0.2, underrun=True)
    assert governor.rung == 1  # there is no lower one


def test_governor_needs_a_rung() -> None:
    """A ladder of none is a mistake of the caller."""
    with pytest.raises(ValueError, match="rung"):
        Governor(0)


def test_ramp_moves_by_its_step_and_settles() -> None:
    """From 0 to 1 in ten samples, over chunks of any length."""
    ramp = Ramp(0.0, 10)
    ramp.target = 1.0
    values = np.concatenate([ramp.take(3), ramp.take(0), ramp.take(20)])
    np.testing.assert_allclose(values[:10], np.linspace(0.1, 1.0, 10), rtol=1e-6)
    assert ramp.settled
    assert (values[10:] == 1.0).all()


def test_history_keeps_the_past_by_its_number() -> None:
    """Across its own moves, and with silence before the beginning."""
    history, rng, end = History(50), np.random.default_rng(1), 0
    np.testing.assert_array_equal(history.get(-5, 0), np.zeros(5))
    for _ in range(300):
        count = int(rng.integers(0, 70))
        history.add(_count(end, end + count))
        end += count
        assert history.end == end
        start = max(0, end - 50)
        np.testing.assert_array_equal(history.get(start, end), _count(start, end))


def test_meter_tells_peak_and_rms_since_the_last_look() -> None:
    """A sine of half scale: -6 dB and -9 dB; then silence."""
    meter = LevelMeter()
    meter.add((0.5 * np.sin(np.arange(16_000) * 0.1)).astype(np.float32))
    level = meter.take()
    assert (level.peak_db, level.rms_db) == (-6.0, -9.0)
    assert meter.take().peak_db == FLOOR_DB
