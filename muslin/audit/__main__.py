"""`python -m muslin.audit RULES FOLDER TO`: hold files of a folder to a processor.

RULES is a file of JSON: `subject`, `target`, `baseline`, `machine`, `bits`, `little-endian`,
`patterns` of files below FOLDER, each of which must match some, `allowed` as in `allowed.toml`,
`ran`, what is known of the files' behaviour, `contains`, the components that are linked in, and
`shipped`, the file that the audited one becomes once it is stripped: its digest goes into the
report. `report.txt` and `report.json` come to lie in
TO. Ends with 3 where something does not fit, after it has said what.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from muslin.audit import allowed, baseline, verdict
from muslin.audit.finding import Finding, Refused
from muslin.audit.verdict import Verdict

REFUSED = 3
"""The exit code that says it of a file, and not of the audit: Python's own is 1."""
FAULTS = ("refused: ", "not seen: ")
SHOWN = 12
"""Findings of one subject that are repeated in the end; the log has all of them."""


def main(rules: Path, folder: Path, to: Path) -> int:
    """Write the reports; the code to end with."""
    said = json.loads(rules.read_text(encoding="utf-8"))
    try:
        verdicts = _verdicts(said, folder)
        if not any(one.members for one in verdicts):
            raise Refused("no ELF file is in it")
    except Refused as fault:
        _say([f"{said['subject']} cannot be verified: {fault}"])
        return REFUSED
    lines = _text(said, verdicts)
    _say(lines)
    if any(not one.fits for one in verdicts):
        _say(_faults(said, verdicts))
        return REFUSED
    (to / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = {
        **{key: said[key] for key in ("subject", "target", "baseline", "ran", "contains")},
        "fits": True,
        "shipped": _digest(folder / said["shipped"]) if said["shipped"] else "",
        "files": [one.table() for one in verdicts],
    }
    (to / "report.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _faults(said: dict[str, Any], verdicts: list[Verdict]) -> Iterator[str]:
    yield ""
    yield f"{said['subject']} does not fit {said['target']} ({said['baseline']}). First:"
    lines = [line for one in verdicts for line in one.lines()]
    yield from [f"  {line}" for line in lines if line.startswith(FAULTS)][:SHOWN]
    if any(one.refused for one in verdicts):
        where = "[[allowed]] of service.toml" if said["shipped"] else "muslin/audit/allowed.toml"
        yield "Build it for the target's processor. Where something looks before the code runs"
        yield f"whether the processor has it, say so in {where}: docs/verify.md."
        yield from _entries(said["baseline"], [one for each in verdicts for one in each.refused])
    else:
        yield "Build it so that it can be looked into, with its symbols and without -flto:"
        yield "docs/verify.md."


def _entries(baseline: str, refused: Iterable[Finding]) -> Iterator[str]:
    """What would allow the code that was refused, but for the reasons; claims alone have none."""
    code, claims = dict[str, set[str]](), set[str]()
    for one in refused:
        if one.section:
            code.setdefault(one.symbol, set()).add(one.what)
        else:
            claims.add(one.what)
    alike = dict[tuple[str, ...], list[str]]()
    for symbol in sorted(code):
        alike.setdefault(tuple(sorted(code[symbol])), []).append(symbol)
    if alike:
        yield "All of it, where each place is known to be behind such a look:"
    for needs, symbols in alike.items():
        yield "[[allowed]]"
        yield f"baselines = [{_quoted(baseline)}]"
        yield "symbols = ["
        yield from (f"    {_quoted(_as_pattern(symbol))}," for symbol in symbols)
        yield "]"
        yield f"needs = [{', '.join(map(_quoted, needs))}]"
        if claims:
            yield f"claims = [{', '.join(map(_quoted, sorted(claims)))}]"
        yield 'reason = ""  # what looks, and where that can be read'


def _as_pattern(symbol: str) -> str:
    """A pattern for `fnmatch` that this name alone fits."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in symbol)


def _quoted(text: str) -> str:
    """A string of TOML."""
    return json.dumps(text)


def _verdicts(said: dict[str, Any], folder: Path) -> list[Verdict]:
    entries = allowed.entries(said["allowed"])
    paths = set[Path]()
    for pattern in said["patterns"]:
        matching = {path for path in folder.glob(pattern) if path.is_file()}
        if not matching:
            raise Refused(f"nothing in it matches {pattern}")
        paths |= matching
    held_to = baseline.of(
        said["baseline"],
        machine=said["machine"],
        bits=said["bits"],
        little_endian=said["little-endian"],
    )
    return [
        verdict.of(
            path,
            path.name,
            held_to=held_to,
            baseline=said["baseline"],
            entries=entries,
        )
        for path in sorted(paths)
    ]


def _text(said: dict[str, Any], verdicts: list[Verdict]) -> list[str]:
    fits = all(one.fits for one in verdicts)
    files, code = sum(one.members for one in verdicts), sum(one.code_bytes for one in verdicts)
    return [
        f"{said['subject']} for {said['target']}: {'fits' if fits else 'does not fit'} "
        f"{said['baseline'] or said['machine']}",
        f"{files} ELF file(s), {code} bytes of code, every instruction looked at"
        if said["baseline"]
        else f"{files} ELF file(s); the target names no baseline: no instruction was looked at",
        *(f"ran: {text}" for text in said["ran"]),
        *map(_contained, said["contains"]),
        "",
        *(line for one in verdicts for line in one.lines()),
    ]


def _contained(component: dict[str, Any]) -> str:
    fixes = ", ".join(component["fixes"])
    patched = f", with the fixes of {fixes}" if fixes else ""
    return f"contains: {component['component']} {component['version']}{patched}"


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
