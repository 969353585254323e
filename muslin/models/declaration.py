"""Reading a TOML declaration into its model: strictly, once, with all faults at one time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.engine.similar_names import similar

LONGEST = 60
"""Characters of a value that are repeated in a fault."""
DATE = sys.float_info.max
"""What stands for a date of TOML: a number of a kind that no model has."""
MOST = 20
"""Faults of a file that are listed."""


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Declaration(BaseModel):
    """Frozen, strict, and no key that nobody reads. Keys are written with hyphens."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_kebab)


Text = Annotated[str, Field(min_length=1)]


class Foreign(BaseModel):
    """A file of another program's as far as it is read here: other keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=_kebab)


Model = TypeVar("Model", bound=BaseModel)


def read(path: Path, model: type[Model], **more: object) -> Model:
    """The declaration in a file; `more` are values that do not stand in it, such as its name.

    Raises `BadDeclaration` with every fault, each with its key.
    """
    return parse(path, documents.toml(path), model, **more)


def parse(path: Path, table: Mapping[str, object], model: type[Model], **more: object) -> Model:
    """The same from a table that was read already."""
    faults = [
        f"{key}: is not said here, the file's place says it"
        for key in sorted(table.keys() & more.keys())
    ]
    if issubclass(model, Declaration):
        faults += _unfit(table)
    if faults:
        raise errors.BadDeclaration(path, faults)
    try:
        return model.model_validate_json(_as_json({**table, **more}), strict=True)
    except ValidationError as error:
        faults = [_said(fault, model) for fault in error.errors()[:MOST]]
        if (left := error.error_count() - len(faults)) > 0:
            faults.append(f"and {left} more")
        raise errors.BadDeclaration(path, faults) from error


def _unfit(table: Mapping[str, object]) -> Iterator[str]:
    """Texts that no path, argument or variable can hold, by their keys."""
    for key, text in documents.texts(table):
        if "\0" in text:
            yield f"{documents.key_of(key)}: it holds the character NUL, which no text here can"


def _said(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """A fault in words for people, with its key."""
    words = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:  # of the whole
        return words
    *_, last = (str(part) for part in fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            near = similar(last, _keys(model))
            words = "there is no such key" + (f" (did you mean {near[0]}?)" if near else "")
        case "missing":
            words = "it is missing"
        case "tuple_type" if isinstance(fault["input"], dict):
            words = f"write [[{last}]], since there may be several"
        case "tuple_type":
            words = f"it should be a list{_instead(fault)}"
        case "model_type" | "dict_type":
            words = f"it should be a table{_instead(fault)}"
        case "value_error":
            pass
        case _:
            words += _instead(fault)
    return f"{documents.key_of(fault['loc'])}: {words}"


def _instead(fault: ErrorDetails) -> str:
    """What a fault's key has, where that is short enough to be repeated."""
    shown = "a date" if fault["input"] == DATE else repr(fault["input"])
    return f", not {shown}" if len(shown) <= LONGEST else ""


def _keys(model: type[BaseModel]) -> set[str]:
    """Every key that a model's file may have, at whatever depth."""
    properties = model.model_json_schema(by_alias=True)
    parts = [properties, *properties.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}


def _as_json(table: dict[str, object]) -> str:
    # Strict validation takes no list for a tuple, except from JSON, which has only lists.
    # JSON has no dates, and no model takes one.
    return json.dumps(table, default=lambda _: DATE)
