"""The Debian archive in tests: the real one with private state, and small signed ones of our own
on loopback."""

from __future__ import annotations

import datetime
import hashlib
import lzma
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pysequoia

from muslin.engine.fetch.archive import mirrors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.http import Limits
from muslin.sources import debian_archive

PROJECT = Path(__file__).resolve().parents[1]
CERTIFICATES = PROJECT / debian_archive.CERTIFICATES
SHORT = Limits(tries=1, pause=0.01, connect=5, silence=5, patience=20)
NOWHERE = mirrors.public((("http://127.0.0.1:1/debian", "http://127.0.0.1:1/security"),))
OWN_KEY = pysequoia.Tsk.generate("An archive of a test <archive@example.org>")


def archive(
    state: Path, *, etc: Path = Path("/etc/apt"), os_release: Path | None = None
) -> Archive:
    """The real archive, by this machine's apt files or others."""
    return Archive(
        state,
        certificates=CERTIFICATES,
        public=NOWHERE,
        cancelled=threading.Event(),
        etc=etc,
        os_release=os_release or Path("/etc/os-release"),
    )


class Mirror:
    """A directory that looks like an archive, signed by a key of the test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packages: dict[str, str] = {}
        """Suite -> its Packages file."""
        self.sources: dict[str, str] = {}
        self.key = OWN_KEY

    def add(self, name: str, version: str, *, suite: str = "trixie", **fields: str) -> bytes:
        """Put a binary package there and return its content."""
        content = f"{name} {version} ".encode() * 100
        base = "security" if suite.endswith("-security") else "debian"
        updates = "updates/" if base == "security" else ""
        plain = version.partition(":")[2] or version
        path = f"pool/{updates}main/{name[0]}/{name}/{name}_{plain}_amd64.deb"
        self.write(f"{base}/{path}", content)
        rows = {
            "Package": name, "Version": version, "Architecture": "amd64", **fields,
            "Filename": path, "Size": str(len(content)),
            "SHA256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        text = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in rows.items())
        self.packages[suite] = f"{self.packages.get(suite, '')}{text}\n"
        return content

    def sign(self, suite: str = "trixie", *, age: float = 0.0, **fields: str) -> None:
        """Write a suite's indexes and its InRelease file, `age` in days."""
        base = f"{'security' if suite.endswith('-security') else 'debian'}/dists/{suite}"
        table = ""
        for name, text in (
            ("main/binary-amd64/Packages", self.packages.get(suite, "")),
            ("main/source/Sources", self.sources.get(suite, "")),
        ):
            folder = name.rpartition("/")[0]
            for suffix, content in (("", text.encode()), (".xz", lzma.compress(text.encode()))):
                digest = hashlib.sha256(content).hexdigest()
                table += f" {digest} {len(content)} {name}{suffix}\n"
                if suffix:
                    self.write(f"{base}/{name}{suffix}", content)
                    self.write(f"{base}/{folder}/by-hash/SHA256/{digest}", content)
        date = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=age)
        head: Mapping[str, str] = {
            "Codename": suite,
            "Date": f"{date:%a, %d %b %Y %H:%M:%S UTC}",
            "Acquire-By-Hash": "yes",
            **{key.replace("_", "-"): value for key, value in fields.items()},
        }
        lines = "".join(f"{key}: {value}\n" for key, value in head.items())
        self.write(f"{base}/InRelease", self.signed(f"{lines}SHA256:\n{table}"))

    def signed(self, text: str) -> bytes:
        """The text with the mirror's signature."""
        return bytes(
            pysequoia.sign(self.key.signer(), text.encode(), mode=pysequoia.SignatureMode.CLEAR)
        )

    def write(self, path: str, content: bytes) -> Path:
        """A file of the mirror."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def change(self, path: str) -> None:
        """Flip a bit in the middle of a file."""
        file = self.root / path
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(*roots: Path) -> Iterator[list[str]]:
    """The addresses of directories, each served on loopback."""
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
        for root in roots
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield [f"http://127.0.0.1:{server.server_address[1]}" for server in servers]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def reader(folder: Path, *addresses: str) -> Archive:
    """A reader that trusts the key of the tests' own archives, with these mirrors."""
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    certificate = OWN_KEY.extract_certificate()
    (keys / f"{certificate.fingerprint.upper()}.asc").write_text(str(certificate))
    return Archive(
        folder / "state",
        certificates=keys,
        public=mirrors.public(tuple((f"{one}/debian", f"{one}/security") for one in addresses)),
        cancelled=threading.Event(),
        limits=SHORT,
        os_release=folder / "none",
    )
