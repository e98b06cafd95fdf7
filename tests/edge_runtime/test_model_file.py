"""A model file is whole, ours and understood, or it is refused in one line."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import model_container, model_file
from edge_runtime.contract import VoiceManifest
from edge_runtime.errors import FrontEndError, ModelFileError, OutputError
from edge_runtime.model_file import open_model, pack_model, write_model
from tests.edge_runtime.manifest_factory import make_front_end

MakeManifest = Callable[..., VoiceManifest]
TINY_TFLITE = Path(__file__).parents[1] / "assets" / "tiny.tflite"


def npy_bytes() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.arange(8, dtype=np.float32).reshape(1, 8))
    return stream.getvalue()


FILES = {"voices.npy": npy_bytes(), "NOTICE": "made for tests, ü\n".encode(), "golden.npz": bytes(range(256))}


def fake_onnx() -> bytes:
    """The outside of a ModelProto: ir_version, producer, a graph, and one property of its own."""
    field = model_container._field
    own = field(14, field(1, b"author") + field(2, b"somebody"))
    return b"\x08\x0a" + field(2, b"tests") + field(7, bytes(range(200))) + own


@pytest.fixture(params=["tflite", "onnx"])
def graph_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def graph(graph_format: str) -> bytes:
    return TINY_TFLITE.read_bytes() if graph_format == "tflite" else fake_onnx()


@pytest.fixture
def packed(graph: bytes, graph_format: str, make_manifest: MakeManifest) -> bytes:
    return pack_model(graph, graph_format, make_manifest(graph).to_json(), FILES)


def seal(body: bytes) -> bytes:
    """Give ``body`` the right digest, as a forger would."""
    return body + hashlib.sha256(body).hexdigest().encode()


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        open_model(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_round_trip_gives_back_graph_manifest_and_files(
    tmp_path: Path, packed: bytes, graph: bytes, graph_format: str, make_manifest: MakeManifest
) -> None:
    write_model(tmp_path / "m", packed)
    model = open_model(tmp_path / "m")
    assert model.graph == graph
    assert model.graph_format == graph_format
    assert model.manifest == make_manifest(graph)
    assert dict(model.files) == FILES
    assert np.load(io.BytesIO(model.files["voices.npy"]), allow_pickle=False).shape == (1, 8)


def test_last_64_bytes_are_the_digest_of_the_rest(packed: bytes) -> None:
    assert packed[-64:].decode() == hashlib.sha256(packed[:-64]).hexdigest()


def test_packing_is_deterministic_and_ignores_the_order_of_files(
    packed: bytes, graph: bytes, graph_format: str, make_manifest: MakeManifest
) -> None:
    reversed_files = dict(reversed(FILES.items()))
    assert pack_model(graph, graph_format, make_manifest(graph).to_json(), reversed_files) == packed


def test_zipfile_lists_and_checks_the_tail_of_a_tflite(tmp_path: Path, make_manifest: MakeManifest) -> None:
    graph = TINY_TFLITE.read_bytes()
    path = tmp_path / "m.tflite"
    write_model(path, pack_model(graph, "tflite", make_manifest(graph).to_json(), FILES))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["manifest.json", *sorted(FILES)]
        assert archive.testzip() is None
        assert archive.infolist()[0].header_offset == len(graph)
        assert json.loads(archive.read("manifest.json"))["kind"] == "voice"


def test_every_flipped_byte_is_refused(tmp_path: Path, packed: bytes, graph: bytes) -> None:
    """Random places, and every byte of the structure: magic, first headers, manifest's start, tail and digest."""
    rng = random.Random(1)
    places = {rng.randrange(len(packed)) for _ in range(400)}
    places |= set(range(16)) | set(range(len(graph) - 4, len(graph) + 64)) | set(range(len(packed) - 400, len(packed)))
    for place in sorted(places):
        changed = bytearray(packed)
        changed[place] ^= 1 << rng.randrange(8)
        refusal(tmp_path / "m", bytes(changed))


def test_upper_case_digest_is_refused(tmp_path: Path, packed: bytes) -> None:
    refusal(tmp_path / "m", packed[:-64] + packed[-64:].upper())


def test_every_truncation_is_refused(tmp_path: Path, packed: bytes) -> None:
    for length in [*range(0, len(packed), 61), *range(len(packed) - 200, len(packed))]:
        refusal(tmp_path / "m", packed[:length])


@pytest.mark.parametrize("extra", [b"\0", b"x" * 64, b"PK\5\6" + b"\0" * 18])
def test_appended_bytes_are_refused(tmp_path: Path, packed: bytes, extra: bytes) -> None:
    assert "checksum" in refusal(tmp_path / "m", packed + extra)


