"""The pages of the site, from the Markdown files of the repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\(([^()\s]+)\)")
DIAGRAM = re.compile(r"```mermaid\n.*?```", re.DOTALL)
TEXT_DIAGRAM = re.compile(r"```\n.*?```", re.DOTALL)
MOVED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "services/README.md": "samples.md",
}
"""Pages outside of docs/, and their names on the site."""


def staged(project: Path) -> dict[str, str]:
    """Every page by its path on the site; raises `ValueError` for a link to a missing file."""
    sources = {path: name for name, path in _sources(project)}
    pages = {
        target: _rewritten(project, source, target, sources) for source, target in sources.items()
    }
    # The theme would load the script that draws Mermaid diagrams from another server.
    drawn, *_ = TEXT_DIAGRAM.findall(pages["design.md"])
    pages["index.md"] = DIAGRAM.sub(lambda _: drawn, pages["index.md"])
    return pages


def _sources(project: Path) -> Iterator[tuple[str, str]]:
    """Path on the site, and in the repository."""
    for source, target in MOVED.items():
        yield target, source
    for path in sorted((project / "docs").rglob("*.md")):
        yield path.relative_to(project / "docs").as_posix(), path.relative_to(project).as_posix()


def _rewritten(project: Path, source: str, target: str, sources: dict[str, str]) -> str:
    """The text of a page with its links as they are on the site."""

    def link(match: re.Match[str]) -> str:
        text, (path, hash_, anchor) = match[1], match[2].partition("#")
        if not path or "://" in path:
            return match[0]
        file = os.path.normpath(PurePosixPath(source).parent / path)
        if not (project / file).exists():
            raise ValueError(f"{source}: {match[2]} does not exist")
        if file in sources:
            to = os.path.relpath(sources[file], PurePosixPath(target).parent)
            return f"[{text}]({to}{hash_}{anchor})"
        if file.startswith("docs/"):
            return match[0]
        # Files of the repository are not part of the site.
        return text if file.endswith(text.strip("`/")) else f"{text} (`{file}`)"

    return LINK.sub(link, (project / source).read_text(encoding="utf-8"))
