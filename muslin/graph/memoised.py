"""Stages made once: the same arguments give the same object."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from muslin.models.board import Board
from muslin.models.service import Service
from muslin.models.target import Target

Arguments = ParamSpec("Arguments")
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Base of what remembers the results of its methods."""

    made: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)


Owner = TypeVar("Owner", bound=Memory)


def memoised(
    make: Callable[Concatenate[Owner, Arguments], Made],
) -> Callable[Concatenate[Owner, Arguments], Made]:
    """Call a method once for each choice of arguments. A target, service or board counts by its
    name, which is unique among its kind."""

    @functools.wraps(make)
    def remembered(self: Owner, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Made:
        key = (make.__name__, *map(_identity, (*args, *kwargs.values())))
        if key not in self.made:
            self.made[key] = make(self, *args, **kwargs)
        made: Made = self.made[key]
        return made

    return remembered


def _identity(value: object) -> Hashable:
    if isinstance(value, Target | Service | Board):
        return (type(value), value.name)
    if isinstance(value, tuple):
        return tuple(map(_identity, value))
    assert isinstance(value, Hashable)
    return value
