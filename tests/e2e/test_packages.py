"""Debian packages as their users meet them: dpkg, lintian and apt of the machine take them."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pysequoia
import pytest
from debian import debfile

from muslin.dist import apt_archive
from muslin.dist.apt_signature import Key
from muslin.engine.filesystem.content import file_digest
from tests.archive import served
from tests.packages import TARGETS, built, declared, listed

FILES = """
[package]
version = "1.2"
maintainer = "Ada Lovelace <ada@example.org>"
copyright = "2026 Ada Lovelace"
license = "MIT"
[package.files]
"/etc/demo" = "conf"
"/usr/share/demo/page.html" = "page.html"
"""


def run(*argv: str | Path, env: dict[str, str] | None = None) -> str:
    """What a program prints on either stream; it must end with 0."""
    done = subprocess.run(
        [*map(str, argv)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def content(part: debfile.DebPart, name: str) -> bytes:
    """A file of a package."""
    found = part.get_content(name)
    assert isinstance(found, bytes), name
    return found


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [one for one in programs if shutil.which(one) is None]
    return pytest.mark.skipif(bool(missing), reason=f"this machine has no {', '.join(missing)}")


def test_another_reader_finds_what_was_packed(tmp_path: Path) -> None:
    path = built(tmp_path, declared(tmp_path, more=FILES))
    with debfile.DebFile(filename=str(path)) as deb:
        fields = deb.debcontrol()
        assert (fields["Package"], fields["Version"]) == ("demo", "1.2-1")
        assert (fields["Architecture"], fields["Multi-Arch"]) == ("amd64", "foreign")
        program = content(deb.data, "usr/bin/demo")
        assert program == (tmp_path / "program").read_bytes()
        sums = deb.md5sums(encoding="utf-8")
        names = {str(one.name) for one in deb.data.tgz().getmembers() if one.isfile()}
        assert {str(name) for name in sums} == {name.removeprefix("./") for name in names}
        assert content(deb.control, "conffiles") == b"/etc/demo/demo.toml\n"
        changes = gzip.decompress(content(deb.data, "usr/share/doc/demo/changelog.Debian.gz"))
        assert changes.startswith(b"demo (1.2-1) unstable")
        kib = sum(
            -(-one.size // 1024) if one.isfile() else 1 for one in deb.data.tgz().getmembers()
        )
        assert int(fields["Installed-Size"]) == kib - 1  # the top is no file of the package


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one = declared(tmp_path, more=FILES)
    first = built(tmp_path, one)
    os.utime(one.root / "page.html", (1, 1))
    second = built(tmp_path, one, cache="other-cache")
    assert first != second
    assert file_digest(first) == file_digest(second)


def test_a_program_that_is_no_service_has_neither_account_nor_scripts(tmp_path: Path) -> None:
    path = built(tmp_path, declared(tmp_path, more="package.unit = false"))
    with debfile.DebFile(filename=str(path)) as deb:
        assert {one.removeprefix("./") for one in deb.control} - {"", "."} == {"control", "md5sums"}
        assert "Depends" not in deb.debcontrol()
        assert not any("systemd" in name or "sysusers" in name for name in deb.data)


def test_a_package_refuses_processors_that_its_architecture_has_and_its_target_has_not(
    tmp_path: Path,
) -> None:
    path = built(tmp_path, declared(tmp_path), "armv7")
    with debfile.DebFile(filename=str(path)) as deb:
        script = content(deb.control, "preinst")
    (tmp_path / "preinst").write_bytes(script)
    tools = tmp_path / "tools"
    tools.mkdir()
    for machine, code in (("armv6l", 1), ("armv7l", 0), ("aarch64", 0)):
        (tools / "uname").write_text(f"#!/bin/sh\necho {machine}\n")
        (tools / "uname").chmod(0o755)
        done = subprocess.run(
            ["sh", tmp_path / "preinst", "install"],
            check=False,
            env={"PATH": f"{tools}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, (machine, done.stderr)
        assert ("this machine is an armv6l" in done.stderr) == bool(code)
    armv6 = built(tmp_path, declared(tmp_path), "armv6")
    with debfile.DebFile(filename=str(armv6)) as deb:
        assert deb.debcontrol()["Architecture"] == "armhf"
        assert not any(one.endswith("preinst") for one in deb.control)


@needs("dpkg-deb", "dpkg")
def test_dpkg_installs_upgrades_and_removes_it(tmp_path: Path) -> None:
    """Into a root of its own, without scripts, which want a system there."""
    root = tmp_path / "root"
    (root / "var/lib/dpkg/updates").mkdir(parents=True)
    (root / "var/lib/dpkg/info").mkdir()
    (root / "var/lib/dpkg/status").touch()
    (root / "var/lib/dpkg/arch").write_text("amd64\n")
    dpkg = (
        *("dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless"),
        *("--force-architecture", "--force-bad-path", "--log=/dev/null"),
    )
    more = FILES.replace("[package]", "[package]\nunit = false")
    run(*dpkg, "-i", built(tmp_path, declared(tmp_path, more=more)))
    assert (root / "usr/bin/demo").read_bytes() == (tmp_path / "program").read_bytes()
    run(*dpkg, "--verify", "demo")
    known = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "demo")
    assert known.split() == ["demo", "1.2-1"]
    (root / "etc/demo/demo.toml").write_text("level = 2\n")
    newer = more.replace("[package]", "[package]\nrevision = 2")
    run(*dpkg, "-i", built(tmp_path, declared(tmp_path, more=newer)))
    assert (root / "etc/demo/demo.toml").read_text() == "level = 2\n", "the administrator's"
    run(*dpkg, "--purge", "demo")
    assert not (root / "usr/bin/demo").exists()
    assert not (root / "etc/demo").exists()


@needs("lintian", "dpkg-deb")
@pytest.mark.parametrize(
    "more", ["", FILES, "package.unit = false"], ids=["none", "files", "no unit"]
)
def test_lintian_finds_nothing(tmp_path: Path, more: str) -> None:
    path = built(tmp_path, declared(tmp_path, more=more))
    found = run("lintian", "--allow-root", "--fail-on", "error,warning", path)
    assert not [line for line in found.splitlines() if line[:2] in ("E:", "W:")], found


@needs("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    more = 'package.state = true\nimage.environment = { A = "b \\"c\\" %d $e\\n" }\n'
    path = built(tmp_path, declared(tmp_path, more=more, port=443))
    with debfile.DebFile(filename=str(path)) as deb:
        unit = content(deb.data, "usr/lib/systemd/system/demo.service").decode()
    # The program lies elsewhere than on the system that it is for.
    there = unit.replace("/usr/bin/demo", str(tmp_path / "program"))
    (tmp_path / "demo.service").write_text(there)
    assert run("systemd-analyze", "verify", "--man=no", tmp_path / "demo.service") == ""
    broken = there.replace("ProtectSystem=strict", "ProtectSystem=stricter")
    (tmp_path / "demo.service").write_text(broken)
    assert "protect system" in run(
        "systemd-analyze", "verify", "--man=no", tmp_path / "demo.service"
    )
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in unit
    assert 'Environment="A=b \\"c\\" %%d $e\\x0a"' in unit


class Machine:
    """A machine with apt that knows one archive, all in a folder."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        for name in ("etc/apt/apt.conf.d", "lists/partial", "archives/partial", "dpkg"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "dpkg/status").touch()
        (folder / "etc/apt/sources.list").write_text(f"{source}\n")
        self.options = (
            *("-o", f"Dir::Etc={folder}/etc/apt", "-o", f"Dir::State={folder}"),
            *("-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}"),
            *("-o", f"Dir::State::status={folder}/dpkg/status", "-o", "APT::Architecture=amd64"),
            *("-o", "APT::Sandbox::User=root", "-o", "APT::Architectures=amd64"),
        )

    def apt(self, *words: str) -> str:
        return run("apt-get", *self.options, *words, env={"LC_ALL": "C", "http_proxy": ""})

    def version(self, name: str) -> str:
        """The version that apt would install after an update."""
        self.apt("update", "-o", "APT::Update::Error-Mode=any")
        printed = self.apt("install", "-s", "--no-install-recommends", name)
        (line,) = (line for line in printed.splitlines() if line.startswith(f"Inst {name} "))
        return line.split("(")[1].split()[0]


