"""A cargo package, built offline for one target and stripped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from recipes.engine.stage import Copy, RegistrySettings, Run, Stage, Write, escaped
from recipes.service import Cargo, Service
from recipes.stages import cross, program
from recipes.stages.cross import Kit
from recipes.stages.rust_std import processor
from recipes.target import Target
from recipes.workspaces import Workspace

COMPILER = """\
#!/bin/bash
# bash, because dash drops variables such as CARGO_BIN_EXE_my-program from the environment.
# Flags for the target reach what is compiled for it, and no build script or procedural macro.
{here}for word; do
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
SOURCES = "${work}/sources.toml"
LINKER = "${work}/bin/linker"


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
            *cross.environment(target),
            *library_env,
            *program.environment(service),
        ),
        steps=(
            *cross.steps(target, kit, remaps=REMAPS),
            *(
                Write(path=f"${{tree.workspace}}/{path}", text=escaped(text))
                for path, text in workspace.written
            ),
            # Names of registries, which manifests may use.
            RegistrySettings(path="${work}/cargo-home/config.toml", tables=("registries",)),
            Write(
                path=SOURCES, text=escaped(workspace.sources).replace("{folder}", "${need.crates}")
            ),
            *_linker(target, kit),
            Write(
                path="${work}/bin/rustc",
                executable=True,
                text=compiler(
                    target,
                    rust="${need.rust}",
                    std="${need.rust-std}",
                    linker=LINKER if kit.allocator else _gcc(target),
                    remaps=REMAPS,
                ),
            ),
            Run(
                argv=(
                    "${need.rust}/bin/cargo",
                    "build",
                    *("--offline", f"--config={SOURCES}", f"--target={triple}"),
                    f"--manifest-path=${{tree.workspace}}/{workspace.manifest}",
                    f"--bin={service.binary}",
                    *_choices(service.cargo),
                ),
                cwd="/",  # cargo looks for configuration in every folder above this one
                remedies=kit.remedies,
            ),
            Copy(
                source=f"{folder}/{triple}/{service.cargo.folder}/{service.binary}",
                to=f"${{out}}/bin/{service.binary}",
            ),
            *program.stripped(target, service),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=program.checks(service, target),
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
        *((f"--features={','.join(cargo.features)}",) if cargo.features else ()),
    )


def compiler(  # noqa: PLR0913  # named at the call
    target: Target,
    *,
    rust: str,
    std: str,
    linker: str,
    remaps: Mapping[str, str],
    here: str = "",
) -> str:
    """A `rustc` for one target: sysroot, linker and processor are its own and come last, where
    neither RUSTFLAGS nor a configuration file can replace them. `here` is a line that says where
    the paths start."""
    flags = (
        *processor(target),
        "-Clink-self-contained=no",  # exactly one musl: the toolchain's
        f'"-Clinker={linker}"',
        # C libraries may want these; rustc links with -nodefaultlibs. By its file's name, because
        # rustc leaves the linker looking for shared ones, and where it makes no static-pie (i686,
        # POWER) that ends in "attempted static link of dynamic object".
        "-Clink-arg=-l:libatomic.a",
        "-Clink-arg=-lgcc",
    )
    mapped = " ".join(f'--remap-path-prefix="{path}={name}"' for path, name in remaps.items())
    return COMPILER.format(
        triple=target.rust.triple,
        flags=" ".join(flags),
        here=here,
        rust=rust,
        std=std,
        remaps=mapped,
    )
