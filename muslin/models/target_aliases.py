"""What else a target is called: by Docker, Go, Debian, Rust and GNU, and by the boards it is for.

None of these is accepted on a command line, for most mean something else elsewhere: they lead to
the names that are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from muslin.models.target import Target

DEBIAN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "armel": ("armv5",),
        "armhf": ("armv7", "armv6"),  # Debian's wants ARMv7, Raspberry Pi OS's ARMv6
        "i386": ("i686",),
        "ppc64el": ("ppc64le",),
    }
)
"""Debian's architectures that no other name of a target leads to."""


def meant(said: str, targets: Iterable[Target]) -> list[str]:
    """The names of the targets that a word may mean, whatever its case and its dashes."""
    word = _plain(said)
    names = {target.name: set(_called(target)) for target in targets}
    found = [name for name, called in names.items() if word in called]
    return found or [name for name in DEBIAN.get(word, ()) if name in names]


def _called(target: Target) -> Iterator[str]:
    """Everything a target is called, plain."""
    for name in target.names:
        yield _plain(name)
        yield _plain(name.replace("musl", "gnu"))
        yield _plain(name.replace("unknown-", "").replace("musl", "gnu"))
    architecture, variant = target.image.architecture, target.image.variant
    for name in (architecture, f"{architecture}{variant}", f"{architecture}/{variant}"):
        yield _plain(name)
        yield _plain(f"linux/{name}")
    if target.bits == 32 and variant:
        yield _plain(f"{architecture}32{variant}")  # Docker Hub's accounts: arm32v6
    for board in re.split(r",| and ", target.boards):
        model = board.replace("Raspberry Pi", "").replace("with a 32-bit system", "").strip()
        for prefix in ("pi", "rpi", "raspberrypi"):
            yield _plain(f"{prefix}{model}")
        if model.startswith("Zero"):
            yield _plain(model)


def _plain(name: str) -> str:
    return re.sub(r"[-_/ ]", "", name.lower())