def archive(dist: Path, more: str, folder: Path, key: Key | None = None) -> list[Path]:
    one = declared(folder, more=f"package.unit = false\n{more}")
    rows = listed(dist, {"demo-x86_64": (built(folder, one), "x86_64")})
    paths, notes = apt_archive.write(dist, rows, TARGETS, key)
    assert not notes
    return paths


@needs("apt-get")
@pytest.mark.parametrize("by", ["file", "http"])
def test_apt_installs_from_the_archive_and_sees_what_follows(tmp_path: Path, by: str) -> None:
    dist = tmp_path / "dist"
    archive(dist, 'package.version = "1"', tmp_path)
    for path in (dist / "apt").rglob("*"):  # HTTP tells times by the second, and two fit into one
        os.utime(path, (1_700_000_000, 1_700_000_000))
    with served(dist) as (address,):
        place = f"file:{dist}/apt" if by == "file" else f"{address}/apt"
        machine = Machine(tmp_path / "machine", f"deb [trusted=yes] {place} stable main")
        assert machine.version("demo") == "1-1"
        machine.apt("install", "--download-only", "--yes", "demo")
        # No other date, since nothing of the input has one: apt sees the change all the same.
        archive(dist, 'package.version = "2"', tmp_path)
        assert machine.version("demo") == "2-1"
    assert [path.name for path in dist.glob("apt/pool/**/*.deb")] == ["demo_2-1_amd64.deb"]


