"""Imports point down: each layer knows the ones below it and none above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

LAYERS: tuple[tuple[str, ...], ...] = (
    ("noxfile",),
    ("recipes.sessions", "recipes.reproduce", "recipes.by_hand"),
    ("recipes.pipeline",),
    ("recipes.*",),  # catalog, dist, doctor, lock, settings
    ("recipes.stages.*",),
    ("recipes.workspaces", "recipes.crate_sources", "recipes.trees"),
    ("recipes.target", "recipes.service", "recipes.source", "recipes.board"),
    ("recipes.image_declaration", "recipes.project", "recipes.cargo_manifest"),
    ("recipes.audit.*",),
    ("recipes.declaration",),
    ("recipes.engine.build",),
    ("recipes.engine.*",),
    ("recipes.engine.stage",),
    ("recipes.document",),
    ("recipes.errors", "recipes.seen"),
)
"""From the top. A module that is named belongs where it is named, others where a pattern says."""
PACKAGES = ("recipes", "recipes.stages", "recipes.engine", "recipes.audit")
"""They hold a docstring and nothing else."""


def modules() -> dict[str, Path]:
    paths = [PROJECT / "noxfile.py", *(PROJECT / "recipes").rglob("*.py")]
    return {_name(path): path for path in sorted(paths)}


def _name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = modules()


def imports(name: str) -> Iterator[tuple[str, int]]:
    """Every module that a module imports, wherever in it, with the line."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module, node.lineno


def layer(name: str) -> int:
    for number, names in enumerate(LAYERS):
        if name in names:
            return number
    for number, names in enumerate(LAYERS):
        if f"{name.rpartition('.')[0]}.*" in names:
            return number
    pytest.fail(f"{name} is in no layer: name it in LAYERS of {__file__}")


OWN = sorted(MODULES.keys() - set(PACKAGES))


@pytest.mark.parametrize("name", OWN)
def test_a_module_imports_only_what_is_below_it(name: str) -> None:
    for other, line in imports(name):
        if other in MODULES and other not in PACKAGES:
            assert layer(name) <= layer(other), f"{name}:{line} imports {other}, which is above it"


def test_no_module_imports_itself_through_others() -> None:
    TopologicalSorter(
        {name: {other for other, _ in imports(name) if other in MODULES} for name in OWN}
    ).prepare()


@pytest.mark.parametrize("name", [name for name in OWN if name.startswith("recipes.engine.")])
def test_the_engine_knows_no_recipe_and_no_nox(name: str) -> None:
    for other, line in imports(name):
        below = ("recipes.errors", "recipes.document", "recipes.seen")
        allowed = other in below or other.startswith("recipes.engine.")
        assert allowed or not other.startswith("recipes"), f"{name}:{line} imports {other}"
        assert other.partition(".")[0] != "nox", f"{name}:{line} imports {other}"


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_holds_nothing_but_its_docstring(name: str) -> None:
    (docstring,) = ast.parse(MODULES[name].read_text()).body
    assert isinstance(docstring, ast.Expr)


@pytest.mark.parametrize("name", OWN)
def test_one_module_starts_processes(name: str) -> None:
    banned = {"subprocess", "multiprocessing", "pty", "asyncio"}
    found = {other.partition(".")[0] for other, _ in imports(name)} & banned
    assert found == ({"subprocess"} if name == "recipes.engine.process" else set())
    if name == "recipes.engine.confinement":
        return  # it is run as a program, and it becomes what it was told to run
    for call in _calls(name):
        assert not call.startswith(("os.system", "os.popen", "os.exec", "os.spawn", "os.fork")), (
            call
        )


@pytest.mark.parametrize("name", OWN)
def test_only_the_report_prints(name: str) -> None:
    calls = set(_calls(name))
    assert "print" not in calls
    # The audit is a program of its own, and so is confinement: what they print goes to a stage's
    # log. What has not changed says what the report said, and takes no library for it.
    own = ("recipes.audit.__main__", "recipes.engine.confinement", "recipes.unchanged")
    if name not in (*own, "recipes.engine.report"):
        assert "tqdm" not in {other.partition(".")[0] for other, _ in imports(name)}
        text = MODULES[name].read_text()
        assert "sys.stdout" not in text
        assert "sys.stderr" not in text


def _calls(name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_a_stage_recipe_touches_nothing() -> None:
    """No clock, no machine, no files: a recipe is a pure function."""
    banned = {"os", "sys", "time", "datetime", "platform", "shutil", "socket", "random", "tempfile"}
    for name in OWN:
        if name.startswith("recipes.stages."):
            found = {other.partition(".")[0] for other, _ in imports(name)} & banned
            assert not found, f"{name} imports {found}"
