"""Checkouts: as git makes them, and files as git leaves them elsewhere."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from muslin.models import git_checkout
from muslin.models.git_checkout import Checkout

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git(folder: Path, *words: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("this machine has no git")
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
    done = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "inner").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return folder


def test_a_branch_a_commit_and_packed_references(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    assert git_checkout.find(repository / "inner") == Checkout(commit=first, address="")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "second")
    second = git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all")
    git(repository, "gc", "--quiet")
    assert not (repository / ".git/refs/heads/main").exists()
    assert git_checkout.find(repository) == Checkout(commit=second, address="")
    git(repository, "checkout", "--quiet", "--detach", first)
    assert git_checkout.find(repository) == Checkout(commit=first, address="")


def test_another_working_tree_and_a_submodule(repository: Path, tmp_path: Path) -> None:
    git(repository, "remote", "add", "origin", "https://example.org/me/app.git")
    git(repository, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "--quiet", "--allow-empty", "--message", "other")
    commit = git(tmp_path / "tree", "rev-parse", "HEAD")
    assert commit != git(repository, "rev-parse", "HEAD")
    wanted = Checkout(commit=commit, address="https://example.org/me/app")
    assert git_checkout.find(tmp_path / "tree") == wanted
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    allowed = ("-c", "protocol.file.allow=always")
    git(outer, *allowed, "submodule", "--quiet", "add", str(repository), "module")
    found = git_checkout.find(outer / "module")
    assert found == Checkout(commit=git(repository, "rev-parse", "HEAD"), address="")


ADDRESSES = {
    "https://github.com/me/app.git": "https://github.com/me/app",
    "https://github.com/me/app/": "https://github.com/me/app",
    "https://me:hunter2@git.example.org:8443/app.git": "https://git.example.org:8443/app",
    "https://token@github.com/me/app?x=hunter2": "https://github.com/me/app",
    "http://localhost:3000/me/app": "http://localhost:3000/me/app",
    "ssh://git@example.org:2222/me/app.git": "https://example.org/me/app",
    "git://example.org/app": "https://example.org/app",
    "git@github.com:me/app.git": "https://github.com/me/app",
    "example.org:/srv/app.git": "https://example.org/srv/app",
    "/srv/git/app.git": "",
    "../app": "",
    "file:///srv/git/app.git": "",
    "https://[/": "",
    "https://example.org:port/x": "",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_address_of_a_remote(tmp_path: Path, address: str) -> None:
    own = tmp_path / ".git"
    own.mkdir()
    (own / "HEAD").write_text(f"{COMMIT}\n")
    other = '[remote "other"]\n\turl = https://example.org/other\n'
    (own / "config").write_text(f'{other}[remote "origin"]\n\turl = {address}\n{other}')
    assert git_checkout.find(tmp_path) == Checkout(commit=COMMIT, address=ADDRESSES[address])


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ref: refs/heads/gone",
        "ref: ../../outside",
        "ref: refs/../../x",
        "abc",
        "ref: refs/loop",
    ],
)
def test_no_commit(tmp_path: Path, head: str) -> None:
    own = tmp_path / ".git"
    (own / "refs").mkdir(parents=True)
    (own / "HEAD").write_text(head)
    (own / "refs" / "loop").write_text("ref: refs/loop")
    (tmp_path / "outside").write_text(COMMIT)
    assert git_checkout.find(tmp_path) == Checkout(commit="", address="")


def test_no_checkout(tmp_path: Path) -> None:
    assert git_checkout.find(tmp_path) is None