def test_a_bare_graph_and_other_files_are_refused(tmp_path: Path, graph: bytes) -> None:
    assert "checksum" in refusal(tmp_path / "m", graph)
    assert "behind its graph, or none" in refusal(tmp_path / "m", seal(graph))
    assert "not a model file" in refusal(tmp_path / "m", b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "empty" in refusal(tmp_path / "m", b"")


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="does not exist"):
        open_model(tmp_path / "none.tflite")
    with pytest.raises(ModelFileError, match="is a folder"):
        open_model(tmp_path)


def test_oversized_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.tflite"
    with open(path, "wb") as file:
        file.truncate(4 * 2**30)
    with pytest.raises(ModelFileError, match="at most 256 MB"):
        open_model(path)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"format_version": 2}, ModelFileError, "format version 2"),
        ({"kind": "house"}, ModelFileError, "kind 'house'"),
        ({"front_end": make_front_end(version=99)}, FrontEndError, "front end version 99"),
        ({"front_end_fingerprint": "0" * 64}, FrontEndError, "fingerprint"),
    ],
)
def test_a_manifest_of_another_time_or_kind_is_refused(
    tmp_path: Path, graph: bytes, graph_format: str, make_manifest: MakeManifest, changes: dict[str, object],
    error: type[ModelFileError], text: str,
) -> None:  # fmt: skip
    path = tmp_path / "m"
    write_model(path, pack_model(graph, graph_format, make_manifest(graph, **changes).to_json(), FILES))
    with pytest.raises(error, match=text) as caught:
        open_model(path)
    assert type(caught.value) is error
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"kind": "voice"}'])
def test_a_forged_manifest_that_is_no_manifest_is_refused(
    tmp_path: Path, graph: bytes, graph_format: str, manifest: bytes
) -> None:
    refusal(tmp_path / "m", model_container.pack(graph, graph_format, {"manifest.json": manifest}))


def test_a_number_no_float_holds_is_refused(
    tmp_path: Path, graph: bytes, graph_format: str, make_manifest: MakeManifest
) -> None:
    data = dataclasses.asdict(make_manifest(graph)) | {"latency_ms": 10**400}
    forged = json.dumps(data).encode()
    refusal(tmp_path / "m", model_container.pack(graph, graph_format, {"manifest.json": forged}))


@pytest.mark.parametrize("changes", [{"graph_bytes": 1}, {"graph_sha256": "0" * 64}])
def test_a_graph_that_is_not_the_described_one_is_refused(
    tmp_path: Path, graph: bytes, graph_format: str, make_manifest: MakeManifest, changes: dict[str, object]
) -> None:
    text = make_manifest(graph, **changes).to_json()
    with pytest.raises(ModelFileError, match="not the one"):
        pack_model(graph, graph_format, text, {})
    forged = model_container.pack(graph, graph_format, {"manifest.json": text.encode()})
    assert "not the one" in refusal(tmp_path / "m", forged)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "", ".hidden", "x" * 101, "a\nb", "x.b64", "ü"])
def test_names_that_could_leave_a_folder_are_not_packed(
    graph: bytes, graph_format: str, make_manifest: MakeManifest, name: str
) -> None:
    with pytest.raises(ModelFileError):
        pack_model(graph, graph_format, make_manifest(graph).to_json(), {name: b"x"})


