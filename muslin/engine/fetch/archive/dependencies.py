"""What packages depend on: the smallest set with everything that their `Depends` and
`Pre-Depends` name, chosen as apt chooses for an empty system.

Syntax: Debian Policy, 7.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from debian import deb822
from debian.debian_support import NativeVersion as Version

Stanza = Mapping[str, str]
Relation = Mapping[str, object]
"""A package, its version's limit and more, as python-debian parses them."""
MEETS: Mapping[str, Callable[[int], bool]] = {
    "<<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    "=": lambda order: order == 0,
    ">=": lambda order: order >= 0,
    ">>": lambda order: order > 0,
}
"""What the comparison of two versions must be, by the relation."""


class Packages(Protocol):
    """What an archive has."""

    def newest(self, name: str) -> Stanza | None:
        """The stanza of the newest version of a package."""

    def providers(self, name: str) -> Sequence[str]:
        """The packages that provide a name."""


@dataclass(frozen=True, kw_only=True)
class Unmet(Exception):
    """A dependency that nothing in the archive meets."""

    package: str
    relation: str
    """Empty if the package itself is not there."""


def closure(wanted: Iterable[str], packages: Packages) -> dict[str, Stanza]:
    """Package -> stanza of its newest version, the wanted ones among them. Raises `Unmet`."""
    wanted, chosen = tuple(wanted), dict[str, Stanza]()
    waiting = [(name, name, "") for name in wanted]
    # What is asked for meets what others need, wherever it stands in the list.
    coming = {name: there for name in wanted if (there := packages.newest(name)) is not None}
    while waiting:
        name, whose, relation = waiting.pop(0)
        if name in chosen:
            continue
        if (stanza := packages.newest(name)) is None:
            raise Unmet(package=whose, relation=relation)
        chosen[name] = stanza
        waiting += [
            (_choice(group, packages, name), name, _text(group))
            for group in _relations(stanza)
            if not any(_is_met(one, {**coming, **chosen}) for one in group)
        ]
    return chosen


def _relations(stanza: Stanza) -> list[list[Relation]]:
    fields = (stanza.get(name, "") for name in ("Pre-Depends", "Depends"))
    parsed: list[list[Relation]] = []
    for text in filter(None, fields):
        parsed += map(list, deb822.PkgRelation.parse_relations(text))
    return parsed


def _is_met(relation: Relation, chosen: Mapping[str, Stanza]) -> bool:
    """Whether a package that is chosen already meets one alternative."""
    name = str(relation["name"])
    if name in chosen:
        return _fits(relation, chosen[name]["Version"])
    return any(_provides(stanza, relation) for stanza in chosen.values())


def _choice(group: Sequence[Relation], packages: Packages, whose: str) -> str:
    """The first alternative that the archive has, or else the first package that provides one."""
    for relation in group:
        stanza = packages.newest(str(relation["name"]))
        if stanza is not None and _fits(relation, stanza["Version"]):
            return stanza["Package"]
        for provider in packages.providers(str(relation["name"])):
            there = packages.newest(provider)
            if there is not None and _provides(there, relation):
                return provider
    raise Unmet(package=whose, relation=_text(group))


def _fits(relation: Relation, version: str) -> bool:
    limit = relation.get("version")
    if not isinstance(limit, tuple):
        return True
    return MEETS[limit[0]](_compared(version, limit[1]))


def _provides(stanza: Stanza, relation: Relation) -> bool:
    if not (text := stanza.get("Provides")):
        return False
    for one, *_ in deb822.PkgRelation.parse_relations(text):
        if one["name"] == relation["name"]:
            version = one.get("version")
            if not relation.get("version"):
                return True
            if isinstance(version, tuple) and _fits(relation, version[1]):
                return True
    return False


def _compared(left: str, right: str) -> int:
    first, second = Version(left), Version(right)
    return (first > second) - (first < second)


def _text(group: Iterable[Relation]) -> str:
    return " | ".join(str(relation["name"]) for relation in group)
