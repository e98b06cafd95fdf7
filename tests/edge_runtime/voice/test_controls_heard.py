"""Every control moves what it promises, by as much as it says, on real speech, and leaves the rest about where it was.

Amounts are measured on a conversion against the same conversion without the control. The limits for what must stay
allow for what honestly follows (a lower voice has fewer harmonics and so a little less energy) and would catch a
control that acts on the wrong quantity.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import pytest

from edge_runtime.voice.effects import ECHO_S
from edge_runtime.voice.movement import VIBRATO_HZ
from tests.edge_runtime.voice.heard import Speaker
from tests.edge_runtime.voice.signals import RATE_HZ
from train.voice.acoustics import average_spectrum, formant_depth_db, formant_ratio, measure
from train.voice.boersma import track_pitch
from train.voice.presets import control_specs

STAYS = {
    "pitch_st": 1.0,
    "melody": 0.35,
    "voiced": 0.25,
    "energy_db": 3.0,
    "dynamics_db": 3.5,
    "tilt_db": 1.0,
    "hnr_db": 4.5,
    "presence_db": 3.0,
}
"""How far a quantity may move that nobody asked to move; ratios from 1, all others from 0."""
RATIOS = ("melody", "voiced")


@dataclass(frozen=True)
class Case:
    """A control at one value: what it promises (amount and tolerance), and what follows from that and may move."""

    control: str
    value: float
    promised: dict[str, tuple[float, float]]
    follows: tuple[str, ...] = field(default=())


CASES = [
    # Fewer pulses carry less energy, by 3 dB an octave, and the voice's own low notes are its soft ones.
    Case("pitch", -6.0, {"pitch_st": (-6.0, 0.7), "energy_db": (-3.0, 2.0)}),
    Case("pitch", 6.0, {"pitch_st": (6.0, 0.7)}),
    Case("formant", 0.8, {}),
    Case("formant", 1.25, {}),
    Case("intonation", 0.0, {"melody": (0.0, 0.15)}, ("pitch_st", "tilt_db", "hnr_db")),
    Case("intonation", 0.5, {"melody": (0.5, 0.15)}),
    Case("intonation", 2.0, {"melody": (2.0, 0.4)}, ("pitch_st",)),
    Case("robot", 1.0, {"melody": (0.0, 0.15)}, ("pitch_st", "tilt_db", "hnr_db")),
    Case("whisper", 1.0, {"voiced": (0.0, 0.15)}, ("pitch_st", "melody", "hnr_db")),
    Case("tilt", -3.0, {"tilt_db": (-3.0, 0.5)}, ("presence_db", "dynamics_db")),
    Case("tilt", 3.0, {"tilt_db": (3.0, 0.5)}, ("presence_db",)),
    Case("presence", -6.0, {"presence_db": (-6.0, 1.2)}, ("tilt_db",)),
    Case("presence", 6.0, {"presence_db": (6.0, 1.2)}, ("tilt_db",)),
    Case("gain", -12.0, {"energy_db": (-12.0, 0.1)}),
    Case("emphasis", -1.0, {"melody": (0.6, 0.2), "dynamics_db": (-3.5, 2.0)}, ("tilt_db", "presence_db")),
    Case("emphasis", 1.0, {"melody": (1.4, 0.25), "dynamics_db": (4.5, 2.5)}, ("tilt_db", "presence_db")),
    Case("roughness", 0.5, {"hnr_db": (-4.5, 2.0)}),
    # Of a growl the pitch tracker hears the subharmonic in places.
    Case("roughness", 1.0, {"hnr_db": (-8.5, 3.0)}, ("pitch_st", "melody")),
    Case("vibrato", 1.0, {}),
    Case("tremor", 1.0, {}),
    Case("gate", 24.0, {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.control}={case.value:g}")
def test_a_control_moves_what_it_promises_and_nothing_else(speaker: Speaker, case: Case) -> None:
    moved = dataclasses.asdict(speaker.moved(**{case.control: case.value}))
    for name, (amount, tolerance) in case.promised.items():
        assert moved[name] == pytest.approx(amount, abs=tolerance), name
    for name, limit in STAYS.items():
        if name not in case.promised and name not in case.follows:
            assert moved[name] == pytest.approx(1.0 if name in RATIOS else 0.0, abs=limit), name


@pytest.mark.parametrize("ratio", [0.7, 0.85, 1.2, 1.4])
def test_formants_move_by_their_ratio(speaker: Speaker, ratio: float) -> None:
    assert speaker.formants(formant=ratio) == pytest.approx(ratio, rel=0.04)


@pytest.mark.parametrize("controls", [{"pitch": 6.0}, {"intonation": 2.0}, {"tilt": -3.0}, {"roughness": 0.5}])
def test_formants_stay_where_they_are_otherwise(speaker: Speaker, controls: dict[str, float]) -> None:
    assert speaker.formants(**controls) == pytest.approx(1.0, abs=0.03)


def test_clarity_deepens_the_formants_and_does_not_move_them(speaker: Speaker) -> None:
    """The default of the model lies between; what is promised is depth against none at all."""
    depth = {value: formant_depth_db(speaker.say(clarity=value), RATE_HZ) for value in (0.0, 0.5, 1.0)}
    assert depth[0.5] / depth[0.0] == pytest.approx(1.12, abs=0.06)
    assert depth[1.0] / depth[0.0] == pytest.approx(1.24, abs=0.1)
    moved = formant_ratio(speaker.say(clarity=0.0), speaker.say(clarity=1.0), RATE_HZ)
    assert moved == pytest.approx(1.0, abs=0.03)


def test_auto_pitch_goes_from_the_speakers_pitch_to_the_voices(speaker: Speaker) -> None:
    source = measure(speaker.speech, RATE_HZ).f0_median_hz
    own, half, full = (
        12 * np.log2(speaker.measured(auto_pitch=share).f0_median_hz / source) for share in (0.0, 0.5, 1.0)
    )
    voice = next(v for v in speaker.converter.manifest.voices if v.name == speaker.converter.manifest.default_voice)
    assert own == pytest.approx(0.0, abs=1.0)
    assert half == pytest.approx(0.5 * full, abs=1.2)
    assert full == pytest.approx(12 * np.log2(voice.f0_mean_hz / source), abs=2.5)


def test_whisper_takes_voicing_away_by_degrees(speaker: Speaker) -> None:
    natural, half, whole = (speaker.measured(whisper=share) for share in (0.0, 0.5, 1.0))
    assert natural.hnr_db - half.hnr_db > 6.0
    assert natural.voiced_share > half.voiced_share > whole.voiced_share
    assert whole.energy_dbfs == pytest.approx(natural.energy_dbfs, abs=3.0)


def frame_levels(samples: np.ndarray) -> np.ndarray:
    """Level in dB of 10 ms hops (T,)."""
    hops = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return np.asarray(10 * np.log10(np.mean(hops.astype(np.float64) ** 2, axis=1) + 1e-12))


@pytest.mark.parametrize("gain_db", [-9.0, 9.0])
def test_breath_is_the_gain_of_the_noise(speaker: Speaker, gain_db: float) -> None:
    """Fricatives are all noise: they move by all of it. Vowels hardly move."""
    plain, changed = frame_levels(speaker.say()), frame_levels(speaker.say(breath=gain_db))
    voiced = track_pitch(speaker.say(), RATE_HZ).voiced[: len(plain)]
    loud = plain > np.percentile(plain, 99) - 30
    assert np.median((changed - plain)[loud & ~voiced]) == pytest.approx(gain_db, abs=2.0)
    assert abs(np.median((changed - plain)[loud & voiced])) < 1.5
    assert (speaker.moved(breath=gain_db).hnr_db < 0) == (gain_db > 0)


def wave_depth(track: np.ndarray, voiced: np.ndarray, hz: float) -> float:
    """Amplitude of the wave of this rate in a track (T,) of which only voiced frames count."""
    seconds = np.flatnonzero(voiced) * 0.01
    columns = [np.ones_like(seconds), np.cos(2 * np.pi * hz * seconds), np.sin(2 * np.pi * hz * seconds)]
    _, cosine, sine = np.linalg.lstsq(np.stack(columns, axis=1), track[voiced], rcond=None)[0]
    return float(np.hypot(cosine, sine))


def pitch_difference(speaker: Speaker, **controls: float) -> tuple[np.ndarray, np.ndarray]:
    """Semitones (T,) by which the controls moved the pitch, and where that is known."""
    plain, moved = (track_pitch(speaker.say(**which), RATE_HZ) for which in ({}, controls))
    semitones = 12 * np.log2(moved.f0_hz / plain.f0_hz)
    return semitones, plain.voiced & moved.voiced & (np.abs(np.nan_to_num(semitones)) < 6)


@pytest.mark.parametrize("depth_st", [0.5, 1.5])
def test_vibrato_is_a_wave_of_its_depth_and_rate(speaker: Speaker, depth_st: float) -> None:
    """The pitch tracker's window of 60 ms sees about four fifths of a wave of 5.5 Hz."""
    semitones, known = pitch_difference(speaker, vibrato=depth_st)
    assert wave_depth(semitones, known, VIBRATO_HZ) == pytest.approx(0.8 * depth_st, rel=0.25)
    assert wave_depth(semitones, known, 2.5) < 0.3 * depth_st
    assert wave_depth(semitones, known, 9.0) < 0.3 * depth_st


