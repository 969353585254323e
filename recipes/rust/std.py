"""Rust's std, built from source for exactly one target's processor, as a complete sysroot."""

from __future__ import annotations

from muslin.engine.vocabulary import (
    Check,
    CollectLibraries,
    CommandOutput,
    Copy,
    ForbiddenText,
    InputFile,
    Remove,
    Run,
    Stage,
    Write,
)
from muslin.models.target import Target
from recipes.emulator import emulated

MANIFEST = """\
[package]
name = "muslin-std"
version = "0.0.0"
edition = "2021"

[profile.release]
codegen-units = 1
opt-level = 3
"""
NARROW = 32
"""Bits of an address, where `time_t` once had as many."""
CRATES = "std,test,proc_macro,panic_abort,panic_unwind"
COMPILER = """\
#!/bin/sh
# cargo gives every crate one panic strategy; panic_abort must be compiled with its own.
case " $* " in
*" --crate-name panic_abort "*) set -- "$@" -C panic=abort ;;
esac
exec ${need.rust}/bin/rustc "$@"
"""


PROGRAM = """\
use std::{panic, thread};

fn main() {
    let root = |i: u32| thread::spawn(move || f64::from(i).sqrt() * 2.0);
    let threads: Vec<_> = (1..=4).map(root).collect();
    let sum: f64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    panic::set_hook(Box::new(|_| {}));
    let caught = panic::catch_unwind(|| panic!("on purpose")).is_err();
    println!("sum {sum:.3}, caught {caught}");
}
"""


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    rust: Stage,
    toolchain: Stage,
    crates: Stage | None,
    judges: tuple[tuple[str, Stage], ...],
    host_triple: str,
) -> Stage:
    """`lib/rustlib/<triple>` beside the host's own: what rustc takes as `--sysroot`."""
    library = f"${{out}}/lib/rustlib/{target.rust.triple}/lib"
    sources = "${need.rust}/lib/rustlib/src/rust/library"
    vendored = f"{sources}/vendor" if crates is None else "${need.crates}"
    return Stage(
        name=f"rust-std-{target.name}",
        target=target.name,
        summary="Rust's std for this processor",
        needs=(
            ("rust", rust),
            ("toolchain", toolchain),
            *((("crates", crates),) if crates is not None else ()),
        ),
        env=(
            ("CARGO_HOME", "${work}/cargo-home"),
            ("CARGO_TARGET_DIR", "${work}/target"),
            ("CARGO_NET_OFFLINE", "true"),
            ("RUSTC", "${work}/bin/rustc"),
            ("RUSTC_BOOTSTRAP", "1"),  # -Zbuild-std; the compiler is pinned, so nothing moves
            ("CARGO_ENCODED_RUSTFLAGS", "\x1f".join(_flags(target, sources))),
            *time64(target),
        ),
        steps=(
            Write(path="${work}/bin/rustc", text=COMPILER, executable=True),
            Write(path="${work}/crate/Cargo.toml", text=MANIFEST),
            Write(path="${work}/crate/src/lib.rs", text="#![no_std]\n"),
            Write(
                path="${work}/cargo-home/config.toml",
                text=(
                    '[source.crates-io]\nreplace-with = "vendored"\n'
                    f'[source.vendored]\ndirectory = "{vendored}"\n'
                ),
            ),
            Run(
                argv=(
                    "${need.rust}/bin/cargo",
                    "build",
                    "--release",
                    f"-Zbuild-std={CRATES}",
                    f"--target={target.rust.triple}",
                    "--message-format=json-render-diagnostics",
                    "--manifest-path=${work}/crate/Cargo.toml",
                ),
                cwd="/",  # cargo looks for configuration in every folder above this one
                output="${work}/messages",
            ),
            CollectLibraries(messages="${work}/messages", into=library),
            Remove(root=library, patterns=("libmuslin_std*",)),
            # rustc asks for -lunwind on musl; GCC's unwinder is the one we have.
            Write(path=f"{library}/libunwind.a", text="INPUT(-lgcc_eh)\n"),
            Copy(
                source=f"${{need.rust}}/lib/rustlib/{host_triple}",
                to=f"${{out}}/lib/rustlib/{host_triple}",
            ),
        ),
        runs_on="host",  # it also holds the host's std, for build scripts and procedural macros
        shared=True,
        judges=(("rust", rust), ("toolchain", toolchain), *judges),
        checks=(ForbiddenText(root=library, texts=("${cache}",)), *_runs(target)),
        guess=75,
        memory=1_250_000_000,  # measured for x86_64
        peak=1_200_000_000,
        kept=300_000_000,
    )


def _runs(target: Target) -> tuple[Check, ...]:
    """A program with threads and a panic, run by a processor of the baseline."""
    made = "${work}/main"
    argv = (
        *("${judge.rust}/bin/rustc", "--sysroot=${out}", f"--target={target.rust.triple}"),
        *(*processor(target), "-Clink-self-contained=no", "-Copt-level=2"),
        f"-Clinker=${{judge.toolchain}}/bin/{target.triple}-gcc",
        *("main.rs", "-o", made),
    )
    return (
        InputFile(path="${work}/main.rs", text=PROGRAM),
        CommandOutput(run=Run(argv=argv)),
        CommandOutput(run=Run(argv=emulated(target, made)), expect="sum 12.293, caught true"),
    )


def _flags(target: Target, sources: str) -> tuple[str, ...]:
    return (
        *processor(target),
        "-Cembed-bitcode=yes",  # for `lto = "fat"`
        "-Clink-self-contained=no",
        f"-Clinker=${{need.toolchain}}/bin/{target.triple}-gcc",
        f"--remap-path-prefix={sources}=/rust/library",
        "--remap-path-prefix=${work}=/rust",
    )


def processor(target: Target) -> tuple[str, ...]:
    """What rustc is told of the processor, and that musl is linked statically: by default it is
    for some targets alone (riscv64gc, mips, s390x and others ask for a shared one)."""
    features = ",".join(("+crt-static", *target.rust.features))
    wide = ("--cfg=libc_unstable_musl_v1_2",) if target.bits == NARROW else ()
    return (f"-Ctarget-cpu={target.rust.cpu}", f"-Ctarget-feature={features}", *wide)


def time64(target: Target) -> tuple[tuple[str, str], ...]:
    """What the crate `libc` is told on 32-bit targets, where musl's `time_t` has had 64 bits since
    1.2 and the crate's has 32: structures passed to C code would have another shape. Releases from
    0.2.187 on take the word in `processor`, those from 0.2.173 on this one, older ones neither
    (libc/build.rs)."""
    return (("RUST_LIBC_UNSTABLE_MUSL_V1_2_3", "1"),) if target.bits == NARROW else ()
