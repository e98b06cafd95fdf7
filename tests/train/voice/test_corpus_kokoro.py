"""Kokoro's graph edits, styles and alignment, on small stand-ins: the real model is 92 MB and takes seconds."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import WorkstationError
from train.voice.clips import frame_levels
from train.voice.corpus import kokoro
from train.voice.corpus.phones import PHONES, SILENCE

CLIPPED, DURATIONS = "/encoder/Clip_output_0", "/encoder/Cast_output_0"


def _model():
    """A graph with the structure that the edits rely on: logits -> clip -> durations -> sound."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Mul", ["tokens", "scale"], ["logits"]),
        helper.make_node("Clip", ["logits", "one"], [CLIPPED]),
        helper.make_node("Cast", [CLIPPED], [DURATIONS], to=TensorProto.INT64),
        helper.make_node("Cast", [DURATIONS], ["float_durations"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float_durations", "loudness"], ["audio"]),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        for name, value in (("scale", 0.4), ("one", 1.0), ("loudness", 10.0))
    ]
    tokens = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, "T"])
    audio = helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, "T"])
    graph = helper.make_graph(nodes, "toy", [tokens], [audio], constants)
    return onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))


def _run(graph: bytes, feeds: dict[str, np.ndarray]) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    model = pytest.importorskip("onnx").load_from_string(graph)
    model.ir_version = 8
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert {node.name for node in session.get_inputs()} >= set(feeds)
    return session.run(None, feeds)[0]


def test_the_durations_graph_ends_at_the_durations() -> None:
    graph = kokoro.durations_graph(_model())
    tokens = np.array([[1.0, 5.0, 10.0]], np.float32)
    assert _run(graph, {"tokens": tokens}).tolist() == [[1, 2, 4]]
    onnx = pytest.importorskip("onnx")
    assert [tensor.name for tensor in onnx.load_from_string(graph).graph.initializer] == ["scale", "one"]


def test_the_speech_graph_obeys_the_injected_durations() -> None:
    graph = kokoro.speech_graph(_model())
    tokens = np.zeros((1, 3), np.float32)
    durations = np.array([[3.0, 1.0, 2.0]], np.float32)
    audio = _run(graph, {"tokens": tokens, "durations": durations})
    np.testing.assert_allclose(audio, [[30.0, 10.0, 20.0]])


