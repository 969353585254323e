"""Settings: what the project's file and the environment say, and what cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.process.limits import BUILD_VARIABLE, CHECK_VARIABLE, LOG_VARIABLE, Limits
from muslin.models import cache_folder, capacity, settings
from muslin.models import errors as model_errors

PROJECT = Path(__file__).resolve().parents[3]
TABLE = '[tool.muslin]\ntargets = ["armv6"]\nservices = ["services/*"]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two services and a cache that is not there yet."""
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "cache"))
    for name in (capacity.JOBS_VARIABLE, BUILD_VARIABLE, CHECK_VARIABLE, LOG_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "project"
    for name in ("services/two", "services/one", "services/none", "elsewhere/three"):
        (place / name).mkdir(parents=True)
        if name != "services/none":
            (place / name / "service.toml").touch()
    (place / "pyproject.toml").write_text(TABLE)
    return place


def test_what_the_project_says(project: Path, tmp_path: Path) -> None:
    got = settings.load(project)
    assert got.targets == ("armv6",)
    assert got.services == (project / "services/one", project / "services/two")
    assert got.cache == tmp_path / "cache"
    assert got.cache.is_dir()
    assert got.dist == project / "dist"
    assert got.jobs == len(os.sched_getaffinity(0))


def test_jobs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(capacity.JOBS_VARIABLE, "7")
    assert settings.load(project).jobs == 7


def test_jobs_set_to_nothing_are_the_cores(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(capacity.JOBS_VARIABLE, "")
    assert settings.load(project).jobs == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("said", ["0", "-1", "many"])
def test_jobs_that_are_no_number_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(capacity.JOBS_VARIABLE, said)
    with pytest.raises(model_errors.BadVariable, match=f"MUSLIN_JOBS is '{said}'"):
        settings.load(project)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (TABLE + "jobs = 4\n", ("tool.muslin.jobs: there is no such key",)),
        (
            TABLE.replace('["armv6"]', "[]"),
            ("tool.muslin.targets: Tuple should have at least 1 item",),
        ),
        ("[tool.muslin", ("not TOML: ",)),
    ],
)
def test_faults_of_the_table(project: Path, text: str, faults: tuple[str, ...]) -> None:
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        settings.load(project)
    assert caught.value.path == project / "pyproject.toml"
    said = caught.value.faults
    assert len(said) == len(faults)
    assert all(one.startswith(fault) for one, fault in zip(said, faults, strict=True))


@pytest.mark.parametrize("text", ["", "[project]\n", "[tool.muslin]\n"])
def test_nothing_has_to_be_said(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text)
    got = settings.load(project)
    assert got.targets == ("x86_64", "aarch64", "armv7", "armv6")
    assert got.services == (), "the project is no cargo package"


def test_the_cache_is_the_users_by_default(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(cache_folder.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert settings.load(project).cache == tmp_path / "xdg" / "muslin"


def test_a_home_may_be_named(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(cache_folder.VARIABLE, "~/mine")
    assert settings.load(project).cache == tmp_path / "mine"


@pytest.mark.parametrize("said", ["relative", "./relative", "a b"])
def test_a_relative_cache_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, said)
    with pytest.raises(engine_errors.CacheUnusable, match="not absolute"):
        settings.load(project)
    assert not Path(said).exists()


@pytest.mark.parametrize("name", ["my cache", "my\tcache", "my\u00a0cache"])
def test_white_space_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / name))
    with pytest.raises(engine_errors.CacheUnusable, match="white space"):
        settings.load(project)


def test_a_link_to_white_space_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my cache").mkdir()
    (tmp_path / "link").symlink_to("my cache")
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "link"))
    with pytest.raises(engine_errors.CacheUnusable, match="white space"):
        settings.load(project)


def test_a_file_is_no_cache(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "file"))
    with pytest.raises(engine_errors.CacheUnusable, match="File exists"):
        settings.load(project)


@pytest.mark.parametrize("name", ["a:b", "$x", "it's", 'a"b', "a#b", "a\\b", "50%"])
def test_what_shells_and_makefiles_take_otherwise_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / name))
    with pytest.raises(engine_errors.CacheUnusable, match="take otherwise"):
        settings.load(project)
    assert not (tmp_path / name).exists()


