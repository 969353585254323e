"""What a recipe returns and the engine runs: frozen data.

Text fields may hold placeholders, expanded when the stage runs: `${out}` (what is published),
`${work}` (thrown away), `${cache}` (where both lie), `${scratch}`, `${jobs}`, `${python}` (this
interpreter, with the project's libraries), `${source.ALIAS}` (a file), `${tree.ALIAS}` (a copy of
the project's own files), `${need.ALIAS}` (another stage's output, read-only), `${tool.ALIAS}` (the
same, not in the key) and, in checks alone, `${judge.ALIAS}`. `$${` stands for a literal `${`
(`muslin/engine/template.py`).

Every field is in the stage's key unless its metadata says `UNKEYED`. The kinds of steps and checks
are in `muslin/engine/steps/` and `muslin/engine/checks/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from muslin.engine import errors
from muslin.engine.filesystem.walk import MOST
from muslin.engine.sandbox import Sandbox
from muslin.engine.source import UNKEYED, Source, Tree


class Step(ABC):
    """One thing that a stage does. Subclasses are frozen dataclasses."""

    revision: ClassVar[int]
    """In the key: raised when the same step would write other bytes than before."""

    @abstractmethod
    def perform(self, sandbox: Sandbox) -> None:
        """Do it. Raises `StepFailed` and what the system and the programs raise."""
        # Not `run`: some steps have a field of that name, and names of fields are in keys.


class Check(ABC):
    """One thing that must be true of a stage's output. Subclasses are frozen dataclasses.

    A check reads `${out}` and writes only below `${work}`. Checks have a key of their own.
    """

    revision: ClassVar[int]
    """As that of a step."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What must be true."""

    @abstractmethod
    def examine(self, sandbox: Sandbox) -> Iterable[str]:
        """Yield every finding. Raises what a step raises."""

    def insist(self, sandbox: Sandbox) -> None:
        """Raise `CheckFailed` with every finding, if any."""
        if findings := list(self.examine(sandbox)):
            with sandbox.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
                log.writelines(f"{line}\n" for line in (f"check failed: {self.title}", *findings))
            raise errors.CheckFailed(sandbox.stage, self.title, findings, sandbox.log)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One box of the pipeline: what goes in, what is done, what must be true of the result."""

    name: str = field(metadata=UNKEYED)
    steps: tuple[Step, ...]
    sources: tuple[tuple[str, Source], ...] = ()
    trees: tuple[tuple[str, Tree], ...] = ()
    needs: tuple[tuple[str, Stage], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    runs_on: Literal["host", "target", "nowhere"]
    """Where the output runs; `host` puts the host's machine and libc version into the key."""
    checks: tuple[Check, ...] = field(default=(), metadata=UNKEYED)
    """In the check's own key."""
    judges: tuple[tuple[str, Stage], ...] = field(default=(), metadata=UNKEYED)
    """Stages that only checks use, as `${judge.ALIAS}`; in the check's own key."""
    blames: tuple[Stage, ...] = field(default=(), metadata=UNKEYED)
    """Stages whose output is to be built again if a program of this stage refuses it."""
    tools: tuple[tuple[str, Stage], ...] = field(default=(), metadata=UNKEYED)
    """Programs that stand in for the host's own, as `${tool.ALIAS}`, their `bin` on PATH;
    provenance, not keyed."""
    path: tuple[str, ...] = ()
    """Folders of needs that come first on PATH, before those of tools and the host's own."""
    scratch: tuple[str, ...] = field(default=(), metadata=UNKEYED)
    """Asks for a folder that is kept between runs and names the needs with which it is thrown
    away. So it is when a step or the environment changes; other trees and needs keep it."""
    shared: bool = field(default=False, metadata=UNKEYED)
    """Whether its output may come from a shared store and go to one: finished products that take
    long. Never verdicts, tests, images, downloads, and trees that are built in further."""
    network: bool = field(default=False, metadata=UNKEYED)
    """The steps fetch: the user's proxy and CA settings reach them."""
    target: str = field(default="", metadata=UNKEYED)
    summary: str = field(default="", metadata=UNKEYED)
    milestones: tuple[tuple[str, str], ...] = field(default=(), metadata=UNKEYED)
    """Files, as patterns below `${work}`, that a build makes on its way, in their order, and what
    a person is told once one is there."""
    guess: float = field(default=10.0, metadata=UNKEYED)
    """CPU seconds, for the estimate before there is a measured one."""
    memory: int = field(default=100_000_000, metadata=UNKEYED)
    """Bytes of memory that its largest process takes, before there is a measured figure."""
    peak: int = field(default=100_000_000, metadata=UNKEYED)
    """Bytes of disk that a build takes while it runs; a guess on the safe side."""
    kept: int = field(default=20_000_000, metadata=UNKEYED)
    """Bytes that stay; docs/timings.md has measured ones."""
    most: int = field(default=MOST, metadata=UNKEYED)
    """Bytes that may stay: beyond them its build went wrong, and nothing is published."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """What of this machine can change an output that runs on it."""

    machine: str
    libc: str
