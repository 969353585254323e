"""Toolchain, libraries and Rust in one folder that people build with by hand, anywhere.

The libraries lie in the toolchain's own sysroot, so that every compiler call finds them. Beside
them lies what each build system wants to be told, with paths that start where the folder is.
"""

from __future__ import annotations

from muslin.engine.vocabulary import (
    Check,
    CommandOutput,
    Copy,
    ForbiddenText,
    InputFile,
    Link,
    Pack,
    Present,
    Run,
    Stage,
    Step,
    Write,
    escaped,
)
from muslin.models.target import Target
from recipes import command_aliases, cross, sdk_texts, verify
from recipes.cross import Kit
from recipes.rust import rustc_wrapper
from recipes.rust.std import time64

PRIVATE = "libexec/muslin"
"""Programs that the folder's own scripts run."""
PLAIN = f"{PRIVATE}/plain"
"""The target's programs by plain names, for build scripts and for whoever puts it on PATH."""
PROGRAM = """\
#include <curl/curl.h>
#include <sqlite3.h>
#include <stdio.h>

int main(void)
{
    printf("%s SQLite/%s\\n", curl_version(), sqlite3_libversion());
    return 0;
}
"""
SCRIPT = """\
set -eu
. "$MUSLIN_TOOLCHAIN/env.sh"
{triple}-gcc -static-pie x.c $({triple}-pkg-config --cflags --libs libcurl sqlite3) -o x
{triple}-run ./x
"""


def stage(target: Target, *, kit: Kit, rust: Stage, rust_std: Stage, qemu: Stage) -> Stage:
    """`bin`, `rust/bin`, `<triple>` with the libraries, `env.sh`, and a file per build system."""
    triple = target.triple
    tools = dict(kit.tools)
    return Stage(
        name=f"sdk-{target.name}",
        target=target.name,
        summary="toolchain, libraries and Rust, to be used by hand",
        needs=(
            *kit.needs,
            ("rust", rust),
            ("rust-std", rust_std),
            ("emulator", qemu),
            ("pkgconf", tools["pkgconf"]),
        ),
        steps=(
            Copy(source="${need.toolchain}", to="${out}"),
            *(Copy(source=prefix, to=f"${{out}}/{triple}") for prefix in kit.prefixes.values()),
            Copy(source="${need.pkgconf}", to=f"${{out}}/{PRIVATE}/pkgconf"),
            Copy(
                source=f"${{need.emulator}}/bin/{target.qemu.program}",
                to=f"${{out}}/{PRIVATE}/{target.qemu.program}",
            ),
            *_rust(target),
            *_scripts(target),
            *_settings(target),
        ),
        runs_on="host",
        checks=_checks(target),
        guess=10,
        peak=1_200_000_000,
        kept=1_000_000_000,
    )


def archive(target: Target, *, sdk: Stage, proofs: tuple[tuple[str, Stage], ...]) -> Stage:
    """`<target>.tar.gz`, to be unpacked anywhere. `proofs` are the verifications of what is in it:
    it is not handed out before they pass."""
    return Stage(
        name=f"sdk-archive-{target.name}",
        target=target.name,
        summary="the same as one archive",
        needs=(("sdk", sdk),),
        steps=(
            Pack(
                path=f"${{out}}/{target.name}.tar.gz",
                root="${need.sdk}",
                prefix=f"muslin-{target.name}",
            ),
        ),
        judges=proofs,
        checks=verify.passed(proofs),
        runs_on="host",
        guess=40,
        peak=600_000_000,
        kept=400_000_000,
    )


def _rust(target: Target) -> tuple[Step, ...]:
    """rustc, cargo and both stds, in the shape in which rustc finds them."""
    rustc = rustc_wrapper.script(
        target,
        rust="$here/rust",
        std="$here/rust",
        linker=f"$here/bin/{target.triple}-gcc",
        remaps={},
        plain=f"$here/{PLAIN}",
        variables=_programs(target, "$here/bin"),
        here=sdk_texts.HERE.format(up="../.."),
    )
    return (
        Copy(source="${need.rust}/programs", to="${out}/rust/programs"),
        Copy(source="${need.rust}/lib", to="${out}/rust/lib", omit=("rustlib/src",)),
        Copy(
            source=f"${{need.rust-std}}/lib/rustlib/{target.rust.triple}",
            to=f"${{out}}/rust/lib/rustlib/{target.rust.triple}",
        ),
        Copy(source="${need.rust}/bin", to="${out}/rust/bin", omit=("rustc",)),
        Write(path="${out}/rust/bin/rustc", text=escaped(rustc), executable=True),
    )


