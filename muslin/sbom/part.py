"""One part of a program: a C library, a crate, the C library of the toolchain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote

BY_MAP = "the linker's map"
BY_SYMBOLS = "symbols of the program"
BY_CARGO = "cargo's report of the build"
BY_DECLARATION = "the declaration of the service"
"""How a part is known to be in a program, the last where nothing better is known."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A licence's text, as a source has it."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A patch that was applied to the sources."""

    name: str
    sha256: str
    fixes: tuple[str, ...] = ()
    """CVEs that its name or text names and its package says are fixed."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a bill of materials says of a part."""

    name: str
    version: str
    purl: str
    known_by: str
    component: str = ""
    """The component that it is a part of, as pins and advisories call it; empty for crates."""
    licence: str = ""
    """SPDX expression; empty if its source says none."""
    cpe: str = ""
    kind: str = "library"
    """CycloneDX's type of a component."""
    source: str = ""
    """File or registry that its source is from."""
    sha256: str = ""
    """Digest of the source as it was downloaded."""
    origin: str = ""
    """purl of the distribution's source package that it was built from."""
    objects: tuple[str, ...] = ()
    """Objects of which something is in the program: `usr/lib/libz.a(inflate.o)`."""
    size: int = 0
    """Bytes of them that are loaded."""
    patches: tuple[Patch, ...] = ()
    fixes: tuple[str, ...] = ()
    """CVEs that the patches fix on top of the release."""
    features: tuple[str, ...] = ()
    texts: tuple[Text, ...] = field(default=(), repr=False)

    @property
    def ref(self) -> str:
        """Its name inside a bill; one crate can be there in two versions or from two sources."""
        return self.purl

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name} {self.version}".rstrip()


def purl(kind: str, *names: str, version: str, **qualifiers: str) -> str:
    """A package URL; <https://github.com/package-url/purl-spec>."""
    path = "/".join(quote(name, safe=":") for name in (kind, *names))
    behind = "&".join(
        f"{key}={quote(value, safe=':/')}" for key, value in sorted(qualifiers.items()) if value
    )
    at = f"@{quote(version, safe=':')}" if version else ""
    return f"pkg:{path}{at}" + (f"?{behind}" if behind else "")


def cpe(product: str, version: str) -> str:
    """CPE 2.3 of `vendor:product`; empty where none is known."""
    escaped = "".join(f"\\{one}" if one in "+~!" else one for one in version)
    return f"cpe:2.3:a:{product}:{escaped}:*:*:*:*:*:*:*" if product else ""


def texts(folder: Path, patterns: Sequence[str]) -> Iterator[Text]:
    """The licences' texts at the top of a folder, by patterns of names in small letters."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and any(fnmatchcase(path.name.lower(), one) for one in patterns):
            text = path.read_text(encoding="utf-8", errors="replace")
            yield Text(name=path.name, text=text.strip("\n") + "\n")
