"""`dist/`: what is right stays untouched, what is not is replaced, and the lists tell the truth."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from muslin.dist import artifacts
from muslin.dist import errors as dist_errors
from muslin.dist import publish as dist
from muslin.dist.artifacts import Artifact
from muslin.engine import errors as engine_errors
from muslin.engine.cache.records import Record
from muslin.engine.cache.store import Entry, Store
from muslin.engine.filesystem.content import file_digest
from muslin.engine.source import Source
from muslin.models import service, target
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target

PROJECT = Path(__file__).resolve().parents[3]
TARGETS = target.load(PROJECT / "toolchains")
CONTAINS = (
    Component(
        name="openssl",
        version="3.5.7-1",
        source=Source(name="openssl.tar", sha256="a" * 64, size=1, origins=()),
        fixes=("CVE-2026-0001",),
    ),
)
ARMV6, X86_64 = TARGETS["armv6"], TARGETS["x86_64"]
RECORD = Record(name="", document={}, wall_seconds=0, cpu_seconds=0, built_with={})


PATHS = [artifact.destination for artifact in artifacts.every(["armv6"], ["demo"], ())]


def built(targets: Sequence[Target], services: Mapping[str, Service]) -> list[Artifact]:
    """Programs and images of these."""
    names = [each.name for each in targets]
    return [*artifacts.of_services(names, dict.fromkeys(services, CONTAINS))]


def possible(services: Mapping[str, Service]) -> list[str]:
    """Every path that the services can have in `dist/`."""
    return [each.destination for each in artifacts.every(tuple(TARGETS), tuple(services), ())]


@pytest.fixture
def services(tmp_path: Path) -> dict[str, Service]:
    """One service."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "Makefile").touch()
    (folder / "service.toml").write_text(
        'summary = "s"\nbuild = "make"\nbinary = "demo"\nimage.entrypoint = ["/demo"]\n'
    )
    return service.load((folder,))


