"""The bill of materials of a service's program, and the licences of what is in it.

It runs as a program of its own (`python -m muslin.sbom`), whose code is in the key. What is in the
program is known by what its stage recorded: the linker's map and cargo's messages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from muslin.engine.vocabulary import Present, Run, Source, Stage, Tree, Write, escaped
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target
from muslin.sbom.part import purl
from recipes import notices

CODE = ("muslin/__init__.py", "muslin/sbom/*.py")
"""The program, below the project's folder."""
PREFIX = "sbom-"
BILL, TEXTS = "sbom.cdx.json", "licences.txt"
"""What the stage leaves."""
PARTS_OF_GCC: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "libatomic": ("toolchain/*/libatomic.a",),
        "libstdc++": ("toolchain/*/libstdc++*.a", "toolchain/*/libsupc++.a"),
        "libgcc": ("toolchain/lib/gcc/*",),
    }
)
"""GCC's libraries and start files, by where they lie in a toolchain."""
MUSL = ("toolchain/*/lib/*", "toolchain/*/lib64/*")
"""All else that a toolchain gives to programs; looked at behind those of GCC."""
CPE_OF_MUSL = "musl-libc:musl"
CPE_OF_RUST = "rust-lang:rust"


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """A component that can be in a program."""

    component: Component
    notices: Stage | None
    cpe: str = ""
    in_image: bool = False
    """It lies beside the program in its image."""


@dataclass(frozen=True, kw_only=True)
class Rust:
    """What Rust code is compiled with and from."""

    compiler: Stage
    std: Stage
    crates: Stage
    version: str
    source: Source
    notices: Stage


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # named at the call
    service: Service,
    target: Target,
    *,
    generator: Tree,
    program: Stage,
    ingredients: tuple[Ingredient, ...],
    rust: Rust | None,
    tools: tuple[dict[str, str], ...],
) -> Stage:
    """`sbom.cdx.json` and `licences.txt`. `tools` are what built the program,
    each with `name`, `version`, `licence`, `purl`, `file`, `sha256`."""
    given = tuple(
        (_alias(one.component.name), one.notices) for one in ingredients if one.notices is not None
    )
    of_rust = () if rust is None else _of_rust(rust)
    needs = (("program", program), *given, *of_rust)
    rules = {
        "program": {
            "name": service.name,
            "version": "",
            "licence": "",
            "target": target.name,
            "file": f"bin/{service.binary}",
            "tool": {"name": "muslin"},
            "properties": {"target": target.name, "triple": target.triple},
        },
        "components": [row for one in ingredients for row in _rows(one)],
        "std": {} if rust is None else _std(rust),
        "tools": list(tools),
        "notices": list(notices.NAMES),
        "triple": target.rust.triple,
    }
    return Stage(
        name=f"{PREFIX}{service.name}-{target.name}",
        target=target.name,
        summary="what the program contains, and its licences",
        trees=(("sbom", generator),),
        needs=needs,
        env=(("PYTHONPATH", "${tree.sbom}"), ("PYTHONDONTWRITEBYTECODE", "1")),
        steps=(
            Write(path="${work}/rules.json", text=escaped(json.dumps(rules, indent=1))),
            Run(
                argv=(
                    *("${python}", "-m", "muslin.sbom"),
                    *("${work}/rules.json", "${need.program}", "${out}"),
                    *(f"{alias}=${{need.{alias}}}" for alias, _ in (*given, *of_rust)),
                ),
            ),
        ),
        runs_on="nowhere",
        checks=(Present(paths=(BILL, TEXTS)),),
        guess=2,
        kept=500_000,
    )


def tool(component: Component, *, name: str = "") -> dict[str, str]:
    """What a bill says of a component that something was built with."""
    return {
        "name": name or component.name,
        "version": component.release,
        "licence": component.licence,
        "purl": _origin(component),
        "file": component.source.name,
        "sha256": component.source.sha256,
    }


def package(source: Source, *, version: str, licence: str) -> dict[str, str]:
    """The same of a host's package, or of an archive in the place of one."""
    name = source.name.partition("_" if source.name.endswith(".deb") else ".tar")[0]
    return {
        "name": name,
        "version": version,
        "licence": licence,
        "purl": "",
        "file": source.name,
        "sha256": source.sha256,
    }


def _alias(component: str) -> str:
    return f"notices-{component}"


def _of_rust(rust: Rust) -> tuple[tuple[str, Stage], ...]:
    return (
        ("crates", rust.crates),
        ("rust", rust.compiler),
        ("rust-std", rust.std),
        (_alias("rust"), rust.notices),
    )


def _rows(one: Ingredient) -> list[dict[str, Any]]:
    """What the rules say of a component: a row, or for GCC one for each of its libraries."""
    component = one.component
    row = {
        "name": component.name,
        "component": component.name,
        "version": component.release,
        "licence": component.licence,
        "cpe": one.cpe,
        "file": component.source.name,
        "sha256": component.source.sha256,
        "origin": _origin(component),
        "fixes": list(component.fixes),
        "patterns": [f"{component.name}/*"],
        "notices": _alias(component.name),
        "in_image": one.in_image,
    }
    match component.name:
        case "gcc":  # no CPE: that of GCC is the compiler's, which is in no program
            return [
                {**row, "name": name, "patterns": list(patterns)}
                for name, patterns in PARTS_OF_GCC.items()
            ]
        case "musl":
            return [{**row, "patterns": list(MUSL)}]
        case _:
            return [{**row, "patterns": [] if one.in_image else row["patterns"]}]


def _origin(component: Component) -> str:
    """purl of the package in the Debian archive that a component is made from."""
    if not component.package:
        return ""
    arch = "source" if component.kind == "source" else "all"
    return purl("deb", "debian", component.package, version=component.version, arch=arch)


def _std(rust: Rust) -> dict[str, str]:
    return {
        "name": "rust-std",
        "component": "rust",
        "version": rust.version,
        "licence": "MIT OR Apache-2.0",
        "cpe": CPE_OF_RUST,
        "file": rust.source.name,
        "sha256": rust.source.sha256,
        "origin": "",
        "notices": _alias("rust"),
    }
