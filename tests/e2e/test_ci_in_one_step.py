"""GitHub's action and GitLab's component: what their schemas allow, and every shell step, run here
by bash with the variables of the forge and inputs of a hostile caller."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from muslin.cli import forges

PROJECT = Path(__file__).resolve().parents[2]
ACTION, COMPONENT = PROJECT / "action.yml", PROJECT / "templates/muslin/template.yml"
PLACE = "/var/tmp/muslin"  # noqa: S108  # of a container
HOSTILE = ["$(touch pwned)", '"; touch pwned; "', "`touch pwned`", "'; touch pwned #", "--sources"]
RECORDER = """\
#!/usr/bin/python3
import json, os, sys
with open(os.environ["RECORD"], "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))


def steps() -> dict[str, Any]:
    """The steps of the action by their names."""
    return {step["name"]: step for step in documents(ACTION)[0]["runs"]["steps"]}


def scripts() -> Iterator[tuple[str, str]]:
    """Every piece of shell in both, with its name."""
    for name, step in steps().items():
        if "run" in step:
            yield name, step["run"]
    (job,) = documents(COMPONENT)[1].values()
    for part in ("before_script", "script", "after_script"):
        yield from ((f"{part} {number}", text) for number, text in enumerate(job[part]))


@dataclass
class Runner:
    """A directory as a forge's runner makes one, with a `muslin` that notes its words."""

    folder: Path
    path: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("workspace/app", "temp/muslin/bin", "temp/venv/bin", "bin"):
            (self.folder / name).mkdir(parents=True)
        for name in ("muslin", "venv"):
            stub = self.folder / "temp" / name / "bin" / "muslin"
            stub.write_text(RECORDER)
            stub.chmod(0o755)
        self.path = f"{self.folder / 'bin'}:/usr/bin:/bin"
        for name in ("output", "summary", "record"):
            (self.folder / name).touch()
        self.variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(PROJECT),
            "GITHUB_WORKSPACE": str(self.folder / "workspace"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "CI_PROJECT_DIR": str(self.folder / "workspace"),
            "RECORD": str(self.folder / "record"),
            "HOME": str(self.folder),
        }

    def bash(
        self, script: str, variables: Mapping[str, str], cwd: str = "workspace/app"
    ) -> subprocess.CompletedProcess[str]:
        """As GitHub calls it, in an environment with nothing but what the forge gives."""
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder / cwd,
            env={"PATH": self.path, **self.variables, **variables},
            text=True,
            capture_output=True,
            check=False,
        )

    @property
    def recorded(self) -> list[list[str]]:
        """The words of every call of `muslin`."""
        lines = (self.folder / "record").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def outputs(self) -> dict[str, str]:
        """What a step said for later ones."""
        lines = (self.folder / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def harmed(self) -> bool:
        """Whether an input was run."""
        return bool(list(self.folder.rglob("pwned")))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "runner")


