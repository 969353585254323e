"""2. Build GCC, musl and binutils."""

from muslin.cli.build import building

parser, run = building("toolchain", "toolchain", __doc__, examples=("armv6",))
