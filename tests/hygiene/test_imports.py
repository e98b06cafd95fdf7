"""What may be imported where: the board gets NumPy, and pays for nothing else before it asks."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import edge_runtime

REPOSITORY = Path(__file__).parents[2]
RUNTIME_MODULES = sorted((REPOSITORY / "edge_runtime").rglob("*.py"))
OPTIONAL = frozenset(
    {"soundfile", "ai_edge_litert", "tflite_runtime", "onnxruntime", "sounddevice", "cv2", "PIL", "av"}
)


def _imported(node: ast.AST) -> Iterator[str]:
    """Names of packages that an import statement brings, and those given as text to `import_module`."""
    if isinstance(node, ast.Import):
        yield from (alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield (node.module or "").split(".")[0]


def _at_import_time(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported: functions and TYPE_CHECKING blocks are left out."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", RUNTIME_MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_runtime_imports_only_numpy_at_import_time(path: Path) -> None:
    """An optional library belongs inside the function that needs it, where its absence can name the extra."""
    allowed = {*sys.stdlib_module_names, "numpy", "edge_runtime"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {name for node in _at_import_time(tree) for name in _imported(node)}
    assert found <= allowed


def test_each_optional_library_is_imported_at_one_place() -> None:
    """One place to say what is missing and which extra brings it."""
    places: dict[str, list[str]] = {}
    for path in RUNTIME_MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in set(_imported(node)) & OPTIONAL:
                places.setdefault(name, []).append(f"{path.relative_to(REPOSITORY)}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_the_check_itself_sees_a_module_level_import() -> None:
    """Guards the two tests above against seeing nothing."""
    text = "import os\nif os:\n    import cv2\ndef f():\n    import keras\nclass A:\n    import onnx\n"
    found = {name for node in _at_import_time(ast.parse(text)) for name in _imported(node)}
    assert found == {"os", "cv2", "onnx"}


def test_exported_members_are_sorted_and_there() -> None:
    """The public face is data that a reader can scan (names in capitals first, as sorted)."""
    assert edge_runtime.__all__ == sorted(edge_runtime.__all__)
    assert all(hasattr(edge_runtime, name) for name in edge_runtime.__all__)
    assert len(set(edge_runtime.__all__)) == len(edge_runtime.__all__)


def test_every_error_of_the_tree_is_exported() -> None:
    """What a caller can meet, a caller can name; `WorkstationError` never leaves train and export."""
    from edge_runtime import errors

    tree = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert tree - set(edge_runtime.__all__) == {"WorkstationError"}
