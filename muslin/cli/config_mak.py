"""From a `config.mak` of musl-cross-make to a target file, with an account of every line.

The variables are those of its `Makefile` and `litecross/Makefile`; `config.mak` is itself a
makefile, and what is more than an assignment is named and left alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from muslin.cli import errors
from muslin.engine.formats import documents
from muslin.models.target import Target
from recipes.toolchain import compiler

ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z0-9_]+)\s*(?P<how>\+|::?|\?)?=\s*(?P<value>.*)")
REFERENCE = re.compile(r"\$[({](?P<name>[A-Za-z0-9_]+)[)}]")
NOT_TAKEN: Mapping[str, str] = {
    "OUTPUT": "artefacts go to dist/, toolchains to dist/toolchains/",
    "SOURCES": "sources lie in the cache",
    "DL_CMD": "the pipeline fetches by itself",
    "SHA1_CMD": "every source is compared by its SHA-256",
    "HOST": "toolchains run on the machine that builds them",
    "NATIVE": "toolchains run on the machine that builds them",
    "LIBTOOL": "no libtool is called",
    "BINUTILS_CONFIG": "binutils are configured by recipes/toolchain/binutils.py",
    "MUSL_CONFIG": "musl is built as it is released",
    "CONFIG_SUB_REV": "releases bring theirs along",
}
VERSION = re.compile(r"(?P<part>GCC|BINUTILS|MUSL|GMP|MPC|MPFR|ISL|LINUX)_VER")
SITE = re.compile(r"[A-Z_]+_(SITE|REPO)")
CONFIGURE = ("GCC_CONFIG_FOR_TARGET", "COMMON_CONFIG", "GCC_CONFIG", "TOOLCHAIN_CONFIG")
"""Variables whose words reach GCC's configure, in the order in which they do; the last counts."""
FIXED = re.compile(
    r"--(prefix|exec-prefix|target|host|build|libdir|bindir|with-sysroot|with-build-sysroot"
    r"|with-debug-prefix-map|disable-werror)(=.*)?"
)
"""What the pipeline says of places, and must."""
SAID_ALREADY = (*compiler.OPTIONS, "--disable-werror", "--disable-libmudflap", "--disable-libmpx")
FLOATS = {"hf": "--with-float=hard", "sf": "--with-float=soft"}
"""What musl-cross-make adds by the end of a triple."""
DEEPEST = 8
"""References within each other."""
LONGEST = 10_000
"""Characters of a value; what refers to itself grows with each look."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A target file, and what became of each variable and line."""

    triple: str
    text: str
    """The file."""
    model: str
    """The target whose rust, qemu, openssl and image it has."""
    account: tuple[tuple[str, str], ...]
    """Variable or line, and what became of it."""


def imported(path: Path, targets: Mapping[str, Target]) -> Imported:
    """The target that a `config.mak` describes.

    Raises `NotImported` where it has no `TARGET`, or one like which no target is.
    """
    variables, account = _read(path)
    triple = variables.get("TARGET", "")
    if not triple:
        raise errors.NotImported(path, "it sets no TARGET")
    account += [(name, _fate(name, v)) for name, v in variables.items() if name not in CONFIGURE]
    words = [word for end, word in FLOATS.items() if triple.endswith(end)]
    for name in CONFIGURE:
        taken, said = _of_configure(path, name, variables.get(name, ""))
        words += [word for word in taken if word not in words]
        account += said
    model = _model(path, triple, words, targets)
    table = {
        "boards": f"as {path.name} of musl-cross-make says",
        "triple": triple,
        "kernel": model.kernel,
        "machine": model.machine,
        "bits": model.bits,
        "endian": model.endian,
        "gcc": {"configure": words},
        **model.model_dump(
            mode="json",
            by_alias=True,
            exclude_defaults=True,
            include={"rust", "qemu", "openssl", "image"},
        ),
    }
    head = "#:schema ../schemas/target.json\n"
    return Imported(
        triple=triple, text=head + tomli_w.dumps(table), model=model.name, account=tuple(account)
    )


