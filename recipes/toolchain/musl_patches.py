"""What of musl we have quicker functions of: `recipes/musl` lies over musl's own tree.

musl's memcpy and memmove for x86-64 are the processor's `rep movsq`, which takes longer to begin
than a small copy takes; its memcmp goes byte by byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import Copy, Remove, Step, Tree
from muslin.models.target import Target

FOLDER = "recipes/musl"
FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "EM_X86_64": tuple(
            f"src/string/x86_64/{name}" for name in ("memcmp.c", "memcpy.c", "memmove.c", "wide.h")
        )
    }
)
"""By the machine that they are for. A file of an architecture's folder takes the place of the one
for all; one in another language has to go."""
GONE = ("src/string/x86_64/memcpy.s", "src/string/x86_64/memmove.s")


def files(target: Target) -> tuple[str, ...]:
    """Those that a target gets, below `FOLDER`."""
    return FILES.get(target.machine, ())


def trees(own: Tree | None) -> tuple[tuple[str, Tree], ...]:
    """A stage's trees for it."""
    return (("musl", own),) if own else ()


def steps(own: Tree | None, *, into: str) -> tuple[Step, ...]:
    """Lay them over the unpacked sources."""
    if own is None:
        return ()
    return (Remove(root=into, patterns=GONE), Copy(source="${tree.musl}", to=into))
