"""A cargo package, built offline for one target and stripped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import (
    Copy,
    RecordCrates,
    RegistrySettings,
    Run,
    Stage,
    Write,
    escaped,
)
from muslin.models.build_options import Cargo
from muslin.models.cargo_workspaces import Workspace
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import command_aliases, cross
from recipes.cross import Kit
from recipes.programs import evidence, product
from recipes.rust import crates as crates_of
from recipes.rust import rustc_wrapper
from recipes.rust.std import time64

REMAPS: Mapping[str, str] = MappingProxyType(
    {"${need.crates}": "/crates", "${tree.workspace}": "/source", "${scratch}": "/build"}
)
"""What a path of the build is called in the program: sources, crates, generated code."""
SOURCES = "${work}/sources.toml"
LINKER = "${work}/bin/linker"
MESSAGES = "${work}/messages"
"""What cargo says of what it compiled."""


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    service: Service,
    target: Target,
    *,
    workspace: Workspace,
    crates: Stage,
    rust: Stage,
    rust_std: Stage,
    kit: Kit,
    library_env: tuple[tuple[str, str], ...],
    host_triple: str,
    qemu: Stage,
) -> Stage:
    """`bin/<binary>`, static. Nothing lying around the checkout or in the user's environment
    reaches it: cargo runs in the root folder with a home of its own."""
    triple = target.rust.triple
    folder, host_name = "${scratch}", host_triple.upper().replace("-", "_")
    return Stage(
        name=f"{service.name}-{target.name}",
        target=target.name,
        summary=service.summary,
        trees=(("workspace", workspace.files),),
        needs=(("crates", crates), ("rust", rust), ("rust-std", rust_std), *kit.needs),
        tools=kit.tools,
        path=cross.PATH,
        scratch=("rust-std", "toolchain"),
        env=(
            ("CARGO_HOME", "${work}/cargo-home"),
            ("CARGO_TARGET_DIR", folder),
            ("CARGO_NET_OFFLINE", "true"),
            ("CARGO_INCREMENTAL", "0"),
            *service.cargo.settings,
            # Empty, so that no configuration's words take their place.
            ("CARGO_ENCODED_RUSTFLAGS", ""),
            ("RUSTC_WRAPPER", ""),
            ("RUSTC_WORKSPACE_WRAPPER", ""),
            ("RUSTC", "${work}/bin/rustc"),
            (f"CARGO_TARGET_{host_name}_LINKER", f"{command_aliases.HOST}/gcc"),
            *cross.environment(target, kit),
            *command_aliases.of_host(),
            *library_env,
            *time64(target),
            *product.environment(service),
        ),
        steps=(
            *evidence.maps(kit, evidence.KEPT_MAPS),
            *cross.steps(target, kit, remaps=REMAPS),
            *command_aliases.steps(target),
            *(
                Write(path=f"${{tree.workspace}}/{path}", text=escaped(text))
                for path, text in workspace.written
            ),
            # Names of registries, which manifests may use.
            RegistrySettings(path="${work}/cargo-home/config.toml", tables=("registries",)),
            Write(
                path=SOURCES, text=escaped(workspace.sources).replace("{folder}", "${need.crates}")
            ),
            *(Write(path=path, text=text) for path, text in crates_of.settings(workspace).items()),
            *_linker(target, kit),
            Write(
                path="${work}/bin/rustc",
                executable=True,
                text=rustc_wrapper.script(
                    target,
                    rust="${need.rust}",
                    std="${need.rust-std}",
                    linker=LINKER if kit.allocator else _gcc(target),
                    remaps=REMAPS,
                    plain=command_aliases.FOLDER,
                    variables=command_aliases.of_target(target),
                    link=(*kit.linker_words, *evidence.words(kit)),
                    settings=tuple(
                        name for name, _ in library_env if target.environment_name not in name
                    ),
                ),
            ),
            Run(
                argv=(
                    "${need.rust}/bin/cargo",
                    "build",
                    *(f"--config={path}" for path in (SOURCES, *crates_of.settings(workspace))),
                    *("--offline", f"--target={triple}"),
                    f"--manifest-path=${{tree.workspace}}/{workspace.manifest}",
                    f"--bin={service.binary}",
                    "--message-format=json-render-diagnostics",
                    *_choices(service.cargo),
                ),
                cwd="/",  # cargo looks for configuration in every folder above this one
                output=MESSAGES,
                remedies=kit.remedies,
            ),
            Copy(
                source=f"{folder}/{triple}/{service.cargo.folder}/{service.binary}",
                to=f"${{out}}/bin/{service.binary}",
            ),
            *product.stripped(target, service),
            *evidence.linked(service, kit, maps=evidence.KEPT_MAPS, rust=True),
            RecordCrates(messages=MESSAGES, triple=triple, to=f"${{out}}/{evidence.CRATES}"),
        ),
        runs_on="target",
        shared=True,
        judges=(("qemu", qemu),),
        checks=product.checks(service, target),
        guess=60,
        memory=500_000_000,  # hello-tls took 453 MB
        peak=800_000_000,
        kept=200_000_000,
    )


def _gcc(target: Target, toolchain: str = "${need.toolchain}") -> str:
    return f"{toolchain}/bin/{target.triple}-gcc"


def _linker(target: Target, kit: Kit) -> tuple[Write, ...]:
    """rustc puts what it is told behind libc, and the allocator must come before; libatomic, which
    it needs on ARMv6, needs libc once more."""
    if not kit.allocator:
        return ()
    text = f'#!/bin/sh\nexec "{_gcc(target)}" "{kit.allocator}" "$@" -l:libc.a\n'
    return (Write(path=LINKER, executable=True, text=text),)


def _choices(cargo: Cargo) -> tuple[str, ...]:
    """What the declaration says of profile and features."""
    return (
        f"--profile={cargo.profile}",
        *(() if cargo.default_features else ("--no-default-features",)),
        *((escaped(f"--features={','.join(cargo.features)}"),) if cargo.features else ()),
    )