def _read(path: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Variables with their values as make would leave them; lines that are no assignment."""
    variables: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    for number, line in _lines(documents.text(path, strict=False)):
        match = ASSIGNMENT.fullmatch(line)
        if match is None:
            others.append((f"line {number}", f"not understood: {line}"))
            continue
        name, value = match["name"], match["value"].strip()
        match match["how"]:
            case "+":
                variables[name] = f"{variables.get(name, '')} {value}".strip()
            case "?":
                variables.setdefault(name, value)
            case _:
                variables[name] = value
    return {name: _expanded(path, name, variables) for name in variables}, others


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first, without comments and empty ones."""
    kept, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        line = re.sub(r"(?<!\\)#.*", "", kept + raw).replace("\\#", "#").rstrip()
        if line.endswith("\\"):
            kept = line[:-1].rstrip() + " "
            continue
        if line.strip():
            yield start, line.strip()
        kept, start = "", 0


def _expanded(path: Path, name: str, variables: Mapping[str, str]) -> str:
    """A variable's value with references to the file's own variables replaced, some deep; others
    stay as they are."""
    value = variables[name]
    for _ in range(DEEPEST):
        value = REFERENCE.sub(lambda match: variables.get(match["name"], match[0]), value)
        if len(value) > LONGEST:
            raise errors.NotImported(path, f"{name} has more than {LONGEST} characters")
    return value


def _of_configure(path: Path, name: str, value: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The words that belong into a target file, and what became of each."""
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise errors.NotImported(path, f"{name} is no list of words: {error}") from error
    taken, account = [], []
    for word in words:
        if word in SAID_ALREADY:
            fate = "the pipeline says it already"
        elif word.startswith("--enable-languages="):
            fate = "not taken: the pipeline builds C and C++"
        elif FIXED.fullmatch(word):
            fate = "not taken: the pipeline says what concerns places"
        elif "$(" in word or "${" in word:
            fate = "not understood: it refers to what this file does not set"
        elif word.startswith("--"):
            fate = "taken into gcc.configure"
            taken.append(word)
        elif re.match(r"(CC|CXX|CFLAGS|CXXFLAGS|LDFLAGS)=", word):
            fate = "not taken: how the compiler itself is built is in recipes/toolchain/compiler.py"
        else:
            fate = "not understood"
        account.append((f"{name}: {word}", fate))
    return taken, account


def _fate(name: str, value: str) -> str:
    if name == "TARGET":
        return "taken as triple"
    if name in NOT_TAKEN:
        return f"not taken: {NOT_TAKEN[name]}"
    if VERSION.fullmatch(name):
        return f"not taken: {value or 'none'} there; recipes/pins says what is built here"
    if SITE.fullmatch(name):
        return "not taken: recipes/pins says where sources come from"
    return f"not understood: {name} = {value}"


def _model(path: Path, triple: str, words: list[str], targets: Mapping[str, Target]) -> Target:
    """The target that is most like it: of the same processors, with most words in common."""
    processor = _processor(triple)
    alike = [one for one in targets.values() if _processor(one.triple) == processor]
    if not alike:
        raise errors.NotImported(path, f"no target in toolchains/ is for a {processor} processor")
    return max(
        alike,
        key=lambda one: (len(set(words) & set(one.gcc.configure)), one.triple == triple, one.name),
    )


def _processor(triple: str) -> str:
    """`armv7l-linux-musleabihf` -> `arm`, `i486-linux-musl` -> `i86`."""
    first = triple.split("-", maxsplit=1)[0]
    if re.fullmatch(r"i[3-6]86", first):
        return "i86"
    return "arm" if re.fullmatch(r"arm(v\w+)?", first) else first


def name_for(triple: str) -> str:
    """A target's name where none was said: the processor."""
    return re.sub(r"[^a-z0-9_]", "_", triple.split("-", maxsplit=1)[0])
