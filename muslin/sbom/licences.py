"""The licences of all that is in a program, as one text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from muslin.sbom.part import Part

RULE = "=" * 78


def document(subject: str, target: str, parts: Sequence[Part]) -> str:
    """A table of what is in the program, and each text once, below all that have it."""
    return "".join(f"{line}\n" for line in _lines(subject, target, parts))


def _lines(subject: str, target: str, parts: Sequence[Part]) -> Iterator[str]:
    yield f"What the program {subject} for {target} contains, beside its own code, and under which"
    yield "licences. The texts are those of the sources that it was built from."
    yield ""
    width = max((len(part.title) for part in parts), default=0)
    for part in parts:
        licence = part.licence or "its source names no licence"
        yield f"{part.title:<{width}}  {licence}" + ("" if part.texts else "  (no text)")
    if any(not part.texts for part in parts):
        yield ""
        yield "(no text): the source has no file with the text of its licence at its top"
    holders: dict[str, list[str]] = {}
    for part in parts:
        for text in part.texts:
            holders.setdefault(text.text, []).append(f"{part.title}: {text.name}")
    for content, names in holders.items():
        yield ""
        yield RULE
        yield from names
        yield RULE
        yield ""
        yield content.rstrip("\n")
