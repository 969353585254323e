"""7. Put programs, images and sums into dist/."""

from muslin.cli.build import building

parser, run = building(
    "package", "package", __doc__, examples=("armv6", "armv6 x86_64 --keep-going")
)
