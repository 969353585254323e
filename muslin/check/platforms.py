"""Platforms of container images: how they are spelled, and which ones a machine runs.

Source: containerd's `platforms`, `normalizeArch` in database.go and `platformVector` in compare.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_ARCHITECTURES = {"i386": "386", "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_ARM = {"armhf": "v7", "armel": "v6"}
_PLAIN = {"amd64": ("v1",), "arm64": ("8", "v8")}
"""Variants that mean no more than the architecture."""
_NUMBERS = ("5", "6", "7", "8")


@dataclass(frozen=True, order=True, kw_only=True)
class Platform:
    """A platform in its normal spelling."""

    os: str
    architecture: str
    variant: str = ""
    stated: bool = field(default=True, compare=False)
    """Whether the variant was written, and is not the one that runtimes take without one."""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def normalized(architecture: str, variant: str = "", os: str = "") -> Platform:
    """Spell a platform the way runtimes compare it."""
    os, architecture, variant = os.lower() or "linux", architecture.lower(), variant.lower()
    if architecture == "i386":
        variant = ""
    if architecture in _ARM:
        return Platform(os=os, architecture="arm", variant=_ARM[architecture])
    architecture = _ARCHITECTURES.get(architecture, architecture)
    if variant in _PLAIN.get(architecture, ()):
        variant = ""
    if architecture == "arm" and not variant:
        return Platform(os=os, architecture="arm", variant="v7", stated=False)
    if architecture == "arm" and variant in _NUMBERS:
        variant = f"v{variant}"
    return Platform(os=os, architecture=architecture, variant=variant)


def of(said: Mapping[str, Any]) -> Platform:
    """The platform that a descriptor or a configuration states.

    Raises `TypeError` where one of its fields is no text.
    """
    fields = [said.get(name) or "" for name in ("architecture", "variant", "os")]
    for text in fields:
        if not isinstance(text, str):
            raise TypeError(f"a platform holds {text!r}")
    return normalized(*fields)


def runs(machine: Platform) -> Iterator[Platform]:
    """The platforms of the same architecture that a machine runs, the best first."""
    yield machine
    lower = {"arm": _arm, "amd64": _amd64, "arm64": _arm64}.get(machine.architecture)
    for variant in lower(machine.variant) if lower else ():
        yield normalized(machine.architecture, variant, machine.os)


def chosen(machine: Platform, there: Collection[Platform]) -> list[Platform]:
    """The best of some platforms for a machine, as a runtime chooses; empty if none is for it.

    An image of 32-bit ARM that states no variant is for ARMv7. It is the last choice for an older
    machine too: outside of an index runtimes start it there all the same.
    """
    for best in runs(machine):
        if found := [platform for platform in there if platform == best]:
            return found
    return [
        platform
        for platform in there
        if not platform.stated
        and (platform.os, platform.architecture) == (machine.os, machine.architecture)
    ]


def _number(variant: str) -> int:
    digits = variant.removeprefix("v")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0


def _arm(variant: str) -> Iterator[str]:
    yield from (f"v{lower}" for lower in range(_number(variant) - 1, 4, -1))


def _amd64(variant: str) -> Iterator[str]:
    yield from (f"v{lower}" for lower in range(_number(variant) - 1, 0, -1))


def _arm64(variant: str) -> Iterator[str]:
    """ARMv9.0 has what ARMv8.5 has."""
    major, _, minor = (variant or "v8").partition(".")
    number, below = _number(major), _number(minor)
    if number == 9:
        yield from (_dotted(9, lower) for lower in range(below - 1, -1, -1))
        number, below = 8, below + 6
    if number == 8:
        yield from (_dotted(8, lower) for lower in range(below - 1, -1, -1))


def _dotted(major: int, minor: int) -> str:
    return f"v{major}.{minor}" if minor else f"v{major}"
