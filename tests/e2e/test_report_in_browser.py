"""The report in a real browser: hostile texts stay texts."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from muslin.dist import report_page
from tests.report import HOSTILE, lay

CHROMIUM = shutil.which("chromium")


class Elements(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)


def shown(page: Path, profile: Path) -> str:
    """The document that the browser made of a page, once its scripts have run."""
    assert CHROMIUM is not None
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
    argv = [CHROMIUM, *options, "--dump-dom", page.as_uri()]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="this machine has no chromium")
def test_a_browser_runs_and_loads_nothing_of_it(tmp_path: Path) -> None:
    lay(tmp_path, text=f"{HOSTILE}<script>document.title = 'taken'</script>")
    path = report_page.write(tmp_path, ("raspi1ap",))
    document = shown(path, tmp_path / "profile")
    names = Elements(document).names
    assert not {"script", "img", "iframe"} & set(names)
    assert sorted(names) == sorted(Elements(path.read_text(encoding="utf-8")).names)
    assert "<title>Muslin: what is in dist/</title>" in document
    # Were it markup, its policy would still stop it.
    open_page = path.read_text(encoding="utf-8").replace(
        "</main>", "<script>document.title = 'taken'</script></main>"
    )
    path.write_text(open_page, encoding="utf-8")
    assert "<title>Muslin: what is in dist/</title>" in shown(path, tmp_path / "profile")
