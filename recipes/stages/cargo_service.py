"""A cargo package, built offline for one target and stripped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from recipes.engine.stage import (
    Copy,
    Run,
    Stage,
    Strip,
    Tree,
    Write,
)
from recipes.service import Service
from recipes.stages import program
from recipes.stages.rust_std import processor
from recipes.target import Target

COMPILER = """\
#!/bin/bash
# bash, because dash drops variables such as CARGO_BIN_EXE_my-program from the environment.
# Flags for the target reach what is compiled for it, and no build script or procedural macro.
for word; do
    case $word in
    {triple} | --target={triple})
        set -- "$@" {flags}  # the last one counts
        break
        ;;
    esac
done
export LD_LIBRARY_PATH="{rust}/lib"
exec "{rust}/programs/rustc" --sysroot "{std}" {remaps} "$@"
"""
REMAPS: Mapping[str, str] = MappingProxyType(
    {"${need.crates}": "/crates", "${tree.workspace}": "/source", "${scratch}": "/build"}
)
"""What a path of the build is called in the program: sources, crates, generated code."""
CARGO_CONFIG = """\
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "${need.crates}"
"""


def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    service: Service,
    target: Target,
    *,
    workspace: Tree,
    member: str,
    crates: Stage,
    rust: Stage,
    rust_std: Stage,
    toolchain: Stage,
    libraries: tuple[tuple[str, Stage], ...],
    library_env: tuple[tuple[str, str], ...],
    qemu: Stage,
) -> Stage:
    """`bin/<binary>`, static. Nothing lying around the checkout or in the user's environment
    reaches it: cargo runs in the root folder with a home of its own."""
    triple = target.rust.triple
    folder = "${scratch}"
    return Stage(
        name=f"{service.name}-{target.name}",
        target=target.name,
        summary=service.summary,
        trees=(("workspace", workspace),),
        needs=(
            ("crates", crates),
            ("rust", rust),
            ("rust-std", rust_std),
            ("toolchain", toolchain),
            *libraries,
        ),
        path=("${need.toolchain}/bin",),
        scratch=("rust-std", "toolchain"),
        env=(
            ("CARGO_HOME", "${work}/cargo-home"),
            ("CARGO_TARGET_DIR", folder),
            ("CARGO_NET_OFFLINE", "true"),
            ("CARGO_INCREMENTAL", "0"),
            # Empty, so that no configuration's words take their place.
            ("CARGO_ENCODED_RUSTFLAGS", ""),
            ("RUSTC_WRAPPER", ""),
            ("RUSTC_WORKSPACE_WRAPPER", ""),
            ("RUSTC", "${work}/bin/rustc"),
            *_c_compiler(target),
            *library_env,
        ),
        steps=(
            Write(path="${work}/cargo-home/config.toml", text=CARGO_CONFIG),
            Write(
                path="${work}/bin/rustc",
                executable=True,
                text=compiler(
                    target,
                    rust="${need.rust}",
                    std="${need.rust-std}",
                    toolchain="${need.toolchain}",
                    remaps=REMAPS,
                ),
            ),
            Run(
                argv=(
                    "${need.rust}/bin/cargo",
                    "build",
                    "--release",
                    "--offline",
                    f"--target={triple}",
                    f"--manifest-path=${{tree.workspace}}/{member}/Cargo.toml",
                    f"--bin={service.binary}",
                ),
                cwd="/",  # cargo looks for configuration in every folder above this one
            ),
            Copy(
                source=f"{folder}/{triple}/release/{service.binary}",
                to=f"${{out}}/bin/{service.binary}",
            ),
            Strip(
                program=f"{target.triple}-strip",
                root="${out}/bin",
                options=("-s",),
                kind="programs",
            ),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=program.checks(service, target),
        guess=60,
    )


def compiler(
    target: Target, *, rust: str, std: str, toolchain: str, remaps: Mapping[str, str]
) -> str:
    """A `rustc` for one target: sysroot, linker and processor are its own and come last, where
    neither RUSTFLAGS nor a configuration file can replace them."""
    flags = (
        *processor(target),
        "-Clink-self-contained=no",  # exactly one musl: the toolchain's
        f"-Clinker={toolchain}/bin/{target.triple}-gcc",
        # C libraries may want these; rustc links with -nodefaultlibs.
        "-Clink-arg=-latomic",
        "-Clink-arg=-lgcc",
    )
    mapped = " ".join(f'--remap-path-prefix="{path}={name}"' for path, name in remaps.items())
    return COMPILER.format(
        triple=target.rust.triple, flags=" ".join(flags), rust=rust, std=std, remaps=mapped
    )


def _c_compiler(target: Target) -> tuple[tuple[str, str], ...]:
    """For crates that compile C: names that the `cc` crate reads."""
    suffix = target.rust.triple.replace("-", "_")
    maps = " ".join(f"-ffile-prefix-map={path}={name}" for path, name in REMAPS.items())
    return (
        (f"CC_{suffix}", f"{target.triple}-gcc"),
        (f"CXX_{suffix}", f"{target.triple}-g++"),
        (f"AR_{suffix}", f"{target.triple}-ar"),
        (f"CFLAGS_{suffix}", maps),
        (f"CXXFLAGS_{suffix}", maps),
    )
