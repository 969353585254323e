"""All of it, from doctor to dist/; the default targets without names."""

from muslin.cli.build import building

parser, run = building(
    "build-all",
    "package",
    __doc__,
    examples=(
        "",
        "armv6",
        "armv6 --service hello-http",
        "armv6 --crate ripgrep@15",
        "armv6 x86_64 --keep-going",
    ),
)
