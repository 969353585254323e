"""What a session asks the engine for."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from muslin.audit import allowed
from muslin.cli import errors as cli_errors
from muslin.cli.context import Context
from muslin.cli.pipeline import Pipeline
from muslin.dist import errors as dist_errors
from muslin.engine import errors as engine_errors
from muslin.engine.cache.history import Build
from muslin.engine.cache.records import Record
from muslin.engine.console import Report
from muslin.engine.formats.canonical_json import digest
from muslin.engine.key import Keys
from muslin.engine.process import errors as process_errors
from muslin.engine.stage import Stage
from muslin.models import errors as model_errors
from muslin.models import settings, target
from muslin.models.service_places import Place
from muslin.models.target import Image, Target
from muslin.sources import source_sets
from tests import opened

PROJECT = Path(__file__).resolve().parents[3]
RECORD = Record(name="", document={}, wall_seconds=0, cpu_seconds=0, built_with={})


class Trial(Pipeline):
    """The project's own pipeline on an empty cache; what it says is kept."""

    def __init__(self, *targets: str) -> None:
        self.stream = io.StringIO()
        context = Context(PROJECT, Report(self.stream))
        super().__init__(context, context.select(targets))

    def session(self, name: str, words: Sequence[str], caller: Path = PROJECT) -> None:
        """Run a session."""
        opened.session(self.context, name, words, caller)

    def finish(self, stage: Stage) -> None:
        """As if the stage had been built."""
        keys: Keys = self.builder().keys
        out = self.context.store.work / "out"
        out.mkdir()
        entry = self.context.store.commit(keys.of(stage), out, RECORD)
        self.context.store.marks(entry.key).pass_(keys.proof_of(stage))

    def platforms(self, *names: str) -> list[set[str]]:
        """The targets in each joint image of a run for these."""
        selected = Pipeline(self.context, self.context.select(names))
        joint = selected.joint(self.builder())
        services = selected.selection.services
        assert [stage.name for stage in joint] == [f"image-{name}" for name in services]
        return [{alias for alias, _ in stage.needs} for stage in joint]


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    return Trial()


def pi5(trial: Trial) -> Target:
    """A second target for 64-bit ARM."""
    aarch64 = trial.context.targets["aarch64"]
    update = {"name": "pi5", "triple": "aarch64-pi5-linux-musl", "image": aarch64.image}
    rust = aarch64.rust.model_copy(update={"triple": "aarch64-pi5-linux-musl", "cpu": "x"})
    return aarch64.model_copy(update={**update, "rust": rust})


def test_no_name_means_the_default_targets(trial: Trial) -> None:
    assert [one.name for one in trial.context.targets_of(())] == [
        "x86_64",
        "aarch64",
        "armv7",
        "armv6",
    ]
    assert [one.name for one in trial.context.targets_of(("arm-linux-musleabihf",))] == ["armv6"]


def test_joint_images_hold_what_was_asked_for(trial: Trial) -> None:
    assert trial.platforms("armv6", "x86_64") == [{"armv6", "x86_64"}] * len(
        trial.selection.services
    )
    assert trial.platforms("armv6") == [{"armv6"}] * len(trial.selection.services)


def test_joint_images_keep_finished_platforms(trial: Trial) -> None:
    catalog, aarch64 = trial.catalog(), trial.context.targets["aarch64"]
    first, *_ = trial.selection.services.values()
    trial.finish(catalog.images.image(first, aarch64))
    one, *others = trial.platforms("armv6")
    assert one == {"armv6", "aarch64"}
    assert others == [{"armv6"}] * len(others)
    said = trial.stream.getvalue()
    assert f"the joint images of {first.name} leave out x86_64, armv7: not built" in said
    assert said.count("leave out") == 2


def test_two_targets_of_one_platform_share_a_joint_image(trial: Trial) -> None:
    trial.context.targets["pi5"] = pi5(trial)
    assert trial.platforms("pi5", "aarch64", "armv6") == [{"aarch64", "armv6"}] * len(
        trial.selection.services
    )
    assert trial.stream.getvalue().count("note: pi5 and aarch64 are one platform") == 1
    assert trial.platforms("pi5") == [{"pi5"}] * len(trial.selection.services)


