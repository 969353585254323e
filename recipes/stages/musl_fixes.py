"""musl's fixes since its release: Debian's folder with a quilt series, or single patches."""

from __future__ import annotations

from recipes.engine.stage import Copy, Patch, Source, Step, Unpack, Write

FOLDER = "${work}/musl-patches"


def sources(patches: tuple[Source, ...]) -> tuple[tuple[str, Source], ...]:
    """The patches with their aliases."""
    if _is_debian(patches):
        return (("musl-patches", patches[0]),)
    return tuple((f"musl-patch-{number}", patch) for number, patch in enumerate(patches))


def steps(patches: tuple[Source, ...], *, into: str) -> tuple[Step, ...]:
    """Apply them to the unpacked sources."""
    if _is_debian(patches):
        return (
            Unpack(archive="${source.musl-patches}", into=FOLDER),
            Patch(series=f"{FOLDER}/debian/patches/series", into=into),
        )
    if not patches:
        return ()
    return (
        *placed(patches, FOLDER),
        Write(path=f"{FOLDER}/series", text="".join(f"{patch.name}\n" for patch in patches)),
        Patch(series=f"{FOLDER}/series", into=into),
    )


def placed(patches: tuple[Source, ...], folder: str) -> tuple[Copy, ...]:
    """Single patches, put into a folder under their names."""
    return tuple(
        Copy(source=f"${{source.{alias}}}", to=f"{folder}/{patch.name}")
        for alias, patch in sources(patches)
    )


def _is_debian(patches: tuple[Source, ...]) -> bool:
    return len(patches) == 1 and ".debian.tar." in patches[0].name
