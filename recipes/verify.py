"""Verification: every binary held to its target's processor, before it is packaged.

It runs as a program of its own (`python -m muslin.audit`), so that several targets are looked at
side by side; its code, the libraries it reads with and what it allows are in the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

from muslin.audit.allowed import Entry
from muslin.engine.vocabulary import Check, Present, Run, Stage, Tree, Write, escaped
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target
from recipes.emulator import processor
from recipes.programs import product

CODE = ("muslin/__init__.py", "muslin/audit/*.py")
"""The program, below the project's folder."""
PREFIX = "verify-"
REPORTS: Mapping[str, str] = MappingProxyType({"txt": "report.txt", "json": "report.json"})
"""What a verification leaves, by the suffix that it has in `dist/`."""
OF_SYSROOT = ("*/lib/*.a", "*/lib/*.o")
LINKABLE = (*OF_SYSROOT, "lib/gcc/*/*/*.a", "lib/gcc/*/*/*.o")
"""What of a toolchain can get into a program: musl, libstdc++, libgcc, libatomic, start files. Of
one without GCC all of it is in the sysroot."""
ARCHIVES = ("usr/lib/*.[ao]",)


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """What looks."""

    code: Tree
    reads_with: str
    """The libraries that read machine code and ELF, and their versions."""
    allowed: tuple[Entry, ...]


def library(  # noqa: PLR0913  # named at the call
    name: str,
    target: Target,
    auditor: Auditor,
    *,
    of: Stage,
    tests: Stage | None,
    contains: tuple[Component, ...],
) -> Stage:
    """Every object of a C library; its own tests, where it has some, must have passed too."""
    made = _stage(
        name,
        target,
        auditor,
        of=of,
        patterns=ARCHIVES,
        guess=8,
        ran=() if tests is None else (f"on {processor(target)}: {tests.summary}",),
        blames=(of,),
        contains=contains,
    )
    return made if tests is None else replace(made, judges=(("tests", tests),))


def toolchain(
    target: Target,
    auditor: Auditor,
    *,
    of: Stage,
    contains: tuple[Component, ...],
    patterns: tuple[str, ...] = LINKABLE,
) -> Stage:
    """Every object that a compiler links without being told."""
    _, libraries = of.needs[-1]  # the part with the target's libraries
    return _stage(
        "toolchain",
        target,
        auditor,
        of=of,
        patterns=patterns,
        guess=15,
        blames=(of, libraries),
        contains=contains,
    )


def rust_std(target: Target, auditor: Auditor, *, of: Stage) -> Stage:
    """Every object of Rust's std."""
    rlibs = (f"lib/rustlib/{target.rust.triple}/lib/*.rlib",)  # the host's own lie beside them
    return _stage("rust-std", target, auditor, of=of, patterns=rlibs, guess=15, blames=(of,))


def program(
    service: Service,
    target: Target,
    auditor: Auditor,
    *,
    of: Stage,
    contains: tuple[Component, ...],
) -> Stage:
    """A service's program before it is stripped, with what its declaration allows."""
    own = tuple(
        Entry(file=service.binary, members=(), **one.model_dump()) for one in service.allowed
    )
    return _stage(
        service.name,
        target,
        auditor,
        of=of,
        patterns=(f"{product.UNSTRIPPED}/{service.binary}",),
        shipped=f"bin/{service.binary}",
        guess=5,
        own=own,
        ran=product.witnessed(service, target),
        contains=contains,
    )


# Long: one stage, declared from its needs to its checks.
def _stage(  # noqa: PLR0913  # named at the call
    subject: str,
    target: Target,
    auditor: Auditor,
    *,
    of: Stage,
    patterns: tuple[str, ...],
    guess: float,
    shipped: str = "",
    own: tuple[Entry, ...] = (),
    ran: tuple[str, ...] = (),
    blames: tuple[Stage, ...] = (),
    contains: tuple[Component, ...] = (),
) -> Stage:
    """`report.txt` and `report.json` on the files of a stage's output that the patterns match.
    Fails where one of them claims or contains what the processor does not have."""
    rules = {
        "subject": subject,
        "target": target.name,
        "baseline": target.baseline,
        "machine": target.machine,
        "bits": target.bits,
        "little-endian": target.endian == "little",
        "patterns": list(patterns),
        "ran": list(ran),
        "contains": [component.record for component in contains],
        "shipped": shipped,
        "allowed": [
            asdict(one) for one in (*auditor.allowed, *own) if target.baseline in one.baselines
        ],
    }
    return Stage(
        name=f"{PREFIX}{subject}-{target.name}",
        target=target.name,
        summary="claims and contains nothing beyond the target's processor",
        trees=(("audit", auditor.code),),
        needs=(("subject", of),),
        env=(
            ("PYTHONPATH", "${tree.audit}"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("READS_WITH", auditor.reads_with),
        ),
        steps=(
            Write(path="${work}/rules.json", text=escaped(json.dumps(rules, indent=1))),
            Run(
                argv=(
                    *("${python}", "-m", "muslin.audit"),
                    *("${work}/rules.json", "${need.subject}", "${out}"),
                ),
                says_why=True,
            ),
        ),
        runs_on="nowhere",
        checks=(Present(paths=tuple(REPORTS.values())),),
        blames=blames,
        guess=guess,
        kept=200_000,
    )


def passed(proofs: Iterable[tuple[str, Stage]]) -> tuple[Check, ...]:
    """The checks of what may be used only once these verifications, its judges, have passed."""
    return tuple(
        Present(root=f"${{judge.{alias}}}", paths=tuple(REPORTS.values())) for alias, _ in proofs
    )