def test_tremor_shakes_pitch_and_loudness_irregularly(speaker: Speaker) -> None:
    semitones, known = pitch_difference(speaker, tremor=1.0)
    plain, shaken = frame_levels(speaker.say()), frame_levels(speaker.say(tremor=1.0))
    loud = plain > np.percentile(plain, 99) - 25
    assert 0.25 < np.std(semitones[known]) < 1.0
    assert 1.0 < np.std((shaken - plain)[loud]) < 3.0
    assert wave_depth(semitones, known, VIBRATO_HZ) < 0.5 * np.sqrt(2) * np.std(semitones[known])


def test_echo_repeats_what_was_said(speaker: Speaker) -> None:
    """out[n] = in[n] + 0.6 echo out[n - 0.15 s], read off by regression."""
    for amount in (0.5, 1.0):
        plain, echoed = speaker.say(gain=-10.0), speaker.say(gain=-10.0, echo=amount)
        delay = round(ECHO_S * RATE_HZ)
        late = echoed[:-delay]
        found = float(np.dot(echoed[delay:] - plain[delay:], late) / np.dot(late, late))
        assert found == pytest.approx(0.6 * amount, abs=0.01)


def test_radio_keeps_its_band_and_little_else(speaker: Speaker) -> None:
    plain, radio = (average_spectrum(speaker.say(**which), RATE_HZ) for which in ({}, {"radio": 1.0}))
    frequency = np.linspace(0, RATE_HZ / 2, len(plain))
    change_db = 10 * np.log10(radio / plain)
    inside = (frequency > 400) & (frequency < 3000)
    assert np.median(change_db[frequency > 5000]) < np.median(change_db[inside]) - 12
    # Saturation makes some of the missing fundamental again, as a small speaker does.
    assert np.median(change_db[(frequency > 80) & (frequency < 160)]) < np.median(change_db[inside]) - 3
    assert np.ptp(np.percentile(change_db[inside], [10, 90])) < 6
    assert abs(speaker.moved(radio=1.0).energy_db) < 4.5


