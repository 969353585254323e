"""What modules may do: one starts processes, one prints, and recipes do neither.

Which module may import which is held by the contracts in `pyproject.toml` (`nox -s lint`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def modules() -> dict[str, Path]:
    paths = [path for name in ("muslin", "recipes") for path in (PROJECT / name).rglob("*.py")]
    paths.append(PROJECT / "noxfile.py")
    return {_name(path): path for path in sorted(paths)}


def _name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = modules()
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
OWN = sorted(MODULES.keys() - PACKAGES)


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


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_package_holds_nothing_but_its_docstring(name: str) -> None:
    (docstring,) = ast.parse(MODULES[name].read_text()).body
    assert isinstance(docstring, ast.Expr)


@pytest.mark.parametrize("name", OWN)
def test_one_module_starts_processes(name: str) -> None:
    banned = {"subprocess", "multiprocessing", "pty", "asyncio"}
    found = {other.partition(".")[0] for other, _ in imports(name)} & banned
    assert found == ({"subprocess"} if name == "muslin.engine.process.supervisor" else set())
    if name in {"muslin.engine.process.landlock", "muslin.cli.terminal"}:
        return  # they are run as programs, and become what they were told to run
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
    # The check is a program of its own as well, which starts without the pipeline.
    process = "muslin.engine.process"
    own = ("muslin.audit.__main__", f"{process}.landlock", "muslin.cli.up_to_date")
    if name not in (
        *own,
        f"{process}.launcher",
        "muslin.cli.terminal",
        "muslin.check.__main__",
        "muslin.engine.console",
    ):
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
        if name.startswith("recipes."):
            found = {other.partition(".")[0] for other, _ in imports(name)} & banned
            assert not found, f"{name} imports {found}"