def test_githubs_schema_allows_the_action(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions"]
    done = subprocess.run([*argv, str(ACTION)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "action.yml"
    wrong.write_text(ACTION.read_text().replace("using: composite", "using: compost"))
    assert subprocess.run([*argv, str(wrong)], capture_output=True, check=False).returncode != 0


def test_gitlabs_schema_allows_both_documents_of_the_component(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    for number, text in enumerate(COMPONENT.read_text().split("\n---\n")):
        part = tmp_path / f"{number}.yml"
        part.write_text(text)
        done = subprocess.run([*argv, str(part)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        part.write_text(text.replace("spec:", "spec: 3 #").replace("when: always", "when: never2"))
        assert subprocess.run([*argv, str(part)], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(("name", "script"), [*scripts()])
def test_no_input_is_put_into_a_script(name: str, script: str) -> None:
    assert "${{" not in script, name
    assert "$[[" not in script, name


def test_actions_are_pinned_by_commit_as_in_the_workflows() -> None:
    pinned = set(re.findall(r"uses: (\S+ # v[\d.]+)", ACTION.read_text()))
    assert len(pinned) == ACTION.read_text().count("uses:") == 3
    commits = {re.split(r"[@ ]", one)[1] for one in forges.ACTIONS.values()}
    for one in pinned:
        assert re.split(r"[@ ]", one)[1] in commits


def test_every_input_reaches_a_step() -> None:
    text = ACTION.read_text()
    for name in documents(ACTION)[0]["inputs"]:
        assert f"inputs.{name} " in text, name
    text = COMPONENT.read_text()
    for name in documents(COMPONENT)[0]["spec"]["inputs"]:
        assert f"$[[ inputs.{name} ]]" in text, name


def install(runner: Runner, **variables: str) -> subprocess.CompletedProcess[str]:
    """The first step."""
    more = {"INPUT_VERSION": "", "INPUT_DIRECTORY": "app", **variables}
    runner.path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return runner.bash(steps()["Install Muslin"]["run"], more, "workspace")


def test_the_action_installs_itself(runner: Runner) -> None:
    done = install(runner)
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.outputs == {
        "project": str(runner.folder / "workspace/app"),
        "dist": str(runner.folder / "workspace/app/dist"),
        "cache": str(runner.folder / "temp/muslin-cache"),
    }
    build(runner)
    other = install(runner, INPUT_VERSION="9.9")
    assert other.returncode == 2
    assert "which is not the expected version" in other.stdout


def build(runner: Runner) -> None:
    """The build step with what was installed: a mistake becomes an annotation and a summary."""
    runner.path = "/usr/bin:/bin"
    (runner.folder / "workspace/app/muslin.toml").write_text('\ntargets = ["armv66"]\n')
    more = {
        "INPUT_TARGETS": "",
        "INPUT_SERVICES": "",
        "MUSLIN_HOST": "native",
        "MUSLIN_CACHE": str(runner.folder / "temp/muslin-cache"),
    }
    done = runner.bash(steps()["Build"]["run"], more)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert line.startswith("::error file=app/muslin.toml,line=2,title=declaration::targets: there")
    assert "armv66" in (runner.folder / "summary").read_text()
    log = json.loads((runner.folder / "workspace/app/dist/muslin.sarif").read_text())
    assert log["runs"][0]["results"][0]["ruleId"] == "declaration"


def test_a_directory_that_is_none(runner: Runner) -> None:
    for name in ("nowhere", *HOSTILE):
        done = install(runner, INPUT_DIRECTORY=name)
        assert (done.returncode, runner.harmed) == (2, False), name
        assert "::error title=muslin::the input directory" in done.stdout


def test_an_old_python_is_named(runner: Runner) -> None:
    runner.variables["PATH"] = ""
    (runner.folder / "bin/python3").write_text("#!/bin/sh\nexit 1\n")
    (runner.folder / "bin/python3").chmod(0o755)
    more = {"INPUT_VERSION": "", "INPUT_DIRECTORY": "app", "PATH": runner.path}
    done = runner.bash(steps()["Install Muslin"]["run"], more)
    assert done.returncode == 2
    assert "Python 3.11 or newer" in done.stdout


@pytest.mark.parametrize(
    ("targets", "services", "words"),
    [
        ("", "", ["build-all"]),
        ("armv6 aarch64", "", ["build-all", "armv6", "aarch64"]),
        ("armv6,\n  aarch64\n", "a,b", ["build-all", "--service", "a,b", "armv6", "aarch64"]),
    ],
)
def test_the_words_of_a_build(
    runner: Runner, targets: str, services: str, words: list[str]
) -> None:
    done = runner.bash(
        steps()["Build"]["run"], {"INPUT_TARGETS": targets, "INPUT_SERVICES": services}
    )
    assert done.returncode == 0, done.stderr
    assert runner.recorded == [words]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["INPUT_TARGETS", "INPUT_SERVICES"])
def test_no_input_of_a_build_is_run(runner: Runner, name: str, text: str) -> None:
    more = {"INPUT_TARGETS": "", "INPUT_SERVICES": "", name: text}
    done = runner.bash(steps()["Build"]["run"], more)
    assert (done.returncode, runner.recorded, runner.harmed) == (2, [], False)
    assert done.stdout.startswith("::error title=muslin::the inputs targets and services")


@pytest.mark.parametrize("text", [*HOSTILE, ""])
def test_no_input_of_later_steps_is_run(runner: Runner, text: str) -> None:
    for step, name in (("Push", "INPUT_PUSH"), ("Shrink the cache", "INPUT_LIMIT")):
        done = runner.bash(steps()[step]["run"], {name: text})
        assert (done.returncode, runner.recorded, runner.harmed) == (2, [], False), step
    done = runner.bash(steps()["Find the cache's key"]["run"], {"INPUT_TARGETS": text})
    assert (done.returncode, runner.harmed) == (0, False), done.stderr


def test_later_steps_call_sessions(runner: Runner) -> None:
    runner.bash(steps()["Push"]["run"], {"INPUT_PUSH": "localhost:5000/me/app"})
    runner.bash(steps()["Shrink the cache"]["run"], {"INPUT_LIMIT": "2GB"})
    assert runner.recorded == [["push", "localhost:5000/me/app"], ["gc", "2GB"]]


def test_the_caches_key_follows_declarations_and_targets(runner: Runner) -> None:
    def key(targets: str = "armv6, armv7") -> dict[str, str]:
        (runner.folder / "output").write_text("")
        done = runner.bash(steps()["Find the cache's key"]["run"], {"INPUT_TARGETS": targets})
        assert done.returncode == 0, done.stderr
        return runner.outputs

    first = key()
    assert re.fullmatch(r"muslin-Linux-X64-armv6-armv7-[0-9a-f]{64}", first["key"])
    assert first["key"].startswith(first["prefix"])
    assert key("")["prefix"] == "muslin-Linux-X64-default-"
    (runner.folder / "workspace/app/main.c").write_text("int x;")
    assert key() == first, "toolchains do not depend on it"
    (runner.folder / "workspace/app/Cargo.lock").write_text("version = 4")
    assert key()["key"] != first["key"]


@pytest.mark.parametrize(("state", "calls"), [("1", 2), ("0", 1), ("", 1)])
def test_user_namespaces_are_allowed_where_ubuntu_forbids_them(
    runner: Runner, state: str, calls: int
) -> None:
    record, programs = runner.folder / "record", runner.folder / "bin"
    asks = f"echo '[\"'$*'\"]' >> {record}; " + (f"echo {state}" if state else "exit 255")
    (programs / "sysctl").write_text(f"#!/bin/sh\n{asks}\n")
    (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    for name in ("sysctl", "sudo"):
        (programs / name).chmod(0o755)
    done = runner.bash(steps()["Allow user namespaces"]["run"], {})
    assert done.returncode == 0, done.stderr
    assert len(runner.recorded) == calls


# --- GitLab ---


@pytest.fixture
def job(runner: Runner) -> dict[str, list[str]]:
    """The scripts of the component's job, with directories of the runner's."""
    (whole,) = documents(COMPONENT)[1].values()
    aside = str(runner.folder / "temp")
    return {
        part: [text.replace(PLACE, aside) for text in whole[part]]
        for part in ("before_script", "script", "after_script")
    }


def inputs(runner: Runner, **variables: str) -> dict[str, str]:
    names = "VERSION TARGETS SERVICES PUSH LIMIT".split()
    return {
        **{f"INPUT_{name}": "" for name in names},
        "INPUT_DIRECTORY": "app",
        "INPUT_CACHE": "true",
        "MUSLIN_CACHE": str(runner.folder / "temp/cache"),
        **variables,
    }


def test_gitlabs_job_calls_sessions(runner: Runner, job: Mapping[str, list[str]]) -> None:
    more = inputs(
        runner, INPUT_TARGETS="armv6,\naarch64", INPUT_SERVICES="a b", INPUT_PUSH="host:5000/x"
    )
    done = runner.bash("\n".join(job["script"]), more)
    assert done.returncode == 0, done.stderr
    assert runner.recorded == [
        ["build-all", "--service=a,b", "armv6", "aarch64"],
        ["push", "host:5000/x"],
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["INPUT_TARGETS", "INPUT_SERVICES", "INPUT_PUSH"])
def test_no_input_of_gitlab_is_run(
    runner: Runner, job: Mapping[str, list[str]], name: str, text: str
) -> None:
    done = runner.bash("\n".join(job["script"]), inputs(runner, **{name: text}))
    assert (done.returncode, runner.harmed) == (2, False)
    assert ["push", text] not in runner.recorded


def test_gitlabs_cache_keeps_modes_and_times(runner: Runner, job: Mapping[str, list[str]]) -> None:
    cache = runner.folder / "temp/cache"
    (cache / "store").mkdir(parents=True)
    (cache / "store/file").write_text("x")
    (cache / "store/file").chmod(0o444)
    before = (cache / "store/file").stat()
    more = inputs(runner, INPUT_LIMIT="2GB")
    done = runner.bash(job["after_script"][0], more, "workspace")
    assert done.returncode == 0, done.stderr
    assert runner.recorded == [["gc", "2GB"]]
    shutil.rmtree(cache)
    done = runner.bash(job["before_script"][1], more, "workspace")
    assert done.returncode == 0, done.stderr
    after = (cache / "store/file").stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    done = runner.bash(job["after_script"][0], {**more, "INPUT_CACHE": "false"}, "workspace")
    assert not (runner.folder / "workspace/.muslin-cache").exists()


def test_gitlabs_job_installs_what_the_version_names(
    runner: Runner, job: Mapping[str, list[str]]
) -> None:
    if shutil.which("git", path="/usr/bin") is None:
        pytest.skip("without git the step installs packages of the image's distribution")
    runner.path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    wheel = runner.folder / "muslin-9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        about = "Metadata-Version: 2.1\nName: muslin\nVersion: 9.9\n"
        archive.writestr("muslin-9.9.dist-info/METADATA", about)
        archive.writestr("muslin-9.9.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(
            "muslin-9.9.dist-info/entry_points.txt", "[console_scripts]\nmuslin = m:x\n"
        )
        archive.writestr("muslin-9.9.dist-info/RECORD", "")
    more = inputs(runner, INPUT_VERSION=str(wheel))
    done = runner.bash(job["before_script"][0], more, "workspace")
    assert done.returncode == 0, done.stderr
    assert os.access(runner.folder / "temp/venv/bin/muslin", os.X_OK)
