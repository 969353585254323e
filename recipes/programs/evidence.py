"""What a service's stage records of how its program was made, for its bill of materials."""

from __future__ import annotations

from muslin.engine.vocabulary import RecordLink, Run
from muslin.models.service import Service
from recipes.cross import Kit
from recipes.programs import product

FOLDER = "evidence"
LINK, CRATES = f"{FOLDER}/link.json", f"{FOLDER}/crates.json"
"""Files of a service's stage: see `RecordLink` and `RecordCrates`."""
MAPS = "${work}/maps"
KEPT_MAPS = "${scratch}/maps"
"""Where the folder of a build is kept between runs, its maps are: what is not linked again has one
of an earlier run."""


def maps(kit: Kit, folder: str = MAPS) -> tuple[Run, ...]:
    """Make the folder in which linkers leave their maps; one of an earlier run is taken."""
    return (Run(argv=("mkdir", "-p", folder)),) if kit.maps else ()


def linked(
    service: Service, kit: Kit, *, maps: str = MAPS, rust: bool = False
) -> tuple[RecordLink, ...]:
    """Record what the program was linked from; it was not stripped yet, or is kept as it was."""
    record = RecordLink(
        maps=maps,
        program=f"${{out}}/{product.UNSTRIPPED}/{service.binary}",
        roots=(
            *((name, f"${{need.{name}}}") for name, _ in kit.needs),
            *((("rust-std", "${need.rust-std}"),) if rust else ()),
        ),
        to=f"${{out}}/{LINK}",
    )
    return (record,) if kit.maps else ()


def words(kit: Kit) -> tuple[str, ...]:
    """What a linker is told so that it leaves a map where those of earlier runs are."""
    return (f"-Wl,-Map={KEPT_MAPS}/",) if kit.maps else ()
