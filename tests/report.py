"""A `dist/` for the report: of real shape, with or without somebody's hostile texts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

HOSTILE = (
    "</title></style></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;"
    "\u202e\0\x1b[31m"
)
TARGETS = {
    "armv6": "armv6-vfpv2",
    "armv7": "armv7-vfpv3-d16",
    "aarch64": "armv8.0",
    "x86_64": "x86-64",
}


def write(dist: Path, path: str, content: bytes, **more: object) -> dict[str, object]:
    """A file and its row in the manifest."""
    (dist / path).parent.mkdir(parents=True, exist_ok=True)
    (dist / path).write_bytes(content)
    return {
        "path": path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "target": "",
        "stage_key": "0" * 64,
        "source_set": "debian",
        "contains": [],
        **more,
    }


def lay(
    dist: Path, *, services: int = 3, stages: int = 40, allowed: int = 5, text: str = ""
) -> None:
    """Programs of services for four targets, with reports; `text` is in all that others write."""
    rows = []
    for number in range(services):
        name = ("hello-c", "hello-http", "hello-tls")[number] if number < 3 else f"service-{number}"
        for target, baseline in TARGETS.items():
            program = f"{name} {target}".encode() * 9000
            part = {
                "component": f"musl{text}",
                "version": f"1.2.5-3{text}",
                "fixes": ["CVE-2025-26519"],
            }
            rows.append(write(dist, f"{target}/{name}", program, target=target, contains=[part]))
            rows.append(write(dist, f"images/{name}-{target}.tar", program * 2, target=target))
            report = {
                "subject": name,
                "target": target,
                "baseline": baseline,
                "ran": [f"on an emulated processor: {name}, answered http / with 'ok'{text}"],
                "contains": [part],
                "fits": True,
                "shipped": hashlib.sha256(program).hexdigest(),
                "files": [_audited(name, allowed, text)],
            }
            rows.append(_report(dist, f"reports/{target}/{name}.json", report, target))
        start = {
            "subject": f"{name} on a Raspberry Pi{text}",
            "network": True,
            "seen": [{"what": f"user space{text}", "seconds": 4.2}],
        }
        rows.append(_report(dist, f"reports/armv6/boot-{name}-raspi1ap.json", start, "armv6"))
    (dist / "manifest.json").write_text(json.dumps({"artefacts": rows}))
    spans = [
        {
            "stage": f"stage-{number}{text}",
            "outcome": f"built{text}"
            if text
            else ("built", "checked", "found", "failed")[number % 4],
            "began": number * 3.5,
            "seconds": 2.0 + 40 * (number % 7),
        }
        for number in range(stages)
    ]
    table = {"time": f"2026-11-30T20:00:00.5+00:00{text}", "spans": spans}
    (dist / "reports/timeline.json").write_text(json.dumps(table))


def _audited(name: str, allowed: int, text: str) -> dict[str, object]:
    return {
        "file": name,
        "fits": True,
        "elf_files": 1,
        "code_bytes": 412_000,
        "refused": [],
        "allowed": [
            {
                "place": {"file": name, "member": ""},
                "what": f"ARMv7{text}",
                "section": ".text",
                "symbol": f"_armv7_tick_{number}{text}",
                "address": 4096,
                "instruction": "mrrc",
                "count": 1,
                "reason": f"OPENSSL_cpuid_setup looks at getauxval(AT_HWCAP) first{text}",
            }
            for number in range(allowed)
        ],
        "not_seen": [],
        "notes": [],
    }


def _report(dist: Path, path: str, report: dict[str, object], target: str) -> dict[str, object]:
    return write(dist, path, json.dumps(report).encode(), target=target)
