"""Rust's own archives, put together to the tree that packages give: stand-ins in their layout.

The layout is rust-installer's: `<component>-<version>[-<triple>]/<component>/`, with an
`install.sh` and lists beside it.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from muslin.engine.source import Source, Url
from recipes import host_programs
from tests.e2e.bench import Bench

TRIPLE = "x86_64-unknown-linux-gnu"
RUSTC = "#!/bin/sh\necho rustc of $LD_LIBRARY_PATH\n"
FILES = {
    f"rustc-1.95.0-{TRIPLE}.tar.xz": {
        "install.sh": "",
        "components": "rustc\n",
        "rustc/manifest.in": "",
        "rustc/bin/rustc": RUSTC,
        "rustc/bin/rustdoc": RUSTC,
        "rustc/lib/librustc_driver-1.so": "driver",
        f"rustc/lib/rustlib/{TRIPLE}/bin/rust-lld": "linker",
        "rustc/share/man/man1/rustc.1": "",
    },
    f"cargo-1.95.0-{TRIPLE}.tar.xz": {
        "install.sh": "",
        "cargo/bin/cargo": RUSTC,
        "cargo/etc/bash_completion.d/cargo": "",
    },
    f"rust-std-1.95.0-{TRIPLE}.tar.xz": {
        f"rust-std-{TRIPLE}/manifest.in": "",
        f"rust-std-{TRIPLE}/lib/rustlib/{TRIPLE}/lib/libstd-1.rlib": "std",
    },
    "rust-src-1.95.0.tar.xz": {
        "rust-src/lib/rustlib/src/rust/library/Cargo.lock": "lock",
        "rust-src/lib/rustlib/src/rust/library/std/src/lib.rs": "source",
        "rust-src/lib/rustlib/src/rust/src/llvm-project/libunwind/README": "not wanted",
    },
}


def downloaded(bench: Bench, name: str, files: dict[str, str]) -> Source:
    """An archive that the bench has fetched before."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{name.removesuffix('.tar.xz')}/{path}")
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    content = stream.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    place = bench.cache / "downloads" / digest / name
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    origins = (Url(address=f"https://static.example.org/{name}"),)
    return Source(name=name, sha256=digest, size=len(content), origins=origins)


def test_the_tree_of_the_archives(bench: Bench) -> None:
    sources = tuple(downloaded(bench, name, files) for name, files in FILES.items())
    assert not host_programs.has_crates_of_std(sources)
    tree = bench.build(host_programs.rust(sources, multiarch="x86_64-linux-gnu"))["rust"].tree
    made = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert made == {
        *("bin/rustc", "bin/cargo", "bin/rustdoc"),
        *("programs/rustc", "programs/cargo", "programs/rustdoc"),
        "lib/librustc_driver-1.so",
        f"lib/rustlib/{TRIPLE}/bin/rust-lld",
        f"lib/rustlib/{TRIPLE}/lib/libstd-1.rlib",
        "lib/rustlib/src/rust/library/Cargo.lock",
        "lib/rustlib/src/rust/library/std/src/lib.rs",
    }
    assert Path(tree, "bin/rustc").stat().st_mode & 0o111
