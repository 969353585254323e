"""A build writes into the cache and `dist/`, and nowhere else: the whole machine is watched."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product.shop import PROJECT, SERVICE, Shop, lay, package

WATCHED = """\
set -eu
mount -t tmpfs watch {there}
mkdir {there}/new {there}/work {there}/root
mount -t overlay watch -o lowerdir=/,upperdir={there}/new,workdir={there}/work {there}/root
for folder in /proc /dev /sys {cache}; do
    mount --rbind "$folder" "{there}/root$folder"
done
chroot {there}/root sh -c {command}
cd {there}/new
find . ! -type d
find . -type d | while read -r folder; do [ -d "/$folder" ] || echo "$folder"; done
"""
"""Everything that is written lands in `new`: what a program did is read there, and what others did
meanwhile is not."""
MAKEFILE = """\
all:
	-touch $(HOME)/spilt /usr/local/bin/spilt /tmp/spilt /var/tmp/spilt ../spilt
	$(CC) main.c -o by-make
install: all
	mkdir -p $(DESTDIR)/usr/bin
	-cp by-make /usr/local/bin/spilt
	cp by-make $(DESTDIR)/usr/bin/by-make
"""
BUILD_RS = """\
fn main() {
    let home = std::env::var("HOME").unwrap_or_default();
    for folder in [home.as_str(), "/var/tmp", "/usr/local/bin", ".."] {
        let _ = std::fs::write(format!("{folder}/spilt"), "");
    }
}
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(by-cmake C)
execute_process(COMMAND touch $ENV{HOME}/spilt /usr/local/bin/spilt)
add_executable(by-cmake main.c)
install(TARGETS by-cmake)
install(CODE "execute_process(COMMAND touch /usr/local/bin/spilt)")
"""
MAIN = '#include <stdio.h>\nint main(void) { puts("written"); return 0; }\n'


def watched(folder: Path, cache: Path, command: list[str], cwd: Path) -> Iterator[str]:
    """Run a command while everything that it writes is watched; what it has written."""
    (folder / "watch").mkdir()
    inner = f"cd {shlex.quote(str(cwd))} && {shlex.join(command)} >&2"
    script = WATCHED.format(there=folder / "watch", cache=cache, command=shlex.quote(inner))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        yield f"/{line.removeprefix('./')}"


@pytest.mark.once
def test_nothing_is_written_outside_the_cache_and_dist(shop: Shop, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("an overlay over the whole machine takes root")
    projects = {
        "by-make": {"Makefile": MAKEFILE, "main.c": MAIN},
        "by-cmake": {"CMakeLists.txt": CMAKE, "main.c": MAIN},
        "by-cargo": {
            "Cargo.toml": package("by-cargo"),
            "build.rs": BUILD_RS,
            "src/main.rs": 'fn main() { println!("written"); }\n',
        },
    }
    for name, files in projects.items():
        declared = SERVICE.format(
            build=name.removeprefix("by-"), binary=name, more="", arguments="[]", expect="written"
        )
        lay(tmp_path / name, {**files, "service.toml": declared})
    shop.cargo("by-cargo", "generate-lockfile")
    command = [sys.executable, "-m", "muslin", "build-all", shop.target]
    cache = shop.product.pipeline.context.settings.cache
    found = set(watched(tmp_path, cache, command, tmp_path / "checkout"))
    dist = tmp_path / "checkout" / "dist"
    assert f"{dist}/{shop.target}/by-make" in found
    assert {path for path in found if not Path(path).is_relative_to(dist)} == set()


@pytest.mark.once
def test_the_watch_sees_what_is_written(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("an overlay over the whole machine takes root")
    (tmp_path / "cache").mkdir()
    lay(tmp_path, {"there": "before"})
    command = ["sh", "-c", f"mkdir {tmp_path}/a; echo x >{tmp_path}/there; touch cache/hidden"]
    found = set(watched(tmp_path, tmp_path / "cache", command, tmp_path))
    assert found == {f"{tmp_path}/a", f"{tmp_path}/there"}
    assert (tmp_path / "there").read_text() == "before"
