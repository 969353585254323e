"""The host root: a directory with the programs of a Debian system, in which stages run instead of
on the machine's own.

Inside, the cache is at one path on every machine, so nothing that is built can name another one.
A program sees the root, what its stage needs, and its work folder; it has no network unless it
fetches.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from muslin.engine.process import launcher, namespaces

Way = Literal["bubblewrap", "namespaces", "chroot"]
WAYS: tuple[Way, ...] = get_args(Way)
"""In the order in which they are tried."""
CACHE = "/muslin"
"""Where the cache is inside."""
MOST_PARTS = 1000
"""Names of a path and of the links on it; more are links in a circle."""
VIEW = "view"
"""An empty directory of the cache, over which the root is mounted."""
OF_NETWORK = ("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ssl", "/etc/pki")
"""What a program that fetches reads of the machine: names of hosts, certificates."""


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What a program may see and reach beyond the root."""

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    network: bool = False
    native: bool = False
    """Whether it is one of Muslin's own programs, which run on the machine itself."""


@dataclass(frozen=True, kw_only=True)
class HostRoot:
    """An unpacked root and the way into it."""

    tree: Path
    cache: Path
    way: Way

    def inside(self, text: str) -> str:
        """A text with the cache's path as it is inside."""
        return text.replace(str(self.cache), CACHE)

    def outside(self, path: str) -> Path:
        """Where a path inside lies on this machine."""
        if path == CACHE or path.startswith(f"{CACHE}/"):
            return self.cache / path.removeprefix(CACHE).lstrip("/")
        return self.tree / path.lstrip("/")

    def has(self, program: str, cwd: Path, env: Mapping[str, str]) -> bool:
        """Whether a program would be found inside."""
        if "/" in program:
            inside = os.path.join(self.inside(str(cwd)), self.inside(program))  # noqa: PTH118
            return self._leads_to(inside) is not None
        folders = self.inside(env.get("PATH", "")).split(":")
        return any(self._leads_to(f"{folder}/{program}") for folder in folders)

    def _leads_to(self, path: str) -> Path | None:
        """The file on this machine to which a path inside leads; its links are followed as inside,
        where an absolute one begins at the root. None if there is none."""
        done, left = "/", [part for part in path.split("/") if part]
        for _ in range(MOST_PARTS):
            if not left:
                return self.outside(done)
            done = os.path.normpath(f"{done.rstrip('/')}/{left.pop(0)}")
            place = self.outside(done)
            if place.is_symlink():
                target = str(place.readlink())
                left = [one for one in target.split("/") if one] + left
                done = "/" if target.startswith("/") else os.path.dirname(done)  # noqa: PTH120
            elif not place.exists():
                return None
        return None

    def command(self, argv: Sequence[str], seal: Seal, *, cwd: Path, confined: bool) -> list[str]:
        """The command line that runs another one inside."""
        words = [self.inside(word) for word in argv]
        folders = list(self._folders(seal))
        view = self.cache / VIEW if self.way == "namespaces" else self.cache
        head = [
            *(self.way, str(view), str(self.tree), self.inside(str(cwd))),
            *(launcher.YES if said else "" for said in (seal.network, confined)),
        ]
        for outside, inside, writable in folders:
            head += (outside, inside, launcher.YES if writable else "")
        if self.way == "bubblewrap":
            words = [*self._bubblewrap(folders, seal, cwd), *words]
        return [sys.executable, "-I", "-S", launcher.__file__, *head, "--", *words]

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """The environment as it is inside."""
        return {name: self.inside(value) for name, value in env.items()}

    def _folders(self, seal: Seal) -> Iterator[tuple[str, str, bool]]:
        """What is shown beyond the root: path outside, path inside, whether it is writable."""
        for path in seal.readable:
            yield str(path), self.inside(str(path)), False
        if seal.network:
            for name in filter(os.path.exists, _of_network()):
                yield os.path.realpath(name), name, False
        for path in seal.writable:
            yield str(path), self.inside(str(path)), True

    def _bubblewrap(
        self, folders: Sequence[tuple[str, str, bool]], seal: Seal, cwd: Path
    ) -> Iterator[str]:
        user = str(namespaces.USER)
        yield from ("bwrap", "--unshare-user", "--uid", user, "--gid", user)
        yield from () if seal.network else ("--unshare-net",)
        for path in sorted(self.tree.iterdir()):
            if path.name not in namespaces.SYSTEM:
                continue
            if path.is_symlink():
                yield from ("--symlink", str(path.readlink()), f"/{path.name}")
            else:
                yield from ("--ro-bind", str(path), f"/{path.name}")
        yield from ("--dev", "/dev", "--bind", "/proc", "/proc", "--dir", "/tmp")  # noqa: S108  # an empty one
        for outside, inside, writable in folders:
            yield from ("--bind" if writable else "--ro-bind", outside, inside)
        yield from ("--chdir", self.inside(str(cwd)), "--")

    def prepare(self) -> None:
        """Make the directories that the way needs in the cache. Raises `OSError`."""
        if self.way != "chroot":
            (self.cache / VIEW).mkdir(exist_ok=True)
            return
        # Without mounts the cache itself is the root, and the system is there as links.
        for name in sorted(namespaces.SYSTEM):
            source, link = self.tree / name, self.cache / name
            if os.path.lexists(source):
                relative = source.relative_to(self.cache)
                target = source.readlink() if source.is_symlink() else relative
                link.unlink(missing_ok=True)
                link.symlink_to(target)
        here = self.cache / CACHE.lstrip("/")
        here.unlink(missing_ok=True)
        here.symlink_to(".")
        for name in ("dev", "proc", "tmp"):
            (self.cache / name).mkdir(exist_ok=True)
        for name in namespaces.DEVICES:
            node, device = self.cache / "dev" / name, Path("/dev", name)
            if device.exists() and not node.exists():
                os.mknod(node, device.stat().st_mode, device.stat().st_rdev)


def _of_network() -> Iterator[str]:
    yield from OF_NETWORK
    yield os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")  # noqa: PTH111
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "CARGO_HTTP_CAINFO"):
        if path := os.environ.get(name):
            yield path


def ways(works: Callable[[Sequence[str]], bool]) -> Iterator[Way]:
    """The ways that this machine allows, the best first; `works` tries a short command."""
    if works(("bwrap", "--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "true")):
        yield "bubblewrap"
    if works((sys.executable, "-I", "-S", namespaces.__file__)):
        yield "namespaces"
    if os.geteuid() == 0:
        yield "chroot"
