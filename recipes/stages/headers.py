"""The kernel's headers for user space."""

from __future__ import annotations

from recipes.engine.stage import Copy, Present, Source, Stage, Unpack
from recipes.target import Target


def stage(target: Target, *, source: Source) -> Stage:
    """`include/linux`, `include/asm` and the rest, for this target's processor."""
    return Stage(
        name=f"headers-{target.name}",
        target=target.name,
        summary="kernel headers",
        sources=(("headers", source),),
        steps=(
            Unpack(archive="${source.headers}", only=("usr/include", "usr/lib/linux/uapi")),
            Copy(source="${work}/usr/include", to="${out}/include", omit=("*-linux-gnu*",)),
            # The package keeps one folder for similar processors and links to its files.
            Copy(
                source=f"${{work}}/usr/include/{target.kernel}/asm",
                to="${out}/include/asm",
                follow=True,
            ),
        ),
        runs_on="target",
        checks=(Present(paths=("include/linux/version.h", "include/asm/unistd.h")),),
        guess=2,
    )
