"""What this machine's own cargo configuration says about where crates come from.

The pipeline's cargo homes are its own, so that nothing lying around changes a build. Registries,
mirrors, proxies and certificates are the user's all the same. Tokens are not written down: the
process that fetches has them in its environment, and a link to the user's own file. Paths in values
are taken from the folder that holds the configuration's folder, as cargo does.
<https://doc.rust-lang.org/cargo/reference/config.html>
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from muslin.engine import errors
from muslin.engine.formats import canonical_json, documents
from muslin.engine.redaction import USERINFO

TABLES = ("source", "registries", "registry", "http", "net", "credential-alias")
NAMED = ("source", "registries")
"""Those of them that hold a table for each name."""
PATHS = {"source": ("directory", "local-registry"), "http": ("cainfo", "proxy-cainfo")}


def user_home() -> Path:
    """The user's own cargo home."""
    return Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo").absolute()


def write_registry_settings(path: Path, tables: Sequence[str] = ()) -> None:
    """Write those tables of the user's configuration to `path`, without tokens; a link to the
    user's credentials beside it, unless certain tables are asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = _configuration(tables or TABLES)
    if tables:
        settings = {table: _without_credentials(settings[table]) for table in settings}
    for _, table, key in _secrets(settings):
        del table[key]
    path.touch(mode=0o600)  # an address may have a password in it
    path.write_text(
        tomli_w.dumps(_with_absolute_paths(settings, user_home().parent)), encoding="utf-8"
    )
    for name in () if tables else ("credentials", "credentials.toml"):
        if (user_home() / name).is_file():
            (path.parent / name).symlink_to(user_home() / name)


def credentials() -> dict[str, str]:
    """What the user's configuration has of tokens and proxies, as variables of cargo's."""
    return {name: str(table[key]) for name, table, key in _secrets(_configuration(TABLES))}


def sources_digest() -> str:
    """SHA-256 of what this machine says takes the public registry's place."""
    variables = {name: text for name, text in os.environ.items() if name.startswith("CARGO_SOURCE")}
    return canonical_json.digest({"file": _configuration(("source",)), "variables": variables})


def local_registries() -> list[Path]:
    """The folders of archives that take a registry's place in the user's configuration."""
    sources = _with_absolute_paths(_configuration(("source",)), user_home().parent)
    found = (source.get("local-registry") for source in sources.get("source", {}).values())
    return [Path(folder) for folder in found if folder]


def _configuration(tables: Sequence[str]) -> dict[str, Any]:
    """Those tables of the user's configuration; raises `BadDeclaration`."""
    for name in ("config", "config.toml"):  # cargo prefers the one without suffix
        file = user_home() / name
        if documents.is_file(file):
            said = documents.toml(file)
            settings = {table: said[table] for table in tables if table in said}
            if faults := list(_faults(settings)):
                raise errors.BadDeclaration(file, faults)
            return settings
    return {}


def _secrets(settings: dict[str, Any]) -> list[tuple[str, dict[str, Any], str]]:
    """What is no file's to hold: cargo's variable for it, and the table and key that it is in.
    <https://doc.rust-lang.org/cargo/reference/config.html#environment-variables>"""
    registries = settings.get("registries", {})
    places = [
        ("CARGO_REGISTRY_TOKEN", settings.get("registry"), "token"),
        ("CARGO_HTTP_PROXY", settings.get("http"), "proxy"),
        *(
            (f"CARGO_REGISTRIES_{name.upper().replace('-', '_')}_TOKEN", table, "token")
            for name, table in registries.items()
        ),
    ]
    return [one for one in places if isinstance(one[1], dict) and one[2] in one[1]]


def _faults(settings: Mapping[str, object]) -> Iterator[str]:
    """Where those tables are not what cargo takes, by their keys; a value may be a secret."""
    for name, table in settings.items():
        if not isinstance(table, dict):
            yield f"{name}: it should be a table"
            continue
        parts = table if name in NAMED else {}
        yield from (
            f"{name}.{key}: it should be a table"
            for key, part in parts.items()
            if not isinstance(part, dict)
        )
        tables = {"": table, **{f"{key}.": part for key, part in parts.items()}}
        for prefix, part in tables.items():
            for key in PATHS.get(name, ()) if isinstance(part, dict) else ():
                if key in part and not isinstance(part[key], str):
                    yield f"{name}.{prefix}{key}: it should be a path"


def _without_credentials(table: dict[str, Any]) -> dict[str, Any]:
    """Of each registry where it is, and nothing by which somebody gets in."""
    return {
        name: {"index": USERINFO.sub("", str(said["index"]))}
        for name, said in table.items()
        if "index" in said
    }


def _with_absolute_paths(settings: dict[str, Any], base: Path) -> dict[str, Any]:
    for source in settings.get("source", {}).values():
        for key in PATHS["source"]:
            if key in source:
                source[key] = str(base / source[key])
    for key in PATHS["http"]:
        if key in settings.get("http", {}):
            settings["http"][key] = str(base / settings["http"][key])
    return settings