def test_a_folder_of_somebody_elses_is_no_cache(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean-up would remove what is in its `work/`."""
    theirs = tmp_path / "home" / "work" / "thesis.tex"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "home"))
    with pytest.raises(engine_errors.CacheUnusable, match="it holds work and no `format`"):
        settings.load(project)
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"work"}


@pytest.mark.parametrize("place", [".", "project", "project/dist", "project/services/one/cache"])
def test_a_cache_lies_apart_from_what_is_built(
    project: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    cache = (project.parent / place.replace("project", project.name)).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "format").write_text("3\n")
    monkeypatch.setenv(cache_folder.VARIABLE, str(cache))
    with pytest.raises(engine_errors.CacheUnusable, match="lies in"):
        settings.load(project)


def test_services_from_outside_by_name_and_by_whole_path(project: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "my-app", tmp_path / "far" / "other"):
        folder.mkdir(parents=True)
        (folder / "service.toml").touch()
    said = f'services = ["services/*", "../my-app", "{tmp_path}/far/*"]'
    (project / "pyproject.toml").write_text(TABLE.replace('services = ["services/*"]', said))
    names = [folder.name for folder in settings.load(project).services]
    assert names == ["other", "my-app", "one", "two"]


def test_a_service_named_in_full_that_is_none_is_told(project: Path) -> None:
    (project / "services/none").mkdir(exist_ok=True)
    said = 'services = ["services/*", "services/none", "../gone"]'
    (project / "pyproject.toml").write_text(TABLE.replace('services = ["services/*"]', said))
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        settings.load(project)
    assert "services/none has neither a service.toml nor a Cargo.toml with" in str(caught.value)
    assert "../gone is no directory; paths start where this file is" in str(caught.value)


@pytest.mark.parametrize(("said", "bytes_"), [("800MB", 800_000_000), ("1.5GB", 1_500_000_000)])
def test_memory_may_be_limited(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str, bytes_: int
) -> None:
    monkeypatch.setenv(capacity.MEMORY_VARIABLE, said)
    assert settings.load(project).memory == bytes_


@pytest.mark.parametrize("said", ["4", "much", "0GB", "-1GB", "4 GB"])
def test_memory_that_makes_no_sense(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(capacity.MEMORY_VARIABLE, said)
    with pytest.raises(model_errors.BadVariable, match="a size, such as 800MB or 4GB"):
        settings.load(project)


def test_memory_is_the_machines_or_what_its_control_group_grants(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(capacity.MEMORY_VARIABLE, raising=False)
    whole = settings.load(project).memory
    assert 100_000_000 < whole < 2**44
    monkeypatch.setattr(capacity, "_limits", lambda: iter([200_000_000]))
    assert settings.load(project).memory == 160_000_000


LIMITS = (
    ("build-hours", BUILD_VARIABLE, Limits(build_seconds=7200)),
    ("check-seconds", CHECK_VARIABLE, Limits(check_seconds=2)),
    ("log-megabytes", LOG_VARIABLE, Limits(log_bytes=2_000_000)),
)


@pytest.mark.parametrize(("key", "variable", "limits"), LIMITS, ids=lambda value: str(value)[:13])
def test_limits_stand_in_the_projects_file_or_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch, key: str, variable: str, limits: Limits
) -> None:
    assert settings.load(project).limits == Limits()
    (project / "pyproject.toml").write_text(f"{TABLE}{key} = 2\n")
    assert settings.load(project).limits == limits
    (project / "pyproject.toml").write_text(f"{TABLE}{key} = 3\n")
    monkeypatch.setenv(variable, "2")
    assert settings.load(project).limits == limits


@pytest.mark.parametrize("said", ["0", "-1", "0.0", "an hour", "1e9", "9999999999", "nan", "inf"])
def test_a_limit_that_makes_no_sense(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(CHECK_VARIABLE, said)
    with pytest.raises(
        model_errors.BadVariable, match=r"should be a number of seconds, such as 900"
    ):
        settings.load(project)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("tool = []\n", "tool: it should be a table, not []"),
        ("tool.muslin = 3\n", "tool.muslin: it should be a table, not 3"),
        (
            TABLE.replace('["services/*"]', '["a\\u0000"]'),
            "tool.muslin.services.0: it holds the character NUL",
        ),
        (f'{TABLE}mirror = "ftp://example.com"\n', "tool.muslin.mirror: String should match"),
    ],
)
def test_a_table_of_another_kind_is_told_by_its_key(project: Path, text: str, fault: str) -> None:
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        settings.load(project)
    (said,) = caught.value.faults
    assert said.startswith(fault)


@pytest.mark.parametrize("harm", ["folder", "circle", "bytes"])
def test_a_projects_file_that_is_none_is_named(project: Path, harm: str) -> None:
    path = project / "pyproject.toml"
    path.unlink()
    match harm:
        case "folder":
            path.mkdir()
        case "circle":
            path.symlink_to(path)
        case _:
            path.write_bytes(b"\xff")
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        settings.load(project)
    assert caught.value.path == path


def test_lines_of_windows_and_a_byte_order_mark_change_nothing(project: Path) -> None:
    before = settings.load(project)
    content = b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode()
    (project / "pyproject.toml").write_bytes(content)
    assert settings.load(project) == before


@pytest.mark.parametrize("harm", ["file", "circle", "link to a file"])
def test_services_that_are_no_folder_hold_none(project: Path, harm: str) -> None:
    shutil.rmtree(project / "services")
    match harm:
        case "file":
            (project / "services").touch()
        case "circle":
            (project / "services").symlink_to("services")
        case _:
            (project / "services").symlink_to("pyproject.toml")
    assert settings.load(project).services == ()
    (project / "pyproject.toml").write_text(TABLE.replace("services/*", "services"))
    with pytest.raises(engine_errors.BadDeclaration, match="services is no directory"):
        settings.load(project)


def test_links_in_circles_among_services_are_passed_over(project: Path) -> None:
    (project / "services/self").symlink_to("self")
    (project / "services/above").symlink_to(".")
    assert [one.name for one in settings.load(project).services] == ["one", "two"]


@pytest.mark.parametrize("said", ["~nobody-of-that-name/x", "~nobody-of-that-name"])
def test_a_home_of_nobodys(project: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    text = TABLE.replace("services/*", said)
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(engine_errors.BadDeclaration, match="is no directory"):
        settings.load(project)
    monkeypatch.setenv(cache_folder.VARIABLE, said)
    (project / "pyproject.toml").write_text(TABLE)
    with pytest.raises(engine_errors.CacheUnusable, match="a user who has none"):
        settings.load(project)


@pytest.mark.parametrize("said", ["9" * 5000, "9" * 7, "1_0"])
def test_numbers_beyond_all_machines(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(capacity.JOBS_VARIABLE, said)
    with pytest.raises(model_errors.BadVariable):
        settings.load(project)
    monkeypatch.delenv(capacity.JOBS_VARIABLE)
    monkeypatch.setenv(capacity.MEMORY_VARIABLE, f"{said}000GB")
    with pytest.raises(model_errors.BadVariable):
        settings.load(project)


NOTED = """\
import sys
from pathlib import Path
from muslin.engine import inputs
from muslin.models import settings

project = Path(sys.argv[1])
print(len(settings.load(project).services))
before = inputs.everything()
found = project / sys.argv[2]
if found.is_symlink():
    found = found.parent / found.readlink()
elif found.exists():
    found.unlink()
found.mkdir(parents=True)
(found / "x").mkdir()
(found / "x" / "service.toml").touch()
print([*inputs.differing(before)])
print(len(settings.load(project).services))
"""
"""What a run looks at; then a service appears, and what of that differs."""


@pytest.mark.parametrize("place", ["services/link", "services/file", "services/group"])
def test_a_service_that_appears_behind_what_a_pattern_passed_is_noticed(
    project: Path, place: str
) -> None:
    (project / "services/link").symlink_to("outside")
    (project / "services/file").touch()
    (project / "pyproject.toml").write_text(TABLE.replace("services/*", "services/*/*"))
    run = subprocess.run(
        [sys.executable, "-c", NOTED, str(project), place],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    before, noticed, after = run.stdout.splitlines()
    assert (before, after) == ("0", "1"), run.stdout
    assert noticed != "[]"
