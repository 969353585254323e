"""The `rustc` that cargo calls: it knows its std, its linker and the target's processor.

cargo runs build scripts of this machine's crates (procedural macros and what they depend on) and of
the target's with one environment. So the wrapper puts a script before each, which keeps apart what
is whose, by the variables with which cargo says what it is run for.
<https://doc.rust-lang.org/cargo/reference/environment-variables.html>
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from muslin.models.target import Target
from recipes.rust.std import processor

SCRIPT = """\
#!/bin/bash
# bash, because dash drops variables such as CARGO_BIN_EXE_my-program from the environment.
# Flags for the target reach what is compiled for it, and no build script or procedural macro.
{here}before= crate= folder= suffix=
for word; do
    case $before in
    --crate-name) crate=$word ;;
    --out-dir) folder=$word ;;
    esac
    case $word in
    extra-filename=*) IFS== read -r before suffix <<<"$word" ;;
    esac
    before=$word
done
for word; do
    case $word in
    {triple} | --target={triple})
        set -- "$@" {flags}  # the last one counts
        break
        ;;
    esac
done
export LD_LIBRARY_PATH="{rust}/lib"
set -- --sysroot "{std}" {remaps} "$@"
case $crate in
build_script_*) ;;
*) exec "{rust}/programs/rustc" "$@" ;;
esac
"{rust}/programs/rustc" "$@" || exit
program=$folder/$crate$suffix
if test -f "$program"; then
    mv "$program" "$program.program"
    cat >"$program" <<END
#!/bin/sh
# What is the target's stays with the target's crates.
if test "\\$TARGET" = "\\$HOST"; then
    unset {kept}
else
    export PATH="{plain}:\\$PATH" {variables}
fi
exec "$program.program" "\\$@"
END
    chmod 755 "$program"
fi
"""
FOR_THE_TARGET_ALONE = ("LIBSQLITE3_SYS_USE_PKG_CONFIG",)
"""Settings of `-sys` crates for which there is no name with the target in it."""


def script(  # noqa: PLR0913  # named at the call
    target: Target,
    *,
    rust: str,
    std: str,
    linker: str,
    remaps: Mapping[str, str],
    plain: str,
    variables: Sequence[tuple[str, str]],
    link: Sequence[str] = (),
    settings: Sequence[str] = (),
    here: str = "",
) -> str:
    """A `rustc` for one target: sysroot, linker and processor are its own and come last, where
    neither RUSTFLAGS nor a configuration file can replace them. Build scripts of the target's
    crates find the folder `plain` first on PATH, and `variables`; those of this machine's are not
    told of `settings`, names of variables. `here` is a line that says where the paths start."""
    flags = (
        *processor(target),
        "-Clink-self-contained=no",  # exactly one musl: the toolchain's
        f'"-Clinker={linker}"',
        # C libraries may want these; rustc links with -nodefaultlibs. By its file's name, because
        # rustc leaves the linker looking for shared ones, and where it makes no static-pie (i686,
        # POWER) that ends in "attempted static link of dynamic object".
        "-Clink-arg=-l:libatomic.a",
        "-Clink-arg=-lgcc",
        *(f"-Clink-arg={word}" for word in link),
    )
    mapped = " ".join(f'--remap-path-prefix="{path}={name}"' for path, name in remaps.items())
    return SCRIPT.format(
        triple=target.rust.triple,
        flags=" ".join(flags),
        here=here,
        rust=rust,
        std=std,
        remaps=mapped,
        plain=plain,
        variables=" ".join(f'{name}="{value}"' for name, value in variables),
        kept=" ".join(dict.fromkeys((*FOR_THE_TARGET_ALONE, *settings))),
    )
