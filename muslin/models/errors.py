"""What is wrong with declarations, pins and settings.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from muslin.engine.similar_names import similar
from muslin.errors import PipelineError
from muslin.invocation import spelled


class BadVariable(PipelineError):
    """An environment variable of ours holds something that makes no sense."""

    def __init__(self, name: str, said: str, wanted: str) -> None:
        super().__init__(f"{name} is {said!r}; it should be {wanted}, or unset")


class BadToken(PipelineError):
    """A variable with a secret holds what cannot be sent; its value is not shown."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has white space or characters beyond ASCII, which no token has. Set it to the "
            "token alone, without a line's end, or unset it"
        )


class Unknown(PipelineError):
    """A name on the command line or in a declaration that nothing answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(set(known))
        near = similar(name, names)
        hint = f" Did you mean {near[0]}?" if near else ""
        listing = ", ".join(names) or f"no {kind} at all"
        super().__init__(f"there is no {kind} {name!r}.{hint}\n  There is: {listing}")


class NoProject(PipelineError):
    """There is nothing to build here, nor in any directory above."""

    def __init__(self, start: Path) -> None:
        super().__init__(
            f"neither {start} nor a directory above it is a project: there is no Cargo.toml, "
            "CMakeLists.txt, Makefile or muslin.toml. Change to the directory of your program"
        )


class UnreadableSource(PipelineError):
    """A file that something is built from cannot be read."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} is among what is built and cannot be read: {error.strerror}. Make it "
            "readable for this user, or move it out of the project's folder"
        )


class NotPinned(PipelineError):
    """A recipe is there and what it builds is not pinned."""

    def __init__(self, component: str, known: Iterable[str]) -> None:
        near = similar(component, known)
        hint = f" (there is {near[0]})" if near else ""
        super().__init__(
            f"recipes/pins/ has no pin {component!r}{hint}. "
            f"`{spelled('update', component)}` makes one of the Debian source package of that "
            "name, in debian.toml. Where the package is called otherwise (the field `Source` says "
            f"it), take its name there, and make [pins.{component}] of the table afterwards; its "
            "`package` stays. In upstream.toml one is written by hand (MUSLIN_SOURCES=debian does "
            "without)"
        )


class SharedTriple(PipelineError):
    """A Rust triple on the command line stands for more than one target."""

    def __init__(self, triple: str, targets: Sequence[str]) -> None:
        super().__init__(f"{triple} is the triple of {' and of '.join(targets)}; say which by name")


class BadCrate(PipelineError):
    """What `--crate` names cannot be a crate's name with a version."""

    def __init__(self, said: str) -> None:
        super().__init__(
            f"--crate {said!r} is no name of a crate with a version: write ripgrep, ripgrep@15, "
            "ripgrep@15.1.0 or 'ripgrep@>=14, <16'"
        )


class NoPrograms(PipelineError):
    """A published crate has nothing to build."""

    def __init__(self, crate: str, left_out: Iterable[str]) -> None:
        names = ", ".join(left_out)
        why = (
            f"its programs ({names}) require features that are off by default"
            if names
            else "it is a library"
        )
        super().__init__(f"{crate} gives no program: {why}")


class NoWheel(PipelineError):
    """A program that pip fetches is not pinned for this machine."""

    def __init__(self, name: str, machine: str, known: Sequence[str]) -> None:
        super().__init__(
            f"recipes/pins/zig.toml has {name} for {', '.join(known)}, and none for {machine}: the "
            "driver builtin (`--driver`) builds a compiler from source"
        )


class NoZig(PipelineError):
    """The driver `zig` is asked for a target that says nothing of it."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"toolchains/{target}.toml has no `zig`, the name and processor that zig knows the "
            "target by: add it, or let GCC be built by the driver builtin (`--driver`)"
        )
