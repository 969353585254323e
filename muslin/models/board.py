"""A board that QEMU emulates: one file in `boards/`, its stem the board's name."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from muslin.engine import errors as engine_errors
from muslin.models import declaration
from muslin.models import errors as model_errors
from muslin.models.declaration import Declaration

Text = Annotated[str, Field(min_length=1)]


class Board(Declaration):
    """An emulated machine on which services start, each as process 1 of a namespace."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+$", max_length=40)]
    summary: Text
    """The board in one line for people."""
    targets: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Targets whose programs it runs."""
    program: Literal["qemu-system-arm", "qemu-system-aarch64"]
    """The emulator."""
    machine: Text
    """QEMU's name of the board: `qemu-system-arm -M help` lists them."""
    options: tuple[Text, ...] = ()
    """More options of QEMU."""
    kernel: Text
    """A group of `recipes/pins/kernels.toml`."""
    device_tree: Annotated[str, Field(pattern=r"\.dtb$")]
    """Name of a file of the kernel's package."""
    append: tuple[Text, ...]
    """Command line of the kernel."""
    modules: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")], ...] = ()
    """Kernel modules to load, each after its own dependencies."""
    seconds: Annotated[float, Field(gt=0.0, le=24 * 3600.0)] = 60.0
    """Time from its start until everything that a service declares must have been seen, unless
    `seconds` of the service is longer."""
    network: str = ""
    """QEMU's network device; none if empty."""


def load(*folders: Path, targets: Collection[str]) -> dict[str, Board]:
    """Every board, by name; `targets` are those that there are. A file of a later folder takes the
    place of one of its name."""
    boards: dict[str, Board] = {}
    files = {path.name: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    for _, path in sorted(files.items()):
        board = declaration.read(path, Board, name=path.stem)
        for name in board.targets:
            if name not in targets:
                fault = f"targets: {model_errors.Unknown('target', name, targets)}"
                raise engine_errors.BadDeclaration(path, [fault])
        boards[board.name] = board
    return boards
