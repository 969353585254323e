"""Published programs, by the real cargo from a registry on loopback. Wants `nox -s fetch` for the
first tests, and `nox -s build-all` for the last."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from muslin.cli import crates
from muslin.cli.context import Context
from muslin.cli.options import Parser
from muslin.cli.selection import Selection
from muslin.engine import errors as engine_errors
from muslin.engine.console import Report
from muslin.engine.process import errors as process_errors
from muslin.models import errors
from tests import opened, registry
from tests.product.conftest import Product, output
from tests.product.shop import package
from tests.registry import Registry

pytestmark = pytest.mark.once

NAME = "muslin-trial"
VERSIONED = 'fn main() { println!("muslin-trial {}", env!("CARGO_PKG_VERSION")); }\n'
LOCK = 'version = 4\n\n[[package]]\nname = "muslin-trial"\nversion = "{version}"\n'


def files(version: str, more: str = "", *, lock: bool = True) -> dict[str, str]:
    """A crate with a program that prints its version."""
    found = {
        "Cargo.toml": package(NAME, more).replace("0.1.0", version),
        "src/main.rs": VERSIONED,
    }
    return found | ({"Cargo.lock": LOCK.format(version=version)} if lock else {})


@dataclass
class Trial:
    """An empty project, and a registry in the public one's place."""

    project: Path
    registry: Registry
    target: str
    said: str = ""

    def select(self, *crate: str) -> Selection:
        """What a session would be about."""
        stream = io.StringIO()
        context = Context(self.project, Report(stream))
        options = Parser("plan", "")
        options.add_selection()
        words = [word for one in crate for word in ("--crate", one)]
        try:
            return crates.selected(context, options.read([self.target, *words]))
        finally:
            self.said = stream.getvalue()

    def release(self, crate: str) -> str:
        """The release that a request means."""
        (service,) = self.select(crate).services.values()
        return service.run[0].expect


