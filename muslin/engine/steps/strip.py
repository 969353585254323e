"""Strip ELF files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from muslin.engine.filesystem import walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step
from muslin.engine.steps.run import Run

BATCH = 100
"""Files handed to one strip process."""


@dataclass(frozen=True, kw_only=True)
class Strip(Step):
    """Strip the ELF files and archives below a folder, in parts of a hundred."""

    revision: ClassVar[int] = 1
    program: str
    root: str
    options: tuple[str, ...]
    kind: Literal["programs", "libraries"]
    """`programs`: executables and shared objects; `libraries`: `.a` and `.o` files."""

    def perform(self, sandbox: Sandbox) -> None:
        wanted = _is_program if self.kind == "programs" else _is_library
        root = sandbox.own(self.root)
        found = sorted(path for path in walk.files(root) if wanted(path))
        for start in range(0, len(found), BATCH):
            batch = tuple(str(path) for path in found[start : start + BATCH])
            Run(argv=(self.program, *self.options, *batch)).perform(sandbox)


def _is_program(path: Path) -> bool:
    with walk.opened(path) as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] in (b"\2\0", b"\3\0", b"\0\2", b"\0\3")


def _is_library(path: Path) -> bool:
    if path.suffix not in (".a", ".o"):
        return False
    with walk.opened(path) as file:
        head = file.read(8)
    return head == b"!<arch>\n" or head[:4] == b"\x7fELF"
