"""The report: sound HTML whatever is in it, small, readable, the same where nothing changed."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tinyhtml5 import parser

from muslin.dist import markup, report_data, report_page, timeline
from muslin.engine.events import Events
from tests.report import HOSTILE, lay

BOARDS = ("raspi1ap", "raspi3b")
LARGEST = 300_000
ADDRESSES = ("href", "src", "srcset", "action", "data", "poster", "xlink:href")


class Outline(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of some kinds."""
        return [attributes for tag, attributes in self.tags if tag in tags]


def page(dist: Path) -> str:
    return report_page.write(dist, BOARDS).read_text(encoding="utf-8")


def faults(text: str) -> list[object]:
    """What a parser that follows the standard had to put right."""
    reader = parser.HTMLParser()
    reader.parse(text)
    return list(reader.errors)


@pytest.mark.parametrize("text", ["", HOSTILE], ids=["plain", "hostile"])
def test_a_page_is_sound_and_holds_no_markup_of_others(tmp_path: Path, text: str) -> None:
    lay(tmp_path, text=text)
    written = page(tmp_path)
    assert faults(written) == []
    outline = Outline(written)
    assert not outline.of("script", "img", "iframe", "link", "object", "form")
    named = {name for _, attributes in outline.tags for name in attributes}
    assert not [name for name in named if name.startswith("on")]
    assert "\0" not in written
    assert "\u202e" not in written
    assert "\x1b" not in written
    if text:
        assert "<script>alert(1)</script>" in "".join(outline.texts), "as text it is all there"
    assert faults(written.replace("</section>", "", 1)), "the parser finds faults"


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    lay(tmp_path, text=HOSTILE)
    outline = Outline(page(tmp_path))
    found = [
        value or "" for _, attrs in outline.tags for key, value in attrs.items() if key in ADDRESSES
    ]
    assert found
    assert all(re.fullmatch(r"#[a-z]+|\./[A-Za-z0-9%._/-]+", one) for one in found), found
    assert "url(" not in report_page.STYLE.read_text()
    (policy,) = (one["content"] for one in outline.of("meta") if "http-equiv" in one)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_links_lead_to_files_that_are_there(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "reports/armv6/hello-c.txt").touch()
    outline = Outline(page(tmp_path))
    ids = {attributes["id"] for _, attributes in outline.tags if "id" in attributes}
    for link in outline.of("a"):
        address = str(link["href"])
        if address.startswith("#"):
            assert address[1:] in ids
        elif not address.endswith(".txt"):  # beside the JSON, which alone is laid out here
            assert (tmp_path / address).is_file(), address


def test_whoever_does_not_see_it_finds_the_way(tmp_path: Path) -> None:
    """Landmarks, headings, names of tables, heads of rows and columns."""
    lay(tmp_path)
    outline = Outline(page(tmp_path))
    tags = [tag for tag, _ in outline.tags]
    assert [tags.count(tag) for tag in ("main", "header", "nav", "h1")] == [1, 1, 1, 1]
    assert outline.of("html") == [{"lang": "en"}]
    assert len(outline.of("table")) == len(outline.of("caption"))
    assert all(one.get("scope") in ("row", "col", "rowgroup") for one in outline.of("th"))
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(one.get("aria-labelledby") in ids for one in outline.of("section"))
    named = outline.of("svg", "nav")
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in named)
    assert "failed" in outline.texts or " failed" in outline.texts, "colours are explained"
    scrolled = [one for one in outline.of("div") if one.get("class") == "scroll"]
    assert all(one.get("tabindex") == "0" and one.get("aria-label") for one in scrolled)


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_colours_differ_enough_in_the_light_and_in_the_dark() -> None:
    """WCAG 2.2, 1.4.3 for text and 1.4.11 for bars."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    style = report_page.STYLE.read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(blocks) == 2
    assert "prefers-color-scheme: dark" in style
    for block in blocks:
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block))
        grounds = (colours["page"], colours["raised"])
        for name, ground in itertools.product(("text", "quiet", "good", "bad", "link"), grounds):
            assert contrast(colours[name], ground) >= 4.5, (name, ground)
        for name in ("built", "checked", "found", "failed"):
            assert contrast(colours[name], colours["page"]) >= 3, name


def test_a_large_dist_has_a_small_page(tmp_path: Path) -> None:
    lay(tmp_path, services=40, stages=3000, allowed=2000)
    written = page(tmp_path)
    assert len(written.encode()) < LARGEST
    assert "(the first 250 of" in written
    assert "(the first 150 of 3000; the reports have all)" in written


def test_what_the_page_says(tmp_path: Path) -> None:
    lay(tmp_path, services=1)
    digest = json.loads((tmp_path / "manifest.json").read_text())["artefacts"][0]["sha256"]
    text = re.sub(r"<[^>]*>", " ", page(tmp_path))
    assert "Programs: 4, verified: 4; services: 1; targets: 4;" in text
    assert digest in text
    assert "fits armv6-vfpv2" in text
    assert "raspi1ap, 4.2 s" in text
    assert "OPENSSL_cpuid_setup looks at getauxval" in text
    assert "_armv7_tick_0" in text
    assert "CVE-2025-26519" in text


def test_a_report_of_another_program_vouches_for_nothing(tmp_path: Path) -> None:
    lay(tmp_path, services=1)
    path = tmp_path / "reports/armv6/hello-c.json"
    report = json.loads(path.read_text())
    path.write_text(json.dumps({**report, "shipped": "0" * 64}))
    contents = report_data.read(tmp_path, BOARDS)
    vouched = {one.listed.target for one in contents.programs if one.verification}
    assert vouched == {"armv7", "aarch64", "x86_64"}
    assert "no report of this program" in page(tmp_path)
    path.write_text("[" * 100_000)
    assert "no report of this program" in page(tmp_path)


def test_an_empty_dist_has_a_page(tmp_path: Path) -> None:
    written = page(tmp_path)
    assert faults(written) == []
    assert "<code>build-all</code>" in written


def test_a_page_that_says_the_same_stays(tmp_path: Path) -> None:
    lay(tmp_path)
    page(tmp_path)
    before = (tmp_path / "report.html").stat()
    page(tmp_path)
    after = (tmp_path / "report.html").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    (tmp_path / "report.html").write_text("spoilt")
    assert page(tmp_path).startswith("<!DOCTYPE html>")


def test_the_time_line_is_that_of_the_run(tmp_path: Path) -> None:
    events = Events(tmp_path / "runs")
    events.begin(jobs=2, stages=2)
    events.started("one", [])
    events.ended("one", "built", cpu_seconds=1.0)
    timeline.write(tmp_path, events)
    (span,) = timeline.load(tmp_path).spans
    assert (span.stage, span.outcome) == ("one", "built")
    assert timeline.load(tmp_path).time.startswith("20")
    events.close()
    (trace,) = (tmp_path / "runs").glob("*/trace.json")
    (row,) = json.loads(trace.read_text())["traceEvents"]
    assert (row["name"], row["cat"], row["tid"]) == ("one", "built", 0)


@pytest.mark.parametrize("text", ["<b>", '"', "'", "&", "\0", "\u2028", "\ud800", "<!--", "]]>"])
def test_no_text_becomes_markup(text: str) -> None:
    made = markup.element("td", text, [text, markup.element("b", text)], title=text)
    assert made.count("<") == 4
    outline = Outline(made)
    assert [tag for tag, _ in outline.tags] == ["td", "b"]
    made.encode()
