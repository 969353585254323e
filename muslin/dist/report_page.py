"""`dist/report.html`: one page on all that lies in `dist/`, without a server and without scripts.

It is made of the files in `dist/` alone, so the same files give the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from muslin.dist import report_data, report_timeline
from muslin.dist.artifacts import REPORTS
from muslin.dist.markup import Markup, element, joined
from muslin.dist.report_data import Contents, Program, Verification
from muslin.dist.report_table import framed, left_over, listing, nothing, short
from muslin.engine.console import size
from muslin.engine.filesystem import atomic

FILE = "report.html"
STYLE = Path(__file__).with_name("report.css")
MOST_ALLOWED, MOST_FILES = 250, 400
"""Rows of a table, so that the page stays below 300 kB; what follows is counted."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for it: nothing."""


def write(dist: Path, boards: Iterable[str]) -> Path:
    """Write the page; one that says the same stays as it is."""
    path = dist / FILE
    text = page(report_data.read(dist, boards))
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
        atomic.write(path, text)
    return path


# Long: the parts of the page, from top to bottom.
def page(contents: Contents) -> str:
    """The whole page."""
    sections = [
        ("services", "Services", _services(contents.programs)),
        ("files", "Images, packages, toolchains", _others(contents)),
        ("time", "Time line", report_timeline.section(contents.timeline)),
        ("allowed", "Allowed beyond the baseline", _allowed(contents.verifications)),
        ("code", "Verified code", _code(contents.verifications)),
        ("parts", "What programs contain", _parts(contents)),
    ]
    links = (element("li", element("a", title, href=f"#{name}")) for name, title, _ in sections)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", "Muslin: what is in dist/"),
        element("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )
    body = element(
        "body",
        element(
            "header",
            element("h1", "What is in dist/"),
            element("p", _summary(contents), class_="quiet"),
            element("nav", element("ul", links), aria_label="Sections"),
        ),
        element(
            "main",
            *(
                element(
                    "section",
                    element("h2", title, id=f"{name}-title"),
                    content,
                    id=name,
                    aria_labelledby=f"{name}-title",
                )
                for name, title, content in sections
            ),
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _summary(contents: Contents) -> str:
    programs = contents.programs
    verified = sum(program.verification is not None for program in programs)
    targets = {program.listed.target for program in programs}
    services = {program.service for program in programs}
    return (
        f"Programs: {len(programs)}, verified: {verified}; services: {len(services)}; "
        f"targets: {len(targets)}; files in manifest.json: {len(contents.listed)}"
    )


def _services(programs: Sequence[Program]) -> Markup:
    by_service = dict[str, list[Program]]()
    for program in programs:
        by_service.setdefault(program.service, []).append(program)
    bodies = (
        element(
            "tbody",
            *(
                element(
                    "tr",
                    element("th", name, scope="rowgroup", rowspan=len(rows)) if not at else "",
                    *_program(program),
                )
                for at, program in enumerate(rows)
            ),
        )
        for name, rows in by_service.items()
    )
    head = ("Service", "Target", "Size", "Verified", "Ran", "Booted", "SHA-256")
    caption = "Programs by service and target; a click selects a whole digest"
    return framed(caption, head, bodies) if programs else nothing("build-all")


def _program(program: Program) -> Iterator[Markup]:
    listed, verification = program.listed, program.verification
    yield element("th", element("a", listed.target, href=_address(listed.path)), scope="row")
    yield element("td", size(listed.bytes), class_="number")
    if verification is None:
        yield element("td", element("span", "no report of this program", class_="bad"))
        yield element("td", "-")
    else:
        yield element("td", _verified(program, verification))
        yield element("td", listing(map(short, verification.ran)))
    yield element("td", listing(_started(program)) if program.starts else "-")
    yield element("td", element("code", listed.sha256, class_="digest"))


def _verified(program: Program, verification: Verification) -> Markup:
    code = sum(file.code_bytes for file in verification.files)
    allowed = sum(len(file.allowed) for file in verification.files)
    where = f"{REPORTS}/{program.listed.target}/{program.service}.txt"
    words = f"fits {verification.baseline or 'its machine'}"
    more = f", {allowed} allowed" if allowed else ""
    return joined(
        (
            element("a", element("span", words, class_="good"), href=_address(where)),
            f": {size(code)} of code{more}",
        )
    )


def _started(program: Program) -> Iterator[str]:
    for board, start in program.starts:
        seconds = max((seen.seconds for seen in start.seen), default=0.0)
        yield f"{board}, {seconds:.1f} s"


def _others(contents: Contents) -> Markup:
    others = list(contents.others)
    rows = (
        element(
            "tr",
            element("th", element("a", artefact.path, href=_address(artefact.path)), scope="row"),
            element("td", artefact.target or "several"),
            element("td", size(artefact.bytes), class_="number"),
            element("td", element("code", artefact.sha256, class_="digest")),
        )
        for artefact in others[:MOST_FILES]
    )
    head = ("File", "Target", "Size", "SHA-256")
    caption = "As in SHA256SUMS" + left_over(len(others), MOST_FILES)
    return framed(caption, head, [element("tbody", rows)]) if others else nothing("build-all")


def _allowed(verifications: Sequence[Verification]) -> Markup:
    """Each symbol once, with the targets in which it is."""
    symbols = dict[tuple[str, str, str, str], dict[str, None]]()
    for verification in verifications:
        for file in verification.files:
            for finding in file.allowed:
                where = finding.symbol or finding.section or "a claim of the file"
                key = (verification.subject, where, finding.what, finding.reason)
                symbols.setdefault(key, {})[verification.target] = None
    if not symbols:
        return element("p", "Nothing: no code beyond a baseline is in what was verified.")
    by_reason = dict[tuple[str, str], list[tuple[str, str, str]]]()
    for (subject, where, feature, reason), targets in sorted(symbols.items())[:MOST_ALLOWED]:
        row = (where, feature, ", ".join(targets))
        by_reason.setdefault((subject, reason), []).append(row)
    bodies = (
        element(
            "tbody",
            *(
                element(
                    "tr",
                    element("th", subject, scope="rowgroup", rowspan=len(rows)) if not at else "",
                    element("td", element("code", short(where))),
                    element("td", short(feature)),
                    element("td", targets),
                    element("td", short(reason), rowspan=len(rows)) if not at else "",
                )
                for at, (where, feature, targets) in enumerate(rows)
            ),
        )
        for (subject, reason), rows in by_reason.items()
    )
    caption = "Code that runs only after a look at the processor" + left_over(
        len(symbols), MOST_ALLOWED
    )
    return framed(caption, ("In", "Symbol", "Needs", "Targets", "Reason"), bodies)


def _code(verifications: Sequence[Verification]) -> Markup:
    """Bytes of code of every subject, library by library."""
    rows = [
        element(
            "tr",
            element("th", verification.subject, scope="row"),
            element("td", verification.target),
            element("td", short(file.file)),
            element("td", f"{file.elf_files:,}", class_="number"),
            element("td", size(file.code_bytes), class_="number"),
        )
        for verification in sorted(
            verifications, key=lambda report: (report.subject, report.target)
        )
        for file in sorted(verification.files, key=lambda audited: -audited.code_bytes)
    ]
    head = ("Subject", "Target", "File", "Objects", "Code")
    caption = "Every instruction of it was looked at" + left_over(len(rows), MOST_FILES)
    table = framed(caption, head, [element("tbody", rows[:MOST_FILES])])
    return table if rows else nothing("verify")


def _parts(contents: Contents) -> Markup:
    components = dict[tuple[str, str, str], dict[str, None]]()
    for program in contents.programs:
        for part in program.listed.contains:
            fixes = ", ".join(map(str, part.get("fixes", ())))
            key = (str(part.get("component", "")), str(part.get("version", "")), fixes)
            components.setdefault(key, {})[program.service] = None
    rows = (
        element(
            "tr",
            element("th", component, scope="row"),
            element("td", version),
            element("td", short(fixes) or "-"),
            element("td", ", ".join(services)),
        )
        for (component, version, fixes), services in sorted(components.items())
    )
    head = ("Component", "Version", "Fixes beyond the release", "In")
    caption = "C libraries and the compiler's own; crates are in each Cargo.lock"
    return framed(caption, head, [element("tbody", rows)]) if components else nothing("build-all")


def _address(path: str) -> str:
    """A file of `dist/`, relative to the page; no address of another kind, whatever its name."""
    return f"./{quote(path)}"
