"""The images of several platforms: which targets each of them holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from muslin.engine.builder import Builder
from muslin.engine.stage import Stage
from muslin.graph.catalog import Catalog
from muslin.models.target import Target

Targets = Sequence[Target]


def stages(
    targets: Targets,
    *,
    defaults: Targets,
    catalog: Catalog,
    builder: Builder,
    note: Callable[[str], None],
) -> list[Stage]:
    """One joint image for each service: of the chosen targets and of each default one whose image
    is there, so that a run for one target takes no other's platform away."""
    made, notes = [], dict[str, None]()
    missing = dict[tuple[str, ...], list[str]]()
    for each in catalog.services.values():
        images = {one: catalog.images.image(each, one) for one in defaults if one not in targets}
        there = [one for one, image in images.items() if builder.has(image)]
        chosen, doubled = one_per_platform((*targets, *there), defaults=defaults)
        made.append(catalog.images.index(each, chosen))
        notes |= dict.fromkeys(doubled)
        if absent := tuple(one.name for one in images if one not in there):
            missing.setdefault(absent, []).append(each.name)
    for absent, names in missing.items():
        left_out = f"leave out {', '.join(absent)}: not built as they are now"
        notes[f"the joint images of {', '.join(names)} {left_out}"] = None
    for text in notes:
        note(text)
    return made


def one_per_platform(
    targets: Targets, *, defaults: Targets
) -> tuple[tuple[Target, ...], list[str]]:
    """The targets, default ones first, and of two for one platform the first alone; and what is
    to be said of that."""
    order = (*defaults, *targets)
    by_platform: dict[tuple[str, str], Target] = {}
    notes = []
    for one in sorted(targets, key=order.index):
        first = by_platform.setdefault((one.image.architecture, one.image.variant), one)
        if first is not one:
            notes.append(
                f"{one.name} and {first.name} are one platform to container runtimes; "
                f"the joint images hold {first.name}'s"
            )
    return tuple(by_platform.values()), notes