def key(folder: Path, name: str) -> Key:
    path = folder / f"{name}.key"
    path.write_bytes(bytes(pysequoia.Tsk.generate(f"{name} <{name}@example.org>")))
    return Key(path)


@needs("apt-get", "gpgv")
def test_apt_believes_the_key_and_no_other(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    mine = key(tmp_path, "mine")
    archive(dist, "", tmp_path, mine)
    certificate = tmp_path / "apt.asc"
    certificate.write_bytes((dist / "apt/key.asc").read_bytes())
    source = f"deb [signed-by={certificate}] file:{dist}/apt stable main"
    machine = Machine(tmp_path / "machine", source)
    assert machine.version("demo") == "0-1"
    for name in ("InRelease", "Release.gpg"):
        path = dist / "apt/dists/stable" / name
        signature = path.read_bytes()
        path.unlink()
        assert Machine(tmp_path / f"without-{name}", source).version("demo") == "0-1"
        path.write_bytes(signature)
    archive(dist, "package.revision = 2", tmp_path, key(tmp_path, "other"))
    with pytest.raises(AssertionError, match=r"NO_PUBKEY|not signed|not available"):
        Machine(tmp_path / "again", source).version("demo")


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_an_archive_that_is_right_stays_as_it_is(tmp_path: Path) -> None:
    dist, mine = tmp_path / "dist", key(tmp_path, "mine")
    archive(dist, "", tmp_path, mine)
    before = times(dist / "apt")
    archive(dist, "", tmp_path, mine)
    archive(dist, "", tmp_path)  # without the key: what was signed is signed
    assert times(dist / "apt") == before
    archive(dist, "", tmp_path, key(tmp_path, "other"))
    assert times(dist / "apt") != before
    archive(dist, "package.revision = 2", tmp_path)
    left = {Path(path).name for path in times(dist / "apt")}
    assert not left & {"InRelease", "Release.gpg", "key.asc"}, "a signature of other packages"


def test_a_signature_that_is_not_of_the_release_is_made_again(tmp_path: Path) -> None:
    dist, mine = tmp_path / "dist", key(tmp_path, "mine")
    archive(dist, "", tmp_path, mine)
    path = dist / "apt/dists/stable/Release"
    path.write_text(path.read_text().replace("amd64", "arm64"))
    archive(dist, "", tmp_path, mine)
    assert "Architectures: amd64" in path.read_text()


def test_the_same_packages_give_the_same_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        archive(tmp_path / name, "", tmp_path)
    contents = [
        {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }
        for root in (tmp_path / "one/apt", tmp_path / "two/apt")
    ]
    assert contents[0] == contents[1]


def test_of_two_packages_for_one_architecture_the_archive_has_that_which_all_machines_run(
    tmp_path: Path,
) -> None:
    dist = tmp_path / "dist"
    one = declared(tmp_path)
    pairs = {f"demo-{on}": (built(tmp_path, one, on), on) for on in ("armv7", "armv6", "aarch64")}
    rows = listed(dist, pairs)
    _, notes = apt_archive.write(dist, rows, TARGETS, None)
    (note,) = notes
    assert "leaves out packages/demo-armv7.deb" in note
    (pooled,) = dist.glob("apt/pool/main/d/demo/demo_0-1_armhf.deb")
    assert file_digest(pooled) == file_digest(dist / "packages/demo-armv6.deb")
    index = (dist / "apt/dists/stable/main/binary-armhf/Packages").read_text()
    assert f"SHA256: {file_digest(pooled)}\n" in index


def test_a_package_that_is_not_what_was_published_stays_out(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    rows = listed(dist, {"demo-x86_64": (built(tmp_path, declared(tmp_path)), "x86_64")})
    path = dist / "packages/demo-x86_64.deb"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    _, notes = apt_archive.write(dist, rows, TARGETS, None)
    assert "has not the digest" in notes[0]
    assert not list(dist.glob("apt/pool/**/*.deb"))


def test_names_of_files_that_a_tar_writes_apart(tmp_path: Path) -> None:
    """Longer than a header's field: dpkg reads GNU's form of it, and no PAX."""
    name = "x" * 120
    more = f'[package.files]\n"/usr/share/{name}" = "page.html"\n'
    path = built(tmp_path, declared(tmp_path, more=more))
    with debfile.DebFile(filename=str(path)) as deb:
        assert f"usr/share/{name}" in deb.data
    if shutil.which("dpkg-deb"):
        assert name in run("dpkg-deb", "--contents", path)


SCRIPTS_NEED = ("dpkg", "dpkg-deb", "deb-systemd-helper", "systemd-sysusers")


@needs(*SCRIPTS_NEED)
@pytest.mark.skipif(os.getuid() != 0, reason="dpkg sets owners of files, as root alone can")
def test_its_scripts_make_an_account_and_enable_the_unit(tmp_path: Path) -> None:
    """With the programs of this machine on a root of its own (`DPKG_ROOT`, dpkg(1))."""
    root = tmp_path / "root"
    for name in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "etc"):
        (root / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = (
        *("dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends"),
        *("--force-architecture", "--log=/dev/null"),
    )
    wanted = root / "etc/systemd/system/multi-user.target.wants/demo.service"
    run(*dpkg, "-i", built(tmp_path, declared(tmp_path)))
    (account,) = (root / "etc/passwd").read_text().splitlines()
    assert account.startswith("_demo:x:")
    assert account.endswith("/nologin")
    assert wanted.is_symlink()
    wanted.unlink()  # the administrator does not want it
    run(*dpkg, "-i", built(tmp_path, declared(tmp_path, more="package.revision = 2")))
    assert not wanted.is_symlink(), "an upgrade leaves it as it was"
    run(*dpkg, "--purge", "demo")
    assert not (root / "usr/lib/systemd/system/demo.service").exists()
    left = [path for path in root.glob("var/lib/systemd/**/*") if path.is_file()]
    assert not left, "what deb-systemd-helper knew is purged"