def test_gate_silences_what_is_quiet_and_leaves_speech(speaker: Speaker) -> None:
    """A hiss 28 dB below the speech sounds without a gate and is gone with one 24 dB higher."""
    hiss = 0.0025 * np.random.default_rng(0).standard_normal(2 * RATE_HZ)
    samples = np.concatenate([speaker.speech, hiss]).astype(np.float32)
    convert, controls = speaker.converter.convert, speaker.converter.controls
    plain, gated = (convert(samples, RATE_HZ, controls(gate=value)) for value in (0.0, 24.0))
    pause = slice(len(speaker.speech) + RATE_HZ // 2, len(samples) - RATE_HZ // 4)
    assert np.mean(frame_levels(gated[pause])) < np.mean(frame_levels(plain[pause])) - 15
    spoken = slice(0, len(speaker.speech))
    assert measure(gated[spoken], RATE_HZ).energy_dbfs == pytest.approx(
        measure(plain[spoken], RATE_HZ).energy_dbfs, abs=0.5
    )


def test_mix_gives_the_original_back(speaker: Speaker) -> None:
    assert np.abs(speaker.say(mix=0.0) - speaker.speech).max() < 1e-6
    half = 0.5 * speaker.say() + 0.5 * speaker.speech
    assert np.abs(speaker.say(mix=0.5) - half).max() < 1e-3


def test_every_control_of_the_manifest_is_tried_here() -> None:
    elsewhere = {"auto_pitch", "breath", "clarity", "mix", "radio", "echo", "denoise"}
    assert {case.control for case in CASES} | elsewhere == {spec.name for spec in control_specs()}


def test_a_neutral_control_changes_no_sample(speaker: Speaker) -> None:
    neutral = {spec.name: spec.default for spec in control_specs()}
    assert np.array_equal(speaker.say(**neutral), speaker.say())
