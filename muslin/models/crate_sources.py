"""Where cargo takes a project's crates from: what its lock names, and what it says of that itself.

<https://doc.rust-lang.org/cargo/reference/source-replacement.html>
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import tomli_w

from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.models import cargo_manifest

PUBLIC = "crates-io"
"""Cargo's name of the public registry; every lock names its index, whatever stands in for it."""


def registries(root: Path) -> str:
    """The registries that a project's configuration names, as a configuration."""
    _, tables = cargo_manifest.configuration(root)
    return tomli_w.dumps({name: said for name, said in tables.items() if name == "registries"})


def vendored(root: Path) -> set[Path]:
    """Folders of the project that stand for a registry or repository."""
    known, _ = cargo_manifest.configuration(root)
    said = [folder for source in known.source.values() for _, folder in source.folders]
    return {
        path for path in (documents.real(root / one) for one in said) if documents.is_folder(path)
    }


def in_tree(root: Path, base: Path) -> str:
    """Those settings, with folders as a copy of the project has them."""
    known, tables = cargo_manifest.configuration(root)
    folders = vendored(root)
    for name, source in known.source.items():
        for key, said in source.folders:
            if (folder := documents.real(root / said)) in folders:
                tables["source"][name][key] = f"{{tree}}/{folder.relative_to(base)}"
    return tomli_w.dumps(tables)


def replaced(lock: Path) -> str:
    """Every source that a lock names, replaced by one folder."""
    said = {one.source for one in cargo_manifest.lock(lock).package} - {""}
    tables: dict[str, dict[str, str]] = {"vendored": {"directory": "{folder}"}}
    tables[PUBLIC] = {"replace-with": "vendored"}
    for source in sorted(one for one in said if not _is_public(one)):
        kind, _, address = source.partition("+")
        if kind == "git":
            table = _repository(lock, address)
            source = source.partition("#")[0]  # noqa: PLW2901  # its name, without the commit
        else:
            table = {"registry": source if kind == "sparse" else address}
        tables[source] = {**table, "replace-with": "vendored"}
    return tomli_w.dumps({"source": tables})


def _repository(lock: Path, address: str) -> dict[str, str]:
    """Where a git source lies, and which commit of it is meant."""
    try:
        parts = urlsplit(address)
        plain = parts._replace(query="", fragment="").geturl()
        return {"git": plain, **dict(parse_qsl(parts.query))}
    except ValueError as error:
        fault = f"package.source: {address!r:.60} is no address: {error}"
        raise errors.BadDeclaration(lock, [fault]) from error


def _is_public(source: str) -> bool:
    return source.rpartition("/")[2].replace(".", "-") == f"{PUBLIC}-index"
