"""What tests take where upstream's files cannot be had: see README.md beside this."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from recipes.toolchain import precompiled_headers
from recipes.toolchain.gcc_source import PACKED

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class StandIn:
    """A tarball that was made."""

    path: Path

    @property
    def pin(self) -> dict[str, str | int]:
        """The keys of a pin that say which file it is."""
        content = self.path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return {"file": self.path.name, "size": len(content), "sha256": digest}


def compiler(part: str, version: str, toolchain: Path, to: Path) -> StandIn:
    """`gcc`, `binutils` or `musl`, which install what a finished toolchain has of theirs."""
    more = {"where": f"{toolchain}\n"}
    if part == "gcc":  # the recipe mends these files of GCC 14
        text = '   %{!static: \\\n   GNU_USER_DYNAMIC_LINKER "}} \\\n'
        more["gcc/config/arm/linux-elf.h"] = text
        for path in PACKED:
            more[path] = "   %{static-pie:-static -pie --no-dynamic-linker -z text} \\\n"
        more["gcc/Makefile.in"] = (
            "INTERNAL_CFLAGS = -DIN_GCC @CROSS@\n  $(WARN_CXXFLAGS) @DEFS@\n\t$(ANALYZER_OBJS) \\\n"
            f"{precompiled_headers.OBJECTS}"
        )
        more["gcc/BASE-VER"] = f"{version}\n"
        more["libstdc++-v3/configure"] = "#!/bin/sh\nif test -f /etc/ld.so.conf; then :; fi\n"
    return _packed(HERE / part, f"{part}-{version}", to, more)


def library(name: str, version: str, headers: str, to: Path) -> StandIn:
    """`gmp`, `mpfr` or `mpc`, with these headers and nothing in them."""
    return _packed(HERE / "library", f"{name}-{version}", to, {"headers": headers})


def headers(version: str, toolchain: Path, triple: str, architecture: str, to: Path) -> StandIn:
    """Kernel headers, for one of the kernel's architectures, in sabotage Linux's layout."""
    include = toolchain / triple / "include"
    folders = ("asm", "asm-generic", "linux", "mtd", "rdma", "sound", "video")
    more = {
        f"{architecture}/include/{path.relative_to(include)}": path.read_text(errors="replace")
        for folder in folders
        for path in sorted((include / folder).rglob("*.h"))
    }
    more[f"arch/{architecture}/.keep"] = ""
    return _packed(HERE / "linux-headers", f"linux-headers-{version}", to, more)


def musl_cross_make(commit: str, to: Path, *, without: str = "") -> StandIn:
    """The project at a commit; `patches/` has a folder for each version it knows, but `without`."""
    known = [name for name in ("gcc-14.2.0", "binutils-2.44", "musl-1.2.5") if name != without]
    patch = "--- /dev/null\n+++ b/PATCHED\n@@ -0,0 +1 @@\n+by musl-cross-make\n"
    more = {f"patches/{name}/0001-mark.diff": patch for name in known}
    made = _packed(HERE / "musl-cross-make", f"musl-cross-make-{commit}", to, more)
    return StandIn(made.path.rename(to / f"{commit}.tar.gz"))


def retopped(source: Path, path: Path, top: str) -> StandIn:
    """A release as a distribution repacked it, with the top folder of the release."""
    with tarfile.open(source) as old, tarfile.open(path, "w:xz", preset=0) as new:
        for member in old:
            content = old.extractfile(member) if member.isfile() else None
            member.name = "/".join((top, *member.name.split("/")[1:]))
            new.addfile(member, content)
    return StandIn(path)


def _packed(folder: Path, top: str, to: Path, more: dict[str, str]) -> StandIn:
    path = to / f"{top}.tar.gz"
    files = {
        str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()
    }
    scratch = to / f".{top}"
    for name, text in {**files, **more}.items():
        file = scratch / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    with tarfile.open(path, "w:gz") as tar:
        tar.add(scratch, top)
    shutil.rmtree(scratch)
    return StandIn(path)
