"""Strategies for declarations that nobody would write: made by a schema, or damaged real ones."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Iterator
from typing import Any

import tomli_w
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

TEXTS = (
    *(
        "",
        " ",
        ".",
        "..",
        "/",
        "//",
        "~",
        "~nobody/x",
        "*",
        "**",
        "[",
        "\0",
        "a\0b",
        "\n",
        "\x1b[2J",
    ),
    *("../../x", "/proc/x", "/dev/null", "/etc/passwd", "a/../../b", "./a", "a//b", "/usr", "-x"),
    *("${out}", "${", "{x}", "{version}", "%", "\u202e", "\ufeff", "\U0001f980", "é", "a" * 300),
    *("a" * 5000, "a/" * 3000, "git+https://[", "registry+", "+", "sparse+https://x/?a=b#c"),
)
RAW = (
    *(
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\r\n",
        b"\0",
        b"\x1b",
        b"[[",
        b"]",
        b'"',
        b"'''",
        b"=",
        b"#",
    ),
    *(
        b"\n[tool]\n",
        b"\n[[tool]]\n",
        b"x = 1\n",
        b'"\\u0000"',
        b'"\\ud800"',
        b"1979-05-27",
        b"nan",
    ),
    *(b"9" * 5000, b"0x" + b"f" * 6000, b"-9223372036854775809", b"1e999", b"{" * 3000),
    *(b"[" * 3000, b"\nx = " + b"[" * 3000, b'{"a":' * 3000, b"\n" + b"a." * 500 + b"a = 1\n"),
    *(b"\n" + b"a." * 4000 + b"a = 1\n", b"\n[" + b"b." * 90 + b"b]\n", b"null", b"[]", b"true"),
)


def nested(depth: int, value: object) -> object:
    """A value in tables and lists within each other."""
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


scalars: SearchStrategy[Any] = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from((0, 1, -1, 255, 65536, 2**63, -(2**63) - 1, 16**6000)),
    st.floats(),
    st.sampled_from((datetime.date(2026, 1, 1), datetime.time(1, 2))),
)
odd: SearchStrategy[Any] = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(st.sampled_from((*TEXTS, "path", "workspace", "a")), scalars, max_size=3),
    st.builds(nested, st.sampled_from((2, 60, 66, 150)), scalars),
)


PLAIN: dict[str, SearchStrategy[Any]] = {
    "integer": st.integers(-1, 70000),
    "boolean": st.booleans(),
}
"""By a schema's type."""


def places(value: object) -> Iterator[tuple[Any, Any]]:
    """Every table or list in a value with each of its keys."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from places(part)


@st.composite
def changed(draw: DrawFn, table: dict[str, Any]) -> dict[str, Any]:
    """A table with a few values of other kinds, without some keys, and with more."""
    table = copy.deepcopy(table)
    for _ in range(draw(st.integers(1, 3))):
        there = list(places(table))
        if not there:
            return table
        inside, key = there[draw(st.integers(0, len(there) - 1))]
        match draw(st.integers(0, 5)):
            case 0:
                del inside[key]
            case 1 if isinstance(inside, dict):
                inside[draw(st.sampled_from((*TEXTS, "name", "folder")))] = draw(odd)
            case _:
                inside[key] = draw(odd)
    return table


@st.composite
def damaged(draw: DrawFn, content: bytes) -> bytes:
    """Bytes with a few of them changed, taken out or put in."""
    whole = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(whole)))
        match draw(st.integers(0, 5)):
            case 0 if at < len(whole):
                whole[at] ^= 1 << draw(st.integers(0, 7))
            case 1:
                del whole[at:]
            case 2:
                del whole[at : at + draw(st.integers(1, 100))]
            case 3:
                whole = bytearray(whole.replace(b"\n", b"\r\n"))
            case _:
                whole[at:at] = draw(st.sampled_from(RAW))
    return bytes(whole)


def of_schema(schema: dict[str, Any], known: dict[str, Any]) -> SearchStrategy[Any]:
    """Values that a schema takes, most of the time; `known` are its definitions."""
    match schema:
        case {"$ref": str(name)}:
            inner = known[name.rpartition("/")[2]]
            made = st.deferred(lambda: of_schema(inner, known))
        case {"enum": words}:
            made = st.sampled_from(words)
        case {"const": word}:
            made = st.just(word)
        case {"anyOf": choices}:
            made = st.one_of([of_schema(choice, known) for choice in choices])
        case {"type": "object"}:
            made = _table(schema, known)
        case {"type": "array"}:
            made = st.lists(of_schema(schema.get("items", {}), known), max_size=3)
        case {"type": "string", "pattern": pattern}:
            made = st.from_regex(pattern) | st.sampled_from(TEXTS)
        case {"type": "string"}:
            made = st.sampled_from(TEXTS) | st.text(max_size=8)
        case _:
            made = PLAIN.get(schema.get("type", ""), odd)
    return st.one_of(made, made, made, odd)


def tables(schema: dict[str, Any]) -> SearchStrategy[dict[str, Any]]:
    """Tables that a whole schema takes, most of the time."""
    return _table(schema, schema.get("$defs", {}))


def _table(schema: dict[str, Any], known: dict[str, Any]) -> SearchStrategy[Any]:
    properties = schema.get("properties", {})
    required = {
        name: of_schema(part, known)
        for name, part in properties.items()
        if name in schema.get("required", ())
    }
    optional = {
        name: of_schema(part, known) for name, part in properties.items() if name not in required
    }
    if not properties:
        more = schema.get("additionalProperties", {})
        inner = of_schema(more, known) if isinstance(more, dict) else odd
        return st.dictionaries(st.sampled_from((*TEXTS, "A", "/a")), inner, max_size=3)
    return st.fixed_dictionaries(required, optional=optional)


def as_toml(value: dict[str, Any]) -> bytes:
    """A table in TOML; nothing is left out but what TOML has no form for."""
    return tomli_w.dumps(_without_nothing(value)).encode()


def as_json(value: dict[str, Any]) -> bytes:
    """A table in JSON."""
    return json.dumps(_small(value), default=str).encode()


def _small(value: Any) -> Any:  # noqa: ANN401  # whatever was drawn
    """Without numbers that Python writes in no decimals."""
    match value:
        case dict():
            return {key: _small(part) for key, part in value.items()}
        case list():
            return [_small(part) for part in value]
        case int() if abs(value) > 2**80:
            return 2**80
        case _:
            return value


def _without_nothing(value: Any) -> Any:  # noqa: ANN401  # as above
    match value:
        case dict():
            return {k: _without_nothing(part) for k, part in value.items() if part is not None}
        case list():
            return [_without_nothing(part) for part in value if part is not None]
        case _:
            return _small(value)
