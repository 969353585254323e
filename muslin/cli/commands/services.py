"""5. Build every service, static."""

from muslin.cli.build import building

parser, run = building(
    "services", "services", __doc__, examples=("armv6", "armv6 --service hello-http")
)