def _scripts(target: Target) -> tuple[Step, ...]:
    triple, here = target.triple, sdk_texts.HERE.format(up="..")
    pkg_config = cross.pkg_config(
        target,
        program=f"$here/{PRIVATE}/pkgconf/bin/pkgconf",
        prefixes=[f"$here/{triple}"],
        here=here + sdk_texts.SYSTEM.format(triple=triple),
    )
    run = sdk_texts.RUN.format(
        triple=triple,
        here=here,
        private=PRIVATE,
        emulator=target.qemu.program,
        cpu=target.qemu.cpu,
    )
    return (
        Write(path=f"${{out}}/bin/{triple}-pkg-config", text=escaped(pkg_config), executable=True),
        Write(path=f"${{out}}/bin/{triple}-run", text=escaped(run), executable=True),
        *(
            Link(path=f"${{out}}/{PLAIN}/{name}", target=f"../../../bin/{triple}-{name}")
            for name in (
                *command_aliases.UTILITIES,
                *command_aliases.COMPILERS,
                "strip",
                "pkg-config",
            )
        ),
    )


def _programs(target: Target, folder: str) -> tuple[tuple[str, str], ...]:
    """The variables by which makefiles and configurations name the target's programs."""
    named = {"STRIP": "strip", "PKG_CONFIG": "pkg-config"}
    named |= {name.upper(): name for name in command_aliases.VARIABLES}
    return (
        *((name, f"{folder}/{target.triple}-{program}") for name, program in named.items()),
        ("CROSS_COMPILE", f"{folder}/{target.triple}-"),
    )


def environment(target: Target, folder: str) -> tuple[tuple[str, str], ...]:
    """What a shell or a cargo started from elsewhere is told, with the folder's path."""
    name = target.environment_name
    suffix = target.rust.triple.replace("-", "_")
    programs = f"{folder}/bin/{target.triple}"
    return (
        ("CARGO_BUILD_TARGET", target.rust.triple),
        (f"CARGO_TARGET_{name}_LINKER", f"{programs}-gcc"),
        (f"CARGO_TARGET_{name}_RUNNER", f"{programs}-run"),
        # Names that the crates `cc`, `pkg-config` and `cmake` read before all others.
        (f"CC_{suffix}", f"{programs}-gcc"),
        (f"CXX_{suffix}", f"{programs}-g++"),
        (f"AR_{suffix}", f"{programs}-ar"),
        (f"PKG_CONFIG_{suffix}", f"{programs}-pkg-config"),
        (f"PKG_CONFIG_ALL_STATIC_{suffix}", "1"),
        (f"CMAKE_TOOLCHAIN_FILE_{suffix}", f"{folder}/toolchain.cmake"),
        cross.bindgen(target, sysroot=f"{folder}/{target.triple}", prefixes=()),
        # The crate `openssl-sys` looks here first and takes what is static.
        (f"{name}_OPENSSL_DIR", f"{folder}/{target.triple}"),
        (f"{name}_OPENSSL_STATIC", "1"),
        *time64(target),
        # For make and configure. What is built to run here has names of its own.
        ("CC", f"{programs}-gcc"),
        ("CXX", f"{programs}-g++"),
        *_programs(target, f"{folder}/bin"),
        *command_aliases.FOR_THIS_MACHINE.items(),
    )


def _settings(target: Target) -> tuple[Step, ...]:
    triple = target.triple
    processor = triple.partition("-")[0]
    variables = environment(target, "$MUSLIN_TOOLCHAIN")
    posix = "".join(f'    export {name}="{value}"\n' for name, value in variables)
    fish = "".join(f'set --global --export {name} "{value}"\n' for name, value in variables)
    here = "${CMAKE_CURRENT_LIST_DIR}"
    cmake = cross.cmake(
        target,
        programs=f"{here}/bin",
        roots=[f"{here}/{triple}"],
        emulator=f"{here}/{PRIVATE}/{target.qemu.program}",
    )
    files = {
        "env.sh": sdk_texts.ENV_SH.format(triple=triple, exports=posix),
        "env.fish": sdk_texts.ENV_FISH.format(triple=triple, exports=fish),
        "cargo-config.toml": sdk_texts.CARGO.format(rust=target.rust.triple, triple=triple),
        "toolchain.cmake": cmake,
        "meson-cross.ini": sdk_texts.MESON.format(
            triple=triple,
            family=sdk_texts.FAMILIES.get(processor, processor),
            cpu=processor,
            endian=target.endian,
        ),
    }
    return tuple(Write(path=f"${{out}}/{name}", text=escaped(text)) for name, text in files.items())


def _checks(target: Target) -> tuple[Check, ...]:
    """A program with every library, found by pkg-config alone, runs on the baseline processor."""
    script = SCRIPT.format(triple=target.triple)
    return (
        Present(paths=("env.sh", "rust/bin/cargo", f"{target.triple}/lib/libssl.a")),
        ForbiddenText(texts=("${cache}",)),
        InputFile(path="${work}/x.c", text=PROGRAM),
        InputFile(path="${work}/x.sh", text=escaped(script)),
        CommandOutput(
            run=Run(argv=("sh", "x.sh"), env=(("MUSLIN_TOOLCHAIN", "${out}"),)),
            expect="OpenSSL/3",
        ),
    )
