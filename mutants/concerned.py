"""Which tests concern a module: those that are named after it or name it, and all that reach it by
what they import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("tests/unit", "tests/e2e")
NAMED = re.compile(r"\b(?:muslin|recipes|tests)(?:\.[a-z_0-9]+)+")
NOXFILE = "noxfile"


class Concerned:
    """The tests of a repository and what they import, directly and in the end."""

    def __init__(self, root: Path) -> None:
        self._paths = {
            _dotted(path.relative_to(root)): path
            for folder in ("muslin", "recipes", "tests")
            for path in (root / folder).rglob("*.py")
        } | {NOXFILE: root / "noxfile.py"}
        self._imports = {name: set(self._named(name)) for name in self._paths}
        self._tests = sorted(
            path.relative_to(root).as_posix()
            for folder in FOLDERS
            for path in (root / folder).rglob("test_*.py")
        )

    def _named(self, name: str) -> Iterator[str]:
        """Modules that a module imports, or names in a text: some are run as programs."""
        text = self._paths[name].read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield from self._known(f"{node.module}.{alias.name}")
        for match in NAMED.finditer(text):
            yield from self._known(match[0])
        if name.startswith("tests.") and '"nox"' in text:
            yield NOXFILE

    def _known(self, name: str) -> Iterator[str]:
        """The module that a name is, or is in."""
        while name not in self._paths and "." in name:
            name = name.rpartition(".")[0]
        if name in self._paths:
            yield name

    def tests(self, module: str) -> tuple[list[str], list[str]]:
        """Those that a fault in a module should be noticed by, and the others that can; of each the
        likeliest first."""
        name = _dotted(Path(module))
        distances = {test: self._distance(_dotted(Path(test)), name) for test in self._tests}
        mirror = f"test_{name.rpartition('.')[2]}.py"
        likely = sorted(
            (Path(test).name != mirror, distance, test)
            for test, distance in distances.items()
            if distance
        )
        near = [test for other, distance, test in likely if distance == 1 or not other]
        return near, [test for _, _, test in likely if test not in near]

    def _distance(self, start: str, end: str) -> int:
        """Imports from one module to another; 0 where none lead there."""
        seen, steps, reached = {start}, 0, {start}
        while reached:
            steps += 1
            reached = {one for name in reached for one in self._imports[name]} - seen
            if end in reached:
                return steps
            seen |= reached
        return 0


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
