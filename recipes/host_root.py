"""The host root: a Debian system with what every stage may use, unpacked and not installed."""

from __future__ import annotations

from muslin.engine.formats.unpack import MERGED
from muslin.engine.vocabulary import Folder, Link, Present, Source, Stage, Step, Unpack, Write

NOT_OF_A_ROOT = (
    *("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian"),
    *("usr/share/zoneinfo", "usr/share/bug", "var"),
)
"""What no build reads."""
ALTERNATIVES = {"awk": "mawk", "cc": "gcc", "c++": "g++", "yacc": "bison.yacc"}
"""What maintainer scripts would link, by dpkg's alternatives; none of them is run."""
USERS = "root:x:0:0:root:/:/bin/sh\nmuslin:x:1000:1000:muslin:/:/bin/sh\n"
GROUPS = "root:x:0:\nmuslin:x:1000:\n"
OF_NETWORK = ("hosts", "resolv.conf", "nsswitch.conf")
"""Files of `etc` over which a stage that fetches sees the machine's own."""
PROGRAMS = ("awk", "bison", "flex", "g++", "gcc", "m4", "make", "patch", "perl", "sh", "xz")


def stage(sources: tuple[Source, ...]) -> Stage:
    """The root from its packages; nothing of it is run to make it."""
    return Stage(
        name="host-root",
        summary="compiler, make, perl and tools in which everything is built",
        sources=packages(sources),
        steps=system(sources, "${out}"),
        runs_on="nowhere",
        checks=(Present(paths=tuple(f"usr/bin/{name}" for name in PROGRAMS)),),
        guess=12,
        peak=500_000_000,
        kept=450_000_000,
    )


def packages(sources: tuple[Source, ...]) -> tuple[tuple[str, Source], ...]:
    """The packages as a stage's sources, by the aliases that `system` uses."""
    return tuple((f"deb{number}", source) for number, source in enumerate(sources))


def system(sources: tuple[Source, ...], root: str) -> tuple[Step, ...]:
    """The steps that lay out the system of some packages in a folder."""
    return (
        *(Link(path=f"{root}/{name}", target=f"usr/{name}") for name in MERGED),
        *(
            Unpack(archive=f"${{source.{alias}}}", into=root, omit=NOT_OF_A_ROOT, system=True)
            for alias, _ in packages(sources)
        ),
        *(
            Link(path=f"{root}/usr/bin/{name}", target=program)
            for name, program in ALTERNATIVES.items()
        ),
        *(Write(path=f"{root}/etc/{name}", text="") for name in OF_NETWORK),
        *(Folder(path=f"{root}/etc/{name}") for name in ("pki", "ssl")),
        Write(path=f"{root}/etc/passwd", text=USERS),
        Write(path=f"{root}/etc/group", text=GROUPS),
    )
