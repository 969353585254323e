"""A target: one file in `toolchains/`, its stem the target's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from elftools.elf.enums import ENUM_E_MACHINE
from pydantic import Field, field_validator

from muslin.audit import baseline as processors
from muslin.audit.baseline import BASELINES, Baseline
from muslin.engine import errors as engine_errors
from muslin.engine.similar_names import similar
from muslin.models import declaration
from muslin.models import errors as model_errors
from muslin.models.declaration import Declaration

Text = Annotated[str, Field(min_length=1)]
Triple = Annotated[str, Field(pattern=r"^[a-z0-9_]+(-[a-z0-9_]+){2,3}$")]


DEFAULTS = re.compile(r"--with-(abi|arch|cpu|float|fpu|mode|tune)=")
"""Options of GCC's configure that end up in its driver alone."""


class Gcc(Declaration):
    """How the compiler is configured: its defaults are the target's baseline."""

    configure: tuple[Annotated[str, Field(pattern=r"^--")], ...]
    """Options of GCC's configure."""
    shared_with: str = ""
    """Another target whose compiler differs only in defaults; its build tree is reused."""


class Zig(Declaration):
    """What the driver `zig` passes beside GCC's options, which clang takes as `-march=` and so."""

    target: Text
    """The target, by zig's name, such as `arm-linux-musleabihf`."""
    cpu: Text
    """The processor that zig's own code is compiled for, with nothing beyond the baseline."""
    flags: tuple[Annotated[str, Field(pattern=r"^-")], ...] = ()
    """More options of clang."""


class Rust(Declaration):
    """The target and processor of rustc."""

    triple: Triple
    """The Rust triple."""
    cpu: Text
    """Processor, by LLVM's name."""
    features: tuple[Annotated[str, Field(pattern=r"^[+-]")], ...] = ()
    """Features to add or remove, such as `-d32`."""


class Qemu(Declaration):
    """The emulated processor, with nothing beyond the baseline."""

    program: Annotated[str, Field(pattern=r"^qemu-[a-z0-9_]+$")]
    """User-mode emulator, such as `qemu-arm`."""
    cpu: Text
    """Processor, by QEMU's name."""


class Openssl(Declaration):
    """OpenSSL's own name for the target, see its `Configurations/10-main.conf`."""

    target: Text
    """Name of a configuration."""


class Image(Declaration):
    """The platform of container images."""

    architecture: Text
    """Architecture, by Go's name."""
    variant: str = ""
    """Variant of the architecture, such as `v6`."""


class Debian(Declaration):
    """The systems with dpkg that run the target's programs."""

    architecture: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]+)?$")] = ""
    """Architecture, by dpkg's name; without it no package is made."""
    unfit: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], ...] = ()
    """Machines of this architecture, as `uname -m` names them, that lack what the baseline has: a
    package refuses to be installed there."""


class Target(Declaration):
    """A kind of machine that programs are built for."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=40)]
    boards: Text
    """The computers it is for, in one line for people."""
    triple: Triple
    """The GCC triple."""
    kernel: Text
    """Where the kernel's `asm` headers lie in Debian's `linux-libc-dev`."""
    machine: Annotated[str, Field(pattern=r"^EM_[A-Z0-9_]+$")]
    """The machine in every ELF header, by pyelftools' name."""
    bits: Literal[32, 64]
    """Width of addresses in bits."""
    endian: Literal["little", "big"] = "little"
    """Byte order."""
    baseline: str = ""
    """The processor that `nox -s verify` compares with, one of `muslin/audit/baseline.py`; without
    it only the claims of programs are verified."""
    gcc: Gcc
    """Configuration of the compiler."""
    zig: Zig | None = None
    """For the driver `zig`; without it that driver does not know the target."""
    rust: Rust
    """Target and processor of rustc."""
    qemu: Qemu
    """The emulated processor."""
    openssl: Openssl
    """OpenSSL's name of the target."""
    image: Image
    """Platform of container images."""
    debian: Debian = Debian()
    """Debian and what descends from it."""

    @field_validator("machine")
    @classmethod
    def _is_known(cls, machine: str) -> str:
        if machine not in ENUM_E_MACHINE:
            names = [name for name in ENUM_E_MACHINE if name.startswith("EM_")]
            near = similar(machine, names, most=3)
            hint = f"; near it are {', '.join(near)}" if near else ""
            raise ValueError(f"pyelftools knows no machine {machine}{hint}")
        return machine

    @field_validator("baseline")
    @classmethod
    def _has_rules(cls, baseline: str) -> str:
        if baseline and baseline not in BASELINES:
            raise ValueError(f"there are no rules for {baseline}, but for {', '.join(BASELINES)}")
        return baseline

    @property
    def names(self) -> tuple[str, ...]:
        """Everything the target answers to."""
        return (self.name, self.triple, self.rust.triple)

    @property
    def processor(self) -> Baseline:
        """What verification holds binaries to."""
        return processors.of(
            self.baseline,
            machine=self.machine,
            bits=self.bits,
            little_endian=self.endian == "little",
        )

    @property
    def environment_name(self) -> str:
        """The Rust triple as cargo's environment variables spell it."""
        return self.rust.triple.upper().replace("-", "_")


def load(*folders: Path) -> dict[str, Target]:
    """Every target, by name; a file of a later folder takes the place of one of its name."""
    targets: dict[str, Target] = {}
    claimed: dict[str, Path] = {}
    files = {path.name: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    for _, path in sorted(files.items()):
        target = declaration.read(path, Target, name=path.stem)
        # Two may share Rust's triple: it says less of the processor than GCC's options do.
        for name in dict.fromkeys((target.name, target.triple)):
            if name in claimed:
                raise engine_errors.BadDeclaration(
                    path, [f"{name} is {claimed[name].name}'s already"]
                )
            claimed[name] = path
        targets[target.name] = target
    for target in targets.values():
        _insist_on_lender(target, targets, claimed[target.name])
    return targets


def _insist_on_lender(target: Target, targets: dict[str, Target], path: Path) -> None:
    name = target.gcc.shared_with
    if not name:
        return
    if name not in targets or name == target.name:
        others = [one for one in targets if one != target.name]
        fault = str(model_errors.Unknown("target", name, others))
    elif targets[name].machine != target.machine:
        fault = f"{name} is another machine, {targets[name].machine}"
    elif targets[name].gcc.shared_with:
        fault = f"{name} has its compiler of {targets[name].gcc.shared_with}; name that"
    elif other := sorted(
        option
        for option in {*target.gcc.configure} ^ {*targets[name].gcc.configure}
        if not DEFAULTS.match(option)
    ):
        fault = f"{name}'s compiler differs in more than defaults: {' '.join(other)}"
    else:
        return
    raise engine_errors.BadDeclaration(path, [f"gcc.shared-with: {fault}"])


def choose(targets: dict[str, Target], wanted: tuple[str, ...]) -> tuple[Target, ...]:
    """The targets that names on the command line mean, once each, in the order named.

    Raises `Unknown`, and `SharedTriple` for a triple that several have.
    """
    by_name: dict[str, list[Target]] = {}
    for target in targets.values():
        for name in dict.fromkeys(target.names):
            by_name.setdefault(name, []).append(target)
    chosen: dict[str, Target] = {}
    for name in wanted:
        if name not in by_name:
            raise model_errors.Unknown("target", name, by_name)
        meant, *others = by_name[name]
        if others:
            raise model_errors.SharedTriple(name, [one.name for one in (meant, *others)])
        chosen.setdefault(meant.name, meant)
    return tuple(chosen.values())
