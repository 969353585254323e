"""`python -m documents FOLDER`: write the pages of the site."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from documents import pages

PROJECT = Path(__file__).resolve().parents[1]


def main(folder: Path) -> None:
    """Write every page and picture into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in pages.staged(PROJECT).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for picture in (PROJECT / "docs").glob("*.svg"):
        shutil.copy(picture, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