class Shop:
    """A store with the images of the one service, and a dist folder."""

    def __init__(self, place: Path, services: dict[str, Service]) -> None:
        self.store, self.services = Store(place / "cache"), services
        self.dist = place / "dist"
        self.out = place / "out"

    def entry(self, files: dict[str, str], time: int = 1_000_000_000) -> Entry:
        """An entry with these files, all of the same age."""
        self.out.mkdir()
        for name, text in files.items():
            (self.out / name).write_text(text)
            (self.out / name).chmod(0o755 if name == "demo" else 0o644)
            os.utime(self.out / name, (time, time))
        key = f"{len(list(self.store.entries())):064x}"
        return self.store.commit(key, self.out, RECORD)

    def publish(self, *targets: Target, version: str = "1") -> list[dist.Listed]:
        entries = {
            f"image-demo-{one.name}": self.entry(
                {"demo": f"{one.name} {version}", "image.tar": f"tar {version}"}
            )
            for one in targets
        }
        entries["image-demo"] = self.entry({"image.oci.tar": f"oci {version}"})
        return dist.publish(
            self.dist,
            built(targets, self.services),
            entries,
            possible=possible(self.services),
            store=self.store,
            source_set="debian",
        )

    def listing(self) -> dict[str, tuple[int, int, str]]:
        """Inode, time and content of everything that was published."""
        return {
            str(path.relative_to(self.dist)): (
                path.stat().st_ino,
                path.stat().st_mtime_ns,
                path.read_text(),
            )
            for path in sorted(self.dist.rglob("*"))
            if path.is_file() and path.name not in ("manifest.json", "SHA256SUMS")
        }

    def sums_are_right(self) -> None:
        """What the user would do, with the user's own program."""
        program = shutil.which("sha256sum")
        if program is None:
            pytest.skip("this machine has no sha256sum")
        done = subprocess.run(
            [program, "-c", "--strict", "SHA256SUMS"],
            cwd=self.dist,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(done.stdout.splitlines()) == len(self.listing())


@pytest.fixture
def shop(tmp_path: Path, services: dict[str, Service]) -> Shop:
    return Shop(tmp_path, services)


def test_what_is_published_and_where(shop: Shop) -> None:
    artefacts = shop.publish(ARMV6, X86_64)
    assert {path: text for path, (_, _, text) in shop.listing().items()} == {
        "armv6/demo": "armv6 1",
        "images/demo-armv6.tar": "tar 1",
        "images/demo-x86_64.tar": "tar 1",
        "images/demo.oci.tar": "oci 1",
        "x86_64/demo": "x86_64 1",
    }
    assert {one.path for one in artefacts} == set(shop.listing())
    mode = (shop.dist / "armv6/demo").stat().st_mode
    assert stat.S_IMODE(mode) == 0o755
    assert stat.S_IMODE((shop.dist / "images/demo.oci.tar").stat().st_mode) == 0o644
    shop.sums_are_right()


def test_the_manifest_lists_every_file(shop: Shop) -> None:
    artefacts = shop.publish(ARMV6, X86_64)
    rows = json.loads((shop.dist / "manifest.json").read_text())["artefacts"]
    assert [row["path"] for row in rows] == sorted(shop.listing())
    assert {row["path"]: row["target"] for row in rows} == {
        "armv6/demo": "armv6",
        "images/demo-armv6.tar": "armv6",
        "images/demo-x86_64.tar": "x86_64",
        "images/demo.oci.tar": "",
        "x86_64/demo": "x86_64",
    }
    for row in rows:
        path = shop.dist / row["path"]
        assert row["sha256"] == file_digest(path)
        assert row["bytes"] == path.stat().st_size
        assert row["source_set"] == "debian"
        assert dist.Listed(**row) in artefacts
    assert len({row["stage_key"] for row in rows}) == 3


def test_publishing_again_touches_nothing(shop: Shop) -> None:
    shop.publish(ARMV6)
    before = shop.listing()
    sums = (shop.dist / "SHA256SUMS").read_bytes()
    shop.publish(ARMV6)
    assert shop.listing() == before
    assert (shop.dist / "SHA256SUMS").read_bytes() == sums


def test_the_same_content_of_another_age_stays(shop: Shop) -> None:
    shop.publish(ARMV6)
    os.utime(shop.dist / "armv6/demo", (5, 5))
    before = shop.listing()
    shop.publish(ARMV6)
    assert shop.listing() == before


def test_a_new_version_replaces_the_old(shop: Shop) -> None:
    shop.publish(ARMV6)
    before = shop.listing()
    with (shop.dist / "armv6/demo").open() as running:
        shop.publish(ARMV6, version="22")
        assert running.read() == "armv6 1", "somebody who runs the old one keeps it"
    after = shop.listing()
    assert all(after[path][2] != before[path][2] for path in before)
    shop.sums_are_right()


@pytest.mark.parametrize("harm", ["edited", "same-length", "removed"])
def test_what_was_harmed_is_put_right(shop: Shop, harm: str) -> None:
    shop.publish(ARMV6)
    path = shop.dist / "armv6/demo"
    match harm:
        case "edited":
            path.write_text("something else")
        case "same-length":
            path.write_text("armv6 2")
        case _:
            path.unlink()
    untouched = shop.dist / "images/demo.oci.tar"
    before = untouched.stat()
    shop.publish(ARMV6)
    assert path.read_text() == "armv6 1"
    assert untouched.stat().st_ino == before.st_ino
    shop.sums_are_right()


def test_other_targets_stay_and_stay_listed(shop: Shop) -> None:
    shop.publish(ARMV6)
    before = shop.listing()
    shop.publish(X86_64, version="2")
    after = shop.listing()
    assert after["armv6/demo"] == before["armv6/demo"]
    assert set(after) == set(before) | {"x86_64/demo", "images/demo-x86_64.tar"}
    shop.sums_are_right()


def test_what_a_user_removed_is_listed_no_more(shop: Shop) -> None:
    shop.publish(ARMV6)
    shutil.rmtree(shop.dist / "armv6")
    shop.publish(X86_64)
    assert "armv6/" not in (shop.dist / "SHA256SUMS").read_text()
    shop.sums_are_right()


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"artefacts": [{"path": "x"}]}', "[]", '{"artefacts": 3}', "[" * 100_000, "null"],
)
def test_a_manifest_that_cannot_be_read_is_written_anew(shop: Shop, text: str) -> None:
    shop.publish(ARMV6)
    (shop.dist / "manifest.json").write_text(text)
    shop.publish(ARMV6)
    assert len(json.loads((shop.dist / "manifest.json").read_text())["artefacts"]) == 3
    shop.sums_are_right()


def test_nothing_half_done_lies_around(shop: Shop) -> None:
    shop.publish(ARMV6)
    assert not [path for path in shop.dist.rglob("*") if path.name.startswith(".")]


def test_what_is_not_what_the_store_lists_is_not_published(shop: Shop) -> None:
    entry = shop.entry({"demo": "armv6 1", "image.tar": "tar 1"})
    path = entry.tree / "demo"
    state = path.stat()
    path.chmod(0o755)
    path.write_text("ARMV6 1")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    index = shop.entry({"image.oci.tar": "oci"})
    entries = {"image-demo-armv6": entry, "image-demo": index}
    with pytest.raises(engine_errors.NeedLost, match="whole no more"):
        dist.publish(
            shop.dist,
            built((ARMV6,), shop.services),
            entries,
            possible=possible(shop.services),
            store=shop.store,
            source_set="debian",
        )
    assert not entry.folder.exists()
    assert not (shop.dist / "armv6/demo").exists()


