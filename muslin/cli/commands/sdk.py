"""Put toolchain, C libraries and Rust for use by hand into dist/toolchains."""

from muslin.cli.build import building

parser, run = building("sdk", "sdk", __doc__, examples=("armv6",))