def test_a_graph_of_another_build_is_refused() -> None:
    model = _model()
    model.graph.node[1].output[0] = "renamed"
    with pytest.raises(WorkstationError, match="pinned model"):
        kokoro.speech_graph(model)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An npm archive with the style vectors of two voices, all ones and all threes."""
    path = tmp_path / "voices.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, value in (("af_one", 1.0), ("am_three", 3.0)):
            data = np.full((510, 1, 256), value, "<f4").tobytes()
            member = tarfile.TarInfo(f"package/voices/{name}.bin")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("speaker", "value"), [("af_one", 1.0), ("af_one+am_three", 2.0), ("af_one+am_three:0.25", 1.5)]
)
def test_voices_blend_in_proportion(archive: Path, speaker: str, value: float) -> None:
    style = kokoro.style(speaker, archive)
    assert style.shape == (510, 1, 256)
    np.testing.assert_allclose(style, value)


@pytest.mark.parametrize("speaker", ["nobody", "af_one+nobody", "af_one:0.5", "af_one+am_three:2", "af_one+am_three:x"])
def test_a_voice_that_cannot_be_made_is_refused(archive: Path, speaker: str) -> None:
    with pytest.raises(WorkstationError):
        kokoro.style(speaker, archive)


class _Durations:
    """Stands for the durations graph: 200 ms of padding, and per character as many 25 ms as the style says."""

    def __init__(self) -> None:
        self.styles: list[float] = []

    def run(self, _: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.styles.append(float(feeds["style"][0, 0]))
        units = np.full(feeds["tokens"].shape, int(feeds["style"][0, 0]) + 3, np.int64)
        units[0, 0] = units[0, -1] = 8
        return [units]


class _Speech:
    """Stands for the speech graph: a tone as loud as its style, 62.5 ms ahead of the durations, after a soft hum."""

    def run(self, _: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        units = feeds["durations"].reshape(-1).astype(int)
        loudness = np.full(len(units), 1.0)
        loudness[0], loudness[-1] = 0.3, 0.0
        envelope = np.pad(np.repeat(loudness, units * 600)[1500:], (0, 1500))
        tone = 0.1 * np.sin(2 * np.pi * 200.0 * np.arange(len(envelope)) / 24_000.0)
        return [(tone * envelope * float(feeds["style"][0, 0])).astype(np.float32)]


@pytest.fixture
def synthesiser(archive: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[kokoro.KokoroSynthesiser, _Durations]:
    durations = _Durations()
    sessions = {"durations": durations, "speech": _Speech()}
    files = kokoro.KokoroFiles(Path("durations"), Path("speech"), archive)
    monkeypatch.setattr(kokoro, "prepare", lambda cache: files)
    monkeypatch.setattr(kokoro, "_session", lambda path, threads: sessions[path.name])
    monkeypatch.setattr(kokoro, "Phonemizer", lambda: lambda text: text)
    monkeypatch.setattr(kokoro, "_vocabulary", lambda: {"m": 55, "i": 51, "s": 61, " ": 16})
    return kokoro.KokoroSynthesiser(("af_one", "am_three")), durations


def test_all_voices_speak_with_the_timing_of_one_and_each_gets_its_turn(synthesiser) -> None:
    engine, durations = synthesiser
    lengths = []
    for index in range(4):
        utterance = engine.synthesise("misi mis", index)
        assert list(utterance.sounds) == ["af_one", "am_three"]
        assert len({len(sound) for sound in utterance.sounds.values()}) == 1
        lengths.append(len(utterance.sounds["af_one"]))
    assert durations.styles == [1.0, 3.0, 3.0, 1.0]
    assert lengths[0] == lengths[3] < lengths[1] == lengths[2]


def test_silence_is_trimmed_alike_and_labels_fit_the_rest(synthesiser) -> None:
    """8 characters of 100 ms, with 150 ms of padding on both sides, of the 500 and 200 ms that the model made."""
    engine, _ = synthesiser
    utterance = engine.synthesise("misi mis", 0)
    seconds = len(utterance.sounds["af_one"]) / 16_000
    assert seconds == pytest.approx(0.8 + 0.3, abs=0.03)
    assert len(utterance.phones) == len(utterance.sounds["af_one"]) // 160
    spoken = [PHONES[index] for index in utterance.phones if index != SILENCE]
    assert set(spoken) == {"m", "i", "s"}
    assert utterance.phones[0] == utterance.phones[-1] == SILENCE


def test_all_voices_begin_with_the_first_phone_and_not_with_a_hum(synthesiser) -> None:
    """Voices hum or wait before a sentence that another voice timed; pairs of such onsets teach nonsense."""
    engine, _ = synthesiser
    utterance = engine.synthesise("misi mis", 0)
    first = int(np.flatnonzero(utterance.phones)[0])
    assert first == 15
    for sound in utterance.sounds.values():
        levels = frame_levels(sound)
        assert levels[: first - 4].max() < -90.0
        assert levels[first + 1 : first + 70].min() > -30.0


def test_text_without_words_is_passed_over(synthesiser) -> None:
    engine, _ = synthesiser
    assert engine.synthesise("...", 0) is None
    assert engine.synthesise("m" * 600, 0) is None


def test_the_licence_names_every_package_by_hash(synthesiser) -> None:
    engine, _ = synthesiser
    for package in (*kokoro.KOKORO_MODEL, kokoro.KOKORO_VOICES):
        assert package.sha256 in engine.licence_text
        assert package.pin in engine.licence_text
    assert "MIT" in engine.licence_text


def test_a_voice_named_twice_is_refused() -> None:
    with pytest.raises(WorkstationError, match="twice"):
        kokoro.KokoroSynthesiser(("af_heart", "af_heart"))