def test_variants_are_platforms_of_their_own(trial: Trial) -> None:
    arms = [one for one in trial.context.defaults if one.image.architecture == "arm"]
    assert {one.image for one in arms} == {
        Image(architecture="arm", variant="v6"),
        Image(architecture="arm", variant="v7"),
    }
    assert trial.platforms("armv6", "armv7") == [{"armv6", "armv7"}] * len(trial.selection.services)


@pytest.mark.parametrize("form", ["--json", "--graph"])
def test_a_plan_leaves_out_what_is_finished_of_other_targets(
    trial: Trial, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """A joint image holds another target's, and `gcc-armv7` wants a compiler of armv6's."""
    catalog = trial.catalog()
    first, *_ = trial.selection.services.values()
    trial.finish(catalog.images.image(first, trial.context.targets["aarch64"]))
    trial.finish(catalog.toolchains.compiler(trial.context.targets["armv6"]))
    trial.session("plan", ["armv7", form])
    said = capsys.readouterr().out
    assert f"image-{first.name}-armv7" in said
    assert f"image-{first.name}-aarch64" not in said
    assert "compiler-armv6" not in said


def test_plan_for_machines_is_json_and_nothing_else(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.session("plan", ["--json", "armv6"])
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert {"gcc-armv6", "hello-tls-armv6", "image-hello-tls"} <= {one["name"] for one in stages}
    assert {one["state"] for one in stages} == {"build"}
    assert {one["target"] for one in stages} == {"armv6", ""}


def test_plan_says_why(trial: Trial) -> None:
    headers = trial.catalog().toolchains.headers(trial.context.targets["armv6"])
    document = json.loads(json.dumps(trial.builder().keys.document(headers)))
    trial.session("plan", ["--why", "headers-armv6"])
    assert "headers-armv6: this cache knows of no earlier build" in trial.stream.getvalue()

    def remember() -> None:
        build = Build(key=digest(document), document=document, wall_seconds=1, cpu_seconds=1)
        trial.context.history.remember("headers-armv6", build)

    remember()
    trial.session("plan", ["armv6", "--why=headers-armv6"])
    assert "nothing differs from its last build; it has left" in trial.stream.getvalue()
    document["steps"][0]["only"] = ["usr"]
    remember()
    trial.session("plan", ["armv6", "--why=headers-armv6"])
    said = trial.stream.getvalue()
    assert "headers-armv6 differs from its last build in 2 field(s):" in said
    assert 'only.0: "usr" -> "usr/include"' in said


def test_plan_explains_nothing_about_a_found_stage(trial: Trial) -> None:
    headers = trial.catalog().toolchains.headers(trial.context.targets["armv6"])
    trial.finish(headers)
    trial.session("plan", ["armv6", "--why=headers-armv6"])
    assert "headers-armv6 is found" in trial.stream.getvalue()


def test_plan_names_a_stage_that_is_near(trial: Trial) -> None:
    with pytest.raises(
        model_errors.Unknown, match=r"no stage 'gcc-armv9'\. Did you mean gcc-armv[567]"
    ):
        trial.session("plan", ["--why", "gcc-armv9"])


def test_a_fault_in_another_service_stops_no_run(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (faulty := tmp_path / "faulty").mkdir()
    (faulty / "service.toml").write_text('build = "mak"\n')
    found = (*trial.context.settings.services, faulty)
    changed = dataclasses.replace(trial.context.settings, services=found)
    monkeypatch.setattr(settings, "load", lambda _: changed)
    context = Context(PROJECT, Report(io.StringIO()))
    assert list(context.select(services=["hello-c"]).services) == ["hello-c"]
    with pytest.raises(engine_errors.BadDeclaration, match=r"faulty/service\.toml"):
        context.select(services=["hello-c", "faulty"])


def test_one_run_at_a_time_fills_dist(trial: Trial, tmp_path: Path) -> None:
    assert trial.pins.name == "debian"
    trial.context.settings = dataclasses.replace(trial.context.settings, project=tmp_path)
    other = Trial()
    other.context.settings = trial.context.settings
    place = hashlib.sha256(str(trial.context.settings.dist).encode()).hexdigest()[:20]
    with ThreadPoolExecutor(2) as executor, other.context.store.lock(f"dist-{place}", lambda: None):

        def fill() -> None:
            output = trial.context.output()
            with output.mine():
                output.publish((), {}, source_set=trial.pins.name)

        filling = executor.submit(fill)
        with pytest.raises(TimeoutError):
            filling.result(0.5)
        assert "dist                         waits" in trial.stream.getvalue()
        assert not trial.context.settings.dist.exists()
    filling.result(10)
    assert (trial.context.settings.dist / "manifest.json").is_file()


def test_a_run_can_be_about_one_service(trial: Trial) -> None:
    trial.session("plan", ["armv6", "--service", "hello-c"])
    said = trial.stream.getvalue()
    assert "hello-c-armv6" in said
    assert "hello-cpp-armv6" not in said
    assert "rust-std-armv6" not in said


def test_an_unknown_service_is_told_its_neighbour(trial: Trial) -> None:
    with pytest.raises(cli_errors.NoService, match=r"no service 'helo-c'\. Did you mean hello-c"):
        trial.session("plan", ["armv6", "--service=helo-c"])


def test_a_config_mak_becomes_a_target(trial: Trial, tmp_path: Path) -> None:
    trial.context.settings = dataclasses.replace(trial.context.settings, project=tmp_path)
    (tmp_path / "toolchains").mkdir()
    (tmp_path / "config.mak").write_text("TARGET = i486-linux-musl\nOUTPUT = /opt\n")
    trial.session("import_", ["config.mak"], tmp_path)
    said = trial.stream.getvalue()
    assert "OUTPUT      not taken: artefacts go to dist/" in said
    assert "toolchains/i486.toml is written" in said
    shutil.copy(PROJECT / "toolchains" / "i686.toml", tmp_path / "toolchains")
    assert set(target.load(tmp_path / "toolchains")) == {"i486", "i686"}


def test_a_config_mak_of_a_target_that_is_there(trial: Trial, tmp_path: Path) -> None:
    trial.context.settings = dataclasses.replace(trial.context.settings, project=tmp_path)
    (tmp_path / "config.mak").write_text("TARGET = arm-linux-musleabihf\n")
    with pytest.raises(cli_errors.TargetThere, match=r"armv6\.toml has that triple already"):
        trial.session("import_", ["config.mak", "mine"], tmp_path)
    with pytest.raises(cli_errors.NotImported, match="there is no such file"):
        trial.session("import_", [], tmp_path / "nowhere")
    (tmp_path / "config.mak").write_text("TARGET = armv6l-linux-musleabihf\n")
    with pytest.raises(cli_errors.TargetThere, match=r"armv6\.toml has that name already"):
        trial.session("import_", ["config.mak", "armv6"], tmp_path)


@pytest.mark.parametrize("name", ["my-board", "foo/bar", "../other"])
def test_a_name_that_no_target_can_have_is_not_written(
    trial: Trial, tmp_path: Path, name: str
) -> None:
    trial.context.settings = dataclasses.replace(trial.context.settings, project=tmp_path)
    (tmp_path / "toolchains").mkdir()
    (tmp_path / "config.mak").write_text("TARGET = i486-linux-musl\n")
    with pytest.raises(engine_errors.BadDeclaration, match="name: String should match pattern"):
        trial.session("import_", ["config.mak", name], tmp_path)
    assert not list((tmp_path / "toolchains").iterdir())


def test_an_option_that_is_not_there_is_missed_in_the_session_that_was_called(trial: Trial) -> None:
    with pytest.raises(model_errors.Unknown, match=r"no option of build-all '--serivce'"):
        trial.session("build_all", ["--serivce", "x"])


def test_a_baseline_without_entries_is_named_before_anything_is_built(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def goals(*_: object) -> list[Stage]:
        raise process_errors.Interrupted("no signal", [])

    monkeypatch.setattr(Pipeline, "goals", goals)
    entries = [one for one in allowed.load() if "armv6-vfpv2" not in one.baselines]
    monkeypatch.setattr("muslin.cli.build.allowed_code", lambda: entries)
    with pytest.raises(process_errors.Interrupted):
        trial.session("package", ["armv6", "armv7"])
    notes = [line for line in trial.stream.getvalue().splitlines() if "allowed.toml" in line]
    assert [note.split()[1] for note in notes] == ["armv6:"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["clippy"], "`cargo clippy` for a target: it is a compiler of its own"),
        (["--locked", "install", "ripgrep"], "a program for armv6 among this machine's own"),
    ],
    ids=["clippy", "install"],
)
def test_what_cargo_cannot_do_for_a_target(trial: Trial, words: list[str], why: str) -> None:
    with pytest.raises(cli_errors.CargoCannot, match=why):
        trial.session("cargo", ["armv6", *words])


@pytest.mark.parametrize("listing", [None, "[]", "{", '{"artefacts": [1]}'])
def test_a_report_that_no_list_names_blames_no_program(
    trial: Trial, tmp_path: Path, listing: str | None
) -> None:
    """The program is looked at anew, and what is found is of the program."""
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF and no more")
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    reports = tmp_path / "dist/reports/armv6"
    reports.mkdir(parents=True)
    (reports / "x.json").write_text(json.dumps({"fits": True, "shipped": digest}))
    if listing is not None:
        (tmp_path / "dist/manifest.json").write_text(listing)
    (tmp_path / "recipes").symlink_to(PROJECT / "recipes")
    trial.context.settings = dataclasses.replace(trial.context.settings, project=tmp_path)
    with pytest.raises(cli_errors.NotAudited) as caught:
        trial.session("verify", ["--file", str(program), "armv6"], tmp_path)
    assert "manifest.json" not in str(caught.value)
    assert "x.txt is of other rules, or not listed in dist/manifest.json" in trial.stream.getvalue()


def test_a_default_target_that_is_none_is_told_with_file_and_key(trial: Trial) -> None:
    trial.context.settings = dataclasses.replace(trial.context.settings, targets=("armv9",))
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        trial.context.targets_of(())
    assert caught.value.path == PROJECT / "pyproject.toml"
    assert caught.value.faults[0].startswith("tool.muslin.targets: there is no target 'armv9'")


def test_a_faulty_service_is_told_before_any_archive_is_asked(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "faulty"
    folder.mkdir()
    (folder / "service.toml").write_text("summary = 1\n")

    def load(*_: object) -> None:
        pytest.fail("a source set was looked for")

    monkeypatch.setattr(source_sets, "load", load)
    trial.context.declared = {"faulty": Place(folder=folder)}
    with pytest.raises(engine_errors.BadDeclaration, match=r"faulty/service\.toml"):
        trial.session("plan", [])


def test_what_lies_in_the_way_is_told_before_anything_is_built(
    trial: Trial, tmp_path: Path
) -> None:
    (tmp_path / "dist").symlink_to("gone")
    trial.context.settings = dataclasses.replace(trial.context.settings, project=tmp_path)
    with pytest.raises(dist_errors.InTheWay, match="dist is a link that leads to no folder"):
        trial.session("package", ["armv6"])


def test_a_project_that_holds_the_cache_is_refused(trial: Trial, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "Makefile").touch()
    (folder / "service.toml").write_text(
        'summary = "s"\nbuild = "make"\nbinary = "x"\nsource = ".."\nimage.entrypoint = ["/x"]\n'
    )
    trial.context.declared = {"mine": Place(folder=folder)}
    with pytest.raises(engine_errors.CacheUnusable, match="whose files are copied and compared"):
        trial.context.select()
