"""Look at the headers of ELF files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from muslin.engine.filesystem import patterns, walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Check

SHOWN = 5
"""Files that are named where the wanted one is missing."""
UNSOUND = (ELFError, ArithmeticError, AssertionError, AttributeError, LookupError, ValueError)
"""What pyelftools raises for headers that make no sense."""


@dataclass(frozen=True, kw_only=True)
class Elf(Check):
    """Every ELF file that a pattern matches is for this machine; at least one matches."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    patterns: tuple[str, ...]
    machine: str
    """pyelftools' name: `EM_ARM`, `EM_AARCH64`, `EM_X86_64`."""
    static: bool = False
    """Also: no interpreter and no needed library."""

    @property
    def title(self) -> str:
        """What must be true."""
        return f"ELF files for {self.machine}"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        root = sandbox.path(self.root)
        found = 0
        for pattern in self.patterns:
            for path in patterns.find(root, pattern):
                if path.is_symlink() or not path.is_file():
                    continue
                with walk.opened(path) as file:
                    if file.read(4) != b"\x7fELF":
                        continue
                    found += 1
                    try:
                        elf = ELFFile(file)
                        yield from (f"{path.name}: {fault}" for fault in self._faults(elf))
                    except UNSOUND as error:
                        yield f"{path.name}: not a sound ELF file: {error}"
        if not found:
            there = sorted(str(path.relative_to(root)) for path in walk.files(root))
            more = ", …" if len(there) > SHOWN else ""
            yield f"no ELF file matches {', '.join(self.patterns)}"
            yield f"there is: {', '.join(there[:SHOWN]) or 'no file at all'}{more}"

    def _faults(self, elf: ELFFile) -> Iterator[str]:
        if elf.header.e_machine != self.machine:
            yield f"is for {elf.header.e_machine}"
        if self.static:
            for segment in elf.iter_segments():
                if isinstance(segment, InterpSegment):
                    name = segment.get_interp_name()
                    hint = "does its build pass LDFLAGS to the linker?"
                    yield f"wants the interpreter {name}: {hint}"
                if isinstance(segment, DynamicSegment):
                    needed = [str(vars(tag)["needed"]) for tag in segment.iter_tags("DT_NEEDED")]
                    yield from (f"needs {name}" for name in needed)
