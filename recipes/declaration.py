"""Reading a TOML declaration into its model: strictly, once, with all faults at one time."""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from recipes import errors
from recipes.engine import seen


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class Declaration(BaseModel):
    """Frozen, strict, and no key that nobody reads. Keys are written with hyphens."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_kebab)


Model = TypeVar("Model", bound=Declaration)


def read(path: Path, model: type[Model], **more: object) -> Model:
    """The declaration in a file; `more` are values that do not stand in it, such as its name.

    Raises `BadDeclaration` with every fault, each with its key.
    """
    table = load(path)
    if given := table.keys() & more.keys():
        faults = [f"{key}: is not said here, the file's place says it" for key in sorted(given)]
        raise errors.BadDeclaration(path, faults)
    return parse(path, {**table, **more}, model)


def load(path: Path) -> dict[str, Any]:
    """What a TOML file says, unread; raises `BadDeclaration` if it is none."""
    try:
        return tomllib.loads(seen.file(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.BadDeclaration(path, [f"not TOML: {error}"]) from error


def parse(path: Path, table: dict[str, object], model: type[Model]) -> Model:
    """The same from a table that was read already."""
    try:
        return model.model_validate_json(_as_json(table), strict=True)
    except ValidationError as error:
        raise errors.BadDeclaration(
            path, [_said(fault, model) for fault in error.errors()]
        ) from error


def _said(fault: ErrorDetails, model: type[Declaration]) -> str:
    """A fault in words for people, with its key."""
    words = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:  # of the whole
        return words
    *above, last = (str(part) for part in fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(last, _keys(model), n=1)
            words = "there is no such key" + (f" (did you mean {near[0]}?)" if near else "")
        case "missing":
            words = "it is missing"
        case "tuple_type" if isinstance(fault["input"], dict):
            words = f"write [[{last}]], since there may be several"
        case _:
            pass
    return f"{'.'.join((*above, last))}: {words}"


def _keys(model: type[Declaration]) -> set[str]:
    """Every key that a model's file may have, at whatever depth."""
    properties = model.model_json_schema(by_alias=True)
    parts = [properties, *properties.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}


def _as_json(table: dict[str, object]) -> str:
    # Strict validation takes no list for a tuple, except from JSON, which has only lists.
    # JSON has no dates; nor has any model: a date becomes what no model takes for a text.
    return json.dumps(table, default=lambda value: {"date": str(value)})