def test_forged_path_traversal_is_refused_and_nothing_is_extracted(tmp_path: Path, packed: bytes) -> None:
    forged = packed[:-64].replace(b"NOTICE", b"../../")
    assert "not allowed" in refusal(tmp_path / "m", seal(forged))
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def forge_zip(graph: bytes, entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    stream.write(graph)
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
        archive.comment = b"changeling-sha256:" + b"0" * 64
    return seal(stream.getvalue()[:-64])


def test_zip_bomb_is_refused_without_being_inflated(tmp_path: Path) -> None:
    graph = TINY_TFLITE.read_bytes()
    forged = forge_zip(graph, [("manifest.json", bytes(200_000_000))], zipfile.ZIP_DEFLATED)
    assert len(forged) < 400_000
    assert "damaged archive" in refusal(tmp_path / "m", forged)


def test_a_stored_member_that_claims_to_be_larger_is_refused(tmp_path: Path) -> None:
    forged = bytearray(forge_zip(TINY_TFLITE.read_bytes(), [("manifest.json", b"{}")])[:-64])
    central = forged.rindex(b"PK\1\2")
    struct.pack_into("<2L", forged, central + 20, 2**31, 2**31)
    assert "damaged archive" in refusal(tmp_path / "m", seal(bytes(forged)))


def test_oversized_manifest_too_many_files_and_twins_are_refused(tmp_path: Path, make_manifest: MakeManifest) -> None:
    graph = TINY_TFLITE.read_bytes()
    manifest = ("manifest.json", make_manifest(graph).to_json().encode())
    assert "at most 1000000" in refusal(tmp_path / "m", forge_zip(graph, [("manifest.json", b" " * 1_000_001)]))
    many = [manifest, *((f"f{i}", b"") for i in range(65))]
    assert "more than 64" in refusal(tmp_path / "m", forge_zip(graph, many))
    with pytest.warns(UserWarning, match="Duplicate"):
        twins = forge_zip(graph, [manifest, ("a", b"1"), ("a", b"2")])
    assert "twice" in refusal(tmp_path / "m", twins)
    assert "manifest.json" in refusal(tmp_path / "m", forge_zip(graph, [("a", b"1"), manifest]))


def test_oversized_members_are_refused(
    tmp_path: Path, graph: bytes, graph_format: str, packed: bytes, make_manifest: MakeManifest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "good").write_bytes(packed)
    monkeypatch.setattr(model_container, "MAXIMUM_FILE_BYTES", 250)
    with pytest.raises(ModelFileError, match="at most 250"):
        pack_model(graph, graph_format, make_manifest(graph).to_json(), FILES)
    with pytest.raises(ModelFileError, match="at most 250"):
        open_model(tmp_path / "good")
    monkeypatch.setattr(model_file, "MAXIMUM_BYTES", len(packed) - 1)
    with pytest.raises(ModelFileError, match="at most"):
        open_model(tmp_path / "good")


def test_hidden_bytes_between_the_parts_are_refused(tmp_path: Path, make_manifest: MakeManifest) -> None:
    """A forger who reseals the file still cannot add what no reader would show."""
    graph = TINY_TFLITE.read_bytes()
    body = pack_model(graph, "tflite", make_manifest(graph).to_json(), FILES)[:-64]
    central = body.index(b"PK\1\2")
    assert "archive" in refusal(tmp_path / "m", seal(body[:central] + b"hidden" + body[central:]))


def test_resealed_random_damage_never_gives_anything_but_a_refusal_or_a_model(tmp_path: Path, packed: bytes) -> None:
    """With the right checksum on top, the parsers behind it meet the damage themselves."""
    rng = random.Random(2)
    path = tmp_path / "m"
    messages: list[str] = []
    for _ in range(400):
        body = bytearray(packed[:-64])
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        if rng.random() < 0.3:
            del body[rng.randrange(len(body)) :]
        path.write_bytes(seal(bytes(body)))
        try:
            open_model(path)
        except ModelFileError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert not any("\n" in message for message in messages)


def test_full_disk_leaves_the_old_model_and_no_temporary_file(
    tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OutputError, match="free some space"):
        write_model(path, packed)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_litert_runs_the_whole_file(tmp_path: Path, make_manifest: MakeManifest) -> None:
    """The tail must not disturb an interpreter that knows nothing of it."""
    interpreter_module = pytest.importorskip("ai_edge_litert.interpreter")
    graph = TINY_TFLITE.read_bytes()
    packed = pack_model(graph, "tflite", make_manifest(graph).to_json(), FILES)
    interpreter = interpreter_module.Interpreter(model_content=packed)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.array([[0, 1, 2, 3]], np.float32))
    interpreter.invoke()
    result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(result, [[1, 3, 5, 7]])


def test_onnx_and_onnxruntime_load_the_whole_file(tmp_path: Path, make_manifest: MakeManifest) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    value = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    inputs, outputs = [value("x", 1, [1, 4])], [value("y", 1, [1, 4])]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "tiny", inputs, outputs),
        opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    graph = model.SerializeToString()
    path = tmp_path / "m.onnx"
    write_model(path, pack_model(graph, "onnx", make_manifest(graph).to_json(), FILES))
    loaded = onnx.load(path)
    onnx.checker.check_model(loaded)
    properties = {entry.key: entry.value for entry in loaded.metadata_props}
    assert list(properties) == ["manifest.json", "NOTICE", "golden.npz.b64", "voices.npy.b64", "changeling.sha256"]
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": np.ones((1, 4), np.float32)})[0], 2 * np.ones((1, 4)))
    assert session.get_modelmeta().custom_metadata_map["NOTICE"] == FILES["NOTICE"].decode()
    assert open_model(path).graph == graph
