"""The session push and a registry on loopback: what goes up, in which order, nothing twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.cli import errors as cli_errors
from muslin.dist import errors as dist_errors
from muslin.dist.registry import errors
from tests.e2e.registry import Registry, digest
from tests.e2e.shelf import Project

ARMV6, X86_64 = b"\x7fELF for ARMv6", b"\x7fELF for x86-64"
BOTH = {"x86_64": X86_64, "armv6": ARMV6}


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the credentials nor the cache of whoever runs the tests."""
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.fill("app", BOTH)
    return made


def test_the_session_prints_the_digest_alone(
    project: Project, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    project.session(f"{registry.name}/me/app:1.0", "--tag", "latest")
    said = capsys.readouterr()
    manifests = registry.manifests["me/app"]
    kind, index = manifests["1.0"]
    assert said.out == f"{registry.name}/me/app@{digest(index)}\n"
    assert manifests["latest"] == manifests["1.0"]
    assert kind == "application/vnd.oci.image.index.v1+json"
    platforms = [one["platform"] for one in json.loads(index)["manifests"]]
    assert [one.get("variant", one["architecture"]) for one in platforms] == ["amd64", "v6"]
    assert "app armv6 layer" in said.err
    assert "uploaded" in said.err


def test_the_index_is_that_of_dist(project: Project, registry: Registry) -> None:
    project.push(f"{registry.name}/app")
    with project.images("app") as (image,):
        _, index = registry.manifests["app"]["latest"]
        assert index == image.index.content
        for blob, content in registry.blobs["app"].items():
            assert digest(content) == blob


def test_the_tag_comes_last(project: Project, registry: Registry) -> None:
    project.push(f"{registry.name}/app:1.0")
    puts = [re.sub(r"\?.*|[0-9a-f]{64}", "", one) for one in registry.requests("PUT")]
    blobs = [f"/v2/app/blobs/uploads/{number}" for number in (1, 2, 3, 4)]
    assert puts == [*blobs, *["/v2/app/manifests/sha256:"] * 3, "/v2/app/manifests/1.0"]


def test_nothing_is_sent_twice(
    project: Project, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    project.push(f"{registry.name}/app")
    registry.asked.clear()
    capsys.readouterr()
    project.session(f"{registry.name}/app")
    assert {one.method for one in registry.asked} == {"HEAD"}
    assert "uploaded" not in capsys.readouterr().err


def test_a_new_program_sends_only_what_changed(project: Project, registry: Registry) -> None:
    project.push(f"{registry.name}/app")
    registry.asked.clear()
    project.fill("app", {**BOTH, "armv6": ARMV6 + b", newer"})
    project.push(f"{registry.name}/app")
    assert len(registry.requests("PUT", "blobs")) == 2  # its layer and its configuration
    assert len(registry.requests("PUT", "manifests/sha256:")) == 2  # its manifest and the index
    assert len(registry.requests("PUT", "manifests/latest")) == 1


def test_targets_select_platforms(
    project: Project, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    project.session(f"{registry.name}/app", "armv6")
    _, index = registry.manifests["app"]["latest"]
    (entry,) = json.loads(index)["manifests"]
    assert entry["platform"] == {"architecture": "arm", "os": "linux", "variant": "v6"}
    assert capsys.readouterr().out == f"{registry.name}/app@{digest(index)}\n"
    assert len(registry.blobs["app"]) == 2


def test_a_platform_that_was_not_built_is_not_left_out_silently(
    project: Project, registry: Registry
) -> None:
    project.fill("app", {"armv6": ARMV6})
    with pytest.raises(dist_errors.PlatformsMissing, match="build-all -- x86_64 --service app"):
        project.session(f"{registry.name}/app")
    assert registry.asked == []


def test_a_destination_is_required(project: Project) -> None:
    with pytest.raises(cli_errors.WrongUse, match="where to push is missing"):
        project.session()


def test_several_services_have_names_below_one(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path, ("app", "web"))
    project.fill("app", BOTH)
    project.fill("web", BOTH)
    with pytest.raises(errors.OneNameForSeveral, match="app, web"):
        project.session(f"{registry.name}/me")
    project.session(f"{registry.name}/me/:2")
    names = [line.partition("@")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [f"{registry.name}/me/app", f"{registry.name}/me/web"]
    assert {*registry.manifests} == {"me/app", "me/web"}
    tags = [at for at, one in enumerate(registry.asked) if one.path.endswith("/manifests/2")]
    rest = [at for at, one in enumerate(registry.asked) if "sha256:" in one.path]
    assert max(rest) < min(tags)


def test_a_blob_of_another_repository_is_mounted(project: Project, registry: Registry) -> None:
    project.push(f"{registry.name}/old")
    registry.asked.clear()
    project.push(f"{registry.name}/new", mount_from=["old"])
    assert registry.requests("PUT", "blobs") == []
    assert len(registry.requests("POST", "mount=sha256:.*&from=old$")) == 4
    assert registry.blobs["new"] == registry.blobs["old"]


def test_what_cannot_be_mounted_is_uploaded(project: Project, registry: Registry) -> None:
    registry.fails("POST", "from=old", lambda line: line.refuse(405, "UNSUPPORTED"), times=2)
    project.push(f"{registry.name}/new", mount_from=["old"])
    assert len(registry.requests("PUT", "blobs")) == 4
    assert registry.uploads == 4  # where the answer to a mount begins an upload, it is used


# --- a dist/ that may not leave -----------------------------------------------------------------


def refused(project: Project, registry: Registry, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        project.session(f"{registry.name}/app")
    assert registry.asked == []


def test_nothing_was_built(tmp_path: Path, registry: Registry) -> None:
    refused(Project(tmp_path), registry, dist_errors.NothingBuilt, "build-all` first")


def test_another_service_was_built(tmp_path: Path, registry: Registry) -> None:
    project = Project(tmp_path, ("app", "web"))
    project.fill("web", BOTH)
    with pytest.raises(dist_errors.NothingBuilt, match=r"app\.oci\.tar .* --service app"):
        project.session(f"{registry.name}/", "--service", "app")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("images/app.oci.tar", "its digest is not that in manifest.json"),
        ("reports/armv6/app.json", "its digest is not that in manifest.json"),
        ("SHA256SUMS", "it differs from manifest.json"),
        ("manifest.json", "it cannot be read"),
    ],
)
def test_a_changed_file(project: Project, registry: Registry, path: str, words: str) -> None:
    file = project.dist / path
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-3] + b"!" + content[-2:])
    refused(project, registry, dist_errors.ChangedByHand, words)


def relisted(project: Project, path: str, content: bytes) -> None:
    """Change a file, and both lists so that they agree with it."""
    for name in ("manifest.json", "SHA256SUMS"):
        text = (project.dist / name).read_text()
        before = digest((project.dist / path).read_bytes()).removeprefix("sha256:")
        assert before in text
        text = text.replace(before, digest(content).removeprefix("sha256:"))
        (project.dist / name).write_text(text)
    (project.dist / path).unlink()
    (project.dist / path).write_bytes(content)


def test_changed_lists_are_held_to_the_cache(project: Project, registry: Registry) -> None:
    content = (project.dist / "images/app.oci.tar").read_bytes()
    relisted(project, "images/app.oci.tar", content.replace(X86_64, X86_64[::-1]))
    refused(project, registry, dist_errors.ChangedByHand, "the cache has another file")


def test_without_the_cache_the_lists_vouch_alone(
    project: Project, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, _, _ in [*project.context.store.entries()]:
        project.context.store.drop(key)
    project.session(f"{registry.name}/app")
    assert "the lists of dist/ vouch alone" in capsys.readouterr().err
    assert "latest" in registry.manifests["app"]


def test_a_program_without_its_report(project: Project, registry: Registry) -> None:
    before = (project.dist / "images/app.oci.tar").read_bytes()
    reports = {
        name: (project.dist / f"reports/{name}/app.json").read_bytes()
        for name in ("armv6", "x86_64")
    }
    project.fill("app", {**BOTH, "armv6": ARMV6 + b", another"})
    for key, _, _ in [*project.context.store.entries()]:
        project.context.store.drop(key)
    relisted(project, "images/app.oci.tar", before)  # an older image, by both lists
    refused(
        project, registry, dist_errors.NotVerified, "app for armv6 .* another program than its /app"
    )
    relisted(project, "reports/armv6/app.json", reports["armv6"])
    project.session(f"{registry.name}/app")


def test_a_program_that_did_not_fit(tmp_path: Path, registry: Registry) -> None:
    project = Project(tmp_path)
    project.fill("app", BOTH, fits=False)
    refused(project, registry, dist_errors.NotVerified, "app for x86_64 is not verified")


def test_no_report_at_all(project: Project, registry: Registry) -> None:
    (project.dist / "reports/armv6/app.json").unlink()
    refused(project, registry, dist_errors.NotVerified, "dist/ has no report of it")
