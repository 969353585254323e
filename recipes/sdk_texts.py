"""What lies beside the toolchain of an SDK: scripts, and files for cargo and Meson."""

from __future__ import annotations

SYSTEM = """\
# They lie where the compiler looks by itself. Folders it would name it would name wrongly, were
# there a letter beyond ASCII in their path; Meson asks for those too.
unset PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
export PKG_CONFIG_SYSTEM_INCLUDE_PATH="$here/{triple}/lib/pkgconfig/../../include"
export PKG_CONFIG_SYSTEM_LIBRARY_PATH="$here/{triple}/lib/pkgconfig/../../lib"
"""
HERE = 'here=$(dirname "$(readlink -f "$0")")/{up}\n'
RUN = """\
#!/bin/sh
# Runs a program for {triple} on an emulated processor with nothing beyond the target's baseline.
{here}exec "$here/{private}/{emulator}" -cpu "{cpu}" "$@"
"""
ENV_SH = """\
# . env.sh: compilers, cargo and pkg-config for {triple} in this shell.
# Other shells than bash and zsh cannot tell where this file lies: set MUSLIN_TOOLCHAIN before.
if [ -n "${{BASH_VERSION:-}}" ]; then
    MUSLIN_TOOLCHAIN=$(cd "$(dirname "$BASH_SOURCE")" && pwd)
elif [ -n "${{ZSH_VERSION:-}}" ]; then
    MUSLIN_TOOLCHAIN=$(cd "$(dirname "$(eval 'echo "${{(%):-%x}}"')")" && pwd)
fi
if [ -x "${{MUSLIN_TOOLCHAIN:-}}/bin/{triple}-gcc" ]; then
    export MUSLIN_TOOLCHAIN
    export PATH="$MUSLIN_TOOLCHAIN/bin:$MUSLIN_TOOLCHAIN/rust/bin:$PATH"
{exports}else
    echo "env.sh: set MUSLIN_TOOLCHAIN to the folder that env.sh lies in, and try again" >&2
fi
"""
ENV_FISH = """\
# source env.fish: compilers, cargo and pkg-config for {triple} in this shell.
set --global --export MUSLIN_TOOLCHAIN (path resolve (dirname (status filename)))
set --global --export PATH $MUSLIN_TOOLCHAIN/bin $MUSLIN_TOOLCHAIN/rust/bin $PATH
{exports}"""
CARGO = """\
# For `cargo --config FILE` or as a project's .cargo/config.toml, after env.sh.
[build]
target = "{rust}"

[target.{rust}]
linker = "{triple}-gcc"
runner = "{triple}-run"
"""
MESON = """\
# For `meson setup --cross-file FILE`, after env.sh.
[binaries]
c = '{triple}-gcc'
cpp = '{triple}-g++'
ar = '{triple}-ar'
strip = '{triple}-strip'
pkg-config = '{triple}-pkg-config'
exe_wrapper = '{triple}-run'

[built-in options]
c_link_args = ['-static-pie']
cpp_link_args = ['-static-pie']
b_pie = true
default_library = 'static'
prefer_static = true

[host_machine]
system = 'linux'
cpu_family = '{family}'
cpu = '{cpu}'
endian = '{endian}'
"""
FAMILIES = {"i686": "x86", "powerpc64le": "ppc64", "armv7": "arm"}
"""Meson's names of processors, where a triple begins with another one."""