def test_an_entry_that_another_run_has_in_hand_is_left_to_it(shop: Shop) -> None:
    entry = shop.entry({"image.oci.tar": "oci"})
    path = entry.tree / "image.oci.tar"
    state = path.stat()
    path.chmod(0o644)
    path.write_text("OCI")
    path.chmod(0o444)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

    def publish() -> None:
        with pytest.raises(engine_errors.NeedLost):
            dist.publish(
                shop.dist,
                built((), shop.services),
                {"image-demo": entry},
                store=shop.store,
                possible=(),
                source_set="debian",
            )

    with Store(shop.store.cache).lock(entry.key, lambda: None):
        publish()
        assert entry.folder.exists()
    publish()
    assert not entry.folder.exists()


def test_what_no_declaration_stands_for_any_more_is_not_listed(shop: Shop) -> None:
    shop.publish(ARMV6)
    listed = shop.dist / "manifest.json"
    rows = json.loads(listed.read_text())["artefacts"]
    (shop.dist / "armv6/removed").write_text("of a service that was removed")
    gone = {**rows[0], "path": "armv6/removed"}
    listed.write_text(json.dumps({"artefacts": [*rows, gone]}))
    shop.publish(X86_64)
    paths = {row["path"] for row in json.loads(listed.read_text())["artefacts"]}
    assert "armv6/removed" not in paths
    assert {"armv6/demo", "x86_64/demo"} <= paths


def test_the_manifest_says_which_fixes_an_artefact_has(shop: Shop) -> None:
    shop.publish(ARMV6)
    rows = json.loads((shop.dist / "manifest.json").read_text())["artefacts"]
    contained = [{"component": "openssl", "version": "3.5.7-1", "fixes": ["CVE-2026-0001"]}]
    assert {row["path"]: row["contains"] for row in rows} == dict.fromkeys(
        ("armv6/demo", "images/demo-armv6.tar", "images/demo.oci.tar"), contained
    )


def test_another_content_of_the_same_size_and_time_is_replaced(shop: Shop) -> None:
    shop.publish(ARMV6)
    changed = shop.dist / "armv6" / "demo"
    right, before = changed.read_bytes(), changed.stat()
    changed.write_bytes(right.swapcase())
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    shop.publish(ARMV6)
    assert changed.read_bytes() == right
    shop.sums_are_right()


def test_lists_that_say_the_same_stay_as_they_are(shop: Shop) -> None:
    shop.publish(ARMV6)
    lists = [shop.dist / name for name in (dist.LISTING, dist.SUMS)]
    before = [(one.stat().st_ino, one.read_text()) for one in lists]
    dist.publish(
        shop.dist,
        [],
        {},
        store=shop.store,
        possible=possible(shop.services),
        source_set="debian",
    )
    assert [(one.stat().st_ino, one.read_text()) for one in lists] == before


@pytest.mark.parametrize("path", ["", "images", "armv6", "reports", "reports/armv6", "toolchains"])
@pytest.mark.parametrize("harm", ["file", "dangling", "circle"])
def test_what_has_the_place_of_a_folder_is_told_before_anything_is_built(
    tmp_path: Path, path: str, harm: str
) -> None:
    there = tmp_path / "dist" / path
    there.parent.mkdir(parents=True, exist_ok=True)
    match harm:
        case "file":
            there.touch()
        case "dangling":
            there.symlink_to("gone")
        case _:
            there.symlink_to(there.name)
    paths = [*PATHS, "toolchains/armv6/env.sh"]
    with pytest.raises(dist_errors.InTheWay) as caught:
        dist.insist_on_writable(tmp_path / "dist", paths)
    assert str(caught.value).startswith(f"{there} is ")
    assert "a folder goes there: move or remove it" in str(caught.value)


@pytest.mark.parametrize("path", ["armv6/demo", "images/demo.oci.tar", "manifest.json"])
def test_a_folder_in_a_files_place_is_told_before_anything_is_built(
    tmp_path: Path, path: str
) -> None:
    (tmp_path / "dist" / path).mkdir(parents=True)
    with pytest.raises(dist_errors.InTheWay, match="is a folder, and a file goes there"):
        dist.insist_on_writable(tmp_path / "dist", PATHS)


def test_a_dist_that_is_a_link_to_a_folder_is_one(tmp_path: Path, shop: Shop) -> None:
    (tmp_path / "elsewhere").mkdir()
    shop.dist.symlink_to("elsewhere")
    (tmp_path / "elsewhere/toolchains").mkdir()
    (tmp_path / "elsewhere/toolchains/armv6").symlink_to("gone")
    dist.insist_on_writable(shop.dist, PATHS)
    shop.publish(ARMV6)
    assert (tmp_path / "elsewhere/armv6/demo").is_file()
