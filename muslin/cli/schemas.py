"""JSON Schemas of the declarations, for editors: `schemas/*.json`, named in each first line."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from muslin.models.board import Board
from muslin.models.declaration import Declaration
from muslin.models.pin_files import Candidates, FixedGroups, HostLock, PinSet, WheelLock, WheelPins
from muslin.models.service import Service
from muslin.models.target import Target
from muslin.sources.advisories import Policy
from muslin.sources.upstream import Upstream
from recipes.toolchain.target_libraries import LibgccMembers

MODELS: Mapping[str, type[Declaration]] = {
    "target": Target,
    "service": Service,
    "pins": PinSet,
    "upstream-pins": Upstream,
    "host-lock": HostLock,
    "host-packages": Candidates,
    "fixed-groups": FixedGroups,
    "wheels": WheelPins,
    "builder-wheels": WheelLock,
    "board": Board,
    "advisories": Policy,
    "libgcc": LibgccMembers,
}
NOT_SAID = {"name", "folder"}
"""Fields of targets and services that the file's place says."""


def text(name: str) -> str:
    """The schema of one kind of declaration, as it stands in its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **document(MODELS[name])}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def document(model: type[Declaration]) -> dict[str, Any]:
    """The schema of a model, with the docstrings of its fields."""
    schema = model.model_json_schema(by_alias=True)
    described = {each.__name__: dict(_descriptions(each)) for each in _models(model)}
    for title, part in [(model.__name__, schema), *schema.get("$defs", {}).items()]:
        for field, description in described.get(title, {}).items():
            part["properties"][field]["description"] = description
    if model in (Target, Service, Board):
        schema["properties"] = {
            field: said for field, said in schema["properties"].items() if field not in NOT_SAID
        }
        schema["required"] = [field for field in schema["required"] if field not in NOT_SAID]
    untitled: dict[str, Any] = _untitled(schema)
    return untitled


def _models(model: type[Declaration]) -> list[type[Declaration]]:
    """A model and those that its fields are made of, by way of the modules that define them."""
    found = [model]
    for each in found:  # it grows
        for other in vars(inspect.getmodule(each)).values():
            if inspect.isclass(other) and issubclass(other, Declaration) and other not in found:
                found.append(other)
    return found


def _descriptions(model: type[Declaration]) -> Iterator[tuple[str, str]]:
    """Alias and docstring of each field that has one; Python keeps them in the source alone.

    Pydantic's `use_attribute_docstrings` would read all sources in every run, for this one use.
    """
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name.replace("_", "-"), inspect.cleandoc(words)
            case _:
                pass


def _untitled(schema: Any) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    """Without the titles that pydantic makes of names: an editor shows them in their stead."""
    match schema:
        case dict():
            return {
                key: _untitled(value)
                for key, value in schema.items()
                if not (key == "title" and isinstance(value, str))
            }
        case list():
            return [_untitled(item) for item in schema]
        case _:
            return schema
