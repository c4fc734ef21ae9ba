"""No import upwards: the rooms of the package in the order that CONTRIBUTING gives, each by its own imports."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "pkttools"
ORDER = re.search(r"Nothing imports upwards: (.*?)\.\s", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)[1]
FLOORS = {room: number for number, floor in enumerate(ORDER.split("<")) for room in re.findall(r"\w+", floor)}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(parts: tuple[str, ...]) -> str:
    """The room of a module, given its parts below the package."""
    return Path(parts[0]).stem


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import of ours, also the late ones; not those for type checkers alone."""
    package = path.relative_to(PACKAGE).parts[:-1]
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        pending += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            module = tuple(node.module.split(".")) if node.module else ()
            for target in [base + module] if base + module else [(alias.name,) for alias in node.names]:
                if not target[0].startswith("__"):  # __version__
                    yield node.lineno, room(target)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "pkttools" for name in names), (
                f"{path}:{node.lineno}: imports of ours are relative"
            )


def test_every_folder_is_published():
    """Else it is missing where the package was installed."""
    published = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert folders == {*published} - {"pkttools.labs"}  # which lies elsewhere, and is no code


def test_every_room_has_a_floor():
    assert set(FLOORS) == {room(path.relative_to(PACKAGE).parts) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_upwards(path: Path):
    own = room(path.relative_to(PACKAGE).parts)
    upwards = [(line, other) for line, other in imports(path) if other != own and FLOORS[other] >= FLOORS[own]]
    assert not upwards, f"{own} is below or beside these: {upwards}"