@pytest.fixture
def trial(product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    with registry.served() as near:
        home = tmp_path / "cargo-home"
        home.mkdir()
        (home / "config.toml").write_text(near.configuration)
        monkeypatch.setenv("CARGO_HOME", str(home))
        (tmp_path / "project").mkdir()
        yield Trial(tmp_path / "project", near, product.target.name)


def test_the_newest_release_that_fits(trial: Trial) -> None:
    for version in ("1.2.0", "1.10.0", "2.0.0"):
        trial.registry.publish(NAME, version, files(version))
    trial.registry.publish(NAME, "1.11.0", files("1.11.0"), yanked=True)
    trial.registry.publish(NAME, "1.12.0", files("1.12.0"), rust_version="1.999")
    trial.registry.publish(NAME, "3.0.0-rc.1", files("3.0.0-rc.1"))
    assert trial.release(NAME) == "2.0.0"
    assert trial.release(f"{NAME}@1") == "1.10.0"
    assert trial.release(f"{NAME}@1.2") == "1.2.0"
    assert trial.release(f"{NAME}@<1.5") == "1.2.0"
    assert trial.release(f"{NAME}@3.0.0-rc.1") == "3.0.0-rc.1"
    assert "release 3.0.0-rc.1, checked by --version" in trial.said


def test_a_release_in_full_is_asked_for_once(trial: Trial) -> None:
    trial.registry.publish(NAME, "1.0.0", files("1.0.0"))
    trial.release(f"{NAME}@1.0.0")
    trial.registry.asked.clear()
    trial.release(f"{NAME}@1.0.0")
    assert trial.registry.asked == []
    trial.release(f"{NAME}@1.0")
    assert trial.registry.asked != []


def test_another_archive_than_the_index_says(trial: Trial) -> None:
    trial.registry.publish(NAME, "1.0.0", files("1.0.0"))
    trial.registry.damage(NAME, "1.0.0")
    with pytest.raises(process_errors.CommandFailed, match="checksum"):
        trial.select(f"{NAME}@1.0.0")


@pytest.mark.parametrize(
    ("crate", "words"),
    [("muslin-no-such", "cargo search"), (f"{NAME}@9", "cargo info")],
)
def test_what_the_registry_has_not(trial: Trial, crate: str, words: str) -> None:
    trial.registry.publish(NAME, "1.0.0", files("1.0.0"))
    with pytest.raises(process_errors.CommandFailed, match=words):
        trial.select(crate)


def test_a_library_gives_no_program(trial: Trial) -> None:
    trial.registry.publish(
        NAME, "1.0.0", {"Cargo.toml": files("1.0.0")["Cargo.toml"], "src/lib.rs": ""}
    )
    with pytest.raises(errors.NoPrograms, match="it is a library"):
        trial.select(NAME)


def test_the_lock_of_a_crate_without_one_is_kept_in_the_project(trial: Trial) -> None:
    near = {"Cargo.toml": package("muslin-near"), "src/lib.rs": ""}
    trial.registry.publish("muslin-near", "0.1.0", near)
    more = '[dependencies]\nmuslin-near = "0.1"\n'
    content = files("1.0.0", more, lock=False)
    trial.registry.publish(NAME, "1.0.0", content, needs={"muslin-near": "0.1"})
    trial.select(NAME)
    kept = trial.project / "muslin-crates" / f"{NAME}-1.0.0.lock"
    assert f"kept in {kept}; commit it" in trial.said
    first = kept.read_text()
    assert 'name = "muslin-near"\nversion = "0.1.0"' in first
    near["Cargo.toml"] = near["Cargo.toml"].replace("0.1.0", "0.1.1")
    trial.registry.publish("muslin-near", "0.1.1", near)
    (service,) = trial.select(NAME).services.values()
    assert kept.read_text() == first
    assert (service.root / "Cargo.lock").read_text() == first
    assert "commit it" not in trial.said


def test_several_programs_and_one_that_is_left_out(trial: Trial) -> None:
    more = '[features]\noff = []\n[[bin]]\nname = "third"\nrequired-features = ["off"]\n'
    content = files("1.0.0", more) | {"src/bin/second.rs": VERSIONED, "src/bin/third.rs": VERSIONED}
    trial.registry.publish(NAME, "1.0.0", content)
    assert set(trial.select(NAME).services) == {NAME, "second"}
    assert "third of release 1.0.0 is left out: it requires the features ['off']" in trial.said


def test_what_the_project_says_of_a_crate(trial: Trial) -> None:
    trial.registry.publish(NAME, "1.0.0", files("1.0.0"))
    settings = trial.project / "muslin.toml"
    settings.write_text(f'[crates.{NAME}]\nrun = [{{ arguments = ["-V"], expect = "1" }}]\n')
    (service,) = trial.select(NAME).services.values()
    assert service.run[0].arguments == ("-V",)
    settings.write_text(f"[crates.{NAME}]\nruns = 1\n")
    with pytest.raises(
        engine_errors.BadDeclaration, match=rf"muslin\.toml(.|\n)*crates\.{NAME}\.runs"
    ):
        trial.select(NAME)


def test_a_published_program_is_built_verified_and_packed(trial: Trial, product: Product) -> None:
    content = files("1.0.0") | {"src/bin/second.rs": VERSIONED}
    trial.registry.publish(NAME, "1.0.0", content)
    context = Context(trial.project, Report(io.StringIO()))
    opened.session(context, "build_all", [trial.target, "--crate", NAME], trial.project)
    dist = trial.project / "dist"
    for name in (NAME, "second"):
        said = output(product.emulated(dist / trial.target / name, "--version"))
        assert said == f"{NAME} 1.0.0\n"
        assert (dist / f"images/{name}-{trial.target}.tar").is_file()
        assert (dist / f"reports/{trial.target}/{name}.txt").is_file()
