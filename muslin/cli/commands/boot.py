"""Start every service on emulated Raspberry Pis."""

from muslin.cli.build import building

parser, run = building("boot", "boot", __doc__, examples=("armv6",))
