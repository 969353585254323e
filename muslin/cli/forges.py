"""Pipelines for GitHub and GitLab: a job for each target, its cache kept, one for the joint images.

They are texts, made of the plan: the targets, and how long each may take.
"""

# Long: the texts of two forges' files.
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from muslin.cli import errors as cli_errors
from muslin.engine.stage import Stage
from muslin.models import errors as model_errors

FORGES = ("github", "gitlab")
SLACK = 3.0
"""How much longer than the guesses a job may take: runners differ."""
CORES = 2
STEP = 30
"""Minutes that limits are rounded up to."""
SAMPLE = 60
"""Faults a week; each takes tests of a minute or two."""
CACHE_LIMIT = "2GB"
"""What a target's job keeps between runs: GitHub gives a repository 10 GB for all its caches."""
PROGRAMS = "gcc g++ make perl pipx patch m4 bison flex"
LIBRARIES = (
    "backports.zstd capstone filelock platformdirs 'pydantic<3' pyelftools requests tomli-w tqdm "
    "urllib3"
)
ACTIONS = {
    "checkout": "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
    "cache": "actions/cache@5a3ec84eff668545956fd18022155c47e93e2684 # v4.2.3",
    "restore": "actions/cache/restore@5a3ec84eff668545956fd18022155c47e93e2684 # v4.2.3",
    "upload": "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
}
"""By digest: whoever moves a tag of theirs does not move what runs here."""
CHECKOUT = """\
      - uses: @checkout-action@
        with:
          submodules: recursive"""
PREPARED = """\
      - run: pipx install nox && pipx inject nox @libraries@
      - run: |
          echo "$HOME/.local/bin" >> "$GITHUB_PATH"
          echo "MUSLIN_CACHE=$GITHUB_WORKSPACE/.muslin-cache" >> "$GITHUB_ENV\""""
INSTALLED = """\
      - run: apt-get update && apt-get install --yes --no-install-recommends git @programs@"""
GITHUB = """\
# Written by `nox -s ci -- github`; run it again when the targets change.
name: build
on:
  push:
  pull_request:
  workflow_dispatch:
permissions:
  contents: read
jobs:
  target:
    name: ${{ matrix.target }}
    runs-on: ubuntu-24.04
    container: debian:bookworm
    timeout-minutes: @minutes@
    strategy:
      fail-fast: false
      matrix:
        target: [@targets@]
    steps:
@installed@
@checkout@
      - uses: @cache-action@
        with:
          path: .muslin-cache
          key: @key@
          restore-keys: muslin-${{ matrix.target }}-
@prepared@
      - run: nox -s build-all -- ${{ matrix.target }}
      - run: nox -s gc -- @limit@
      - uses: @upload-action@
        with:
          name: muslin-${{ matrix.target }}
          path: dist/
          if-no-files-found: error
  images:
    needs: target
    runs-on: ubuntu-24.04
    container: debian:bookworm
    timeout-minutes: 30
    steps:
@installed@
@checkout@
      - run: mkdir .joined
@restored@
      - run: mv .joined .muslin-cache
@prepared@
      # Everything is found: what is left to do is to join the platforms.
      - run: nox -s build-all -- @names@
      - uses: @upload-action@
        with:
          name: muslin
          path: dist/
          if-no-files-found: error
"""
RESTORED = """\
      - uses: @restore-action@
        with:
          path: .muslin-cache
          key: @key@
          fail-on-cache-miss: true
      # They share entries, which are read-only: joined by one who may write all the same.
      - run: cp --archive --no-clobber .muslin-cache/. .joined/ && rm -rf .muslin-cache"""
KEY = (
    "muslin-@target@-${{ hashFiles('muslin/**', 'recipes/**', 'toolchains/**', 'services/**', "
    "'pyproject.toml') }}"
)
UPSTREAM = """\
# Written by `nox -s ci -- github`; run it again when the targets change.
# The upstream releases and musl-cross-make itself, for whoever hosts the project: what tests can
# only try against stand-ins.
name: upstream
on:
  schedule:
    - cron: "17 3 * * 1"
  workflow_dispatch:
permissions:
  contents: read
jobs:
  toolchain:
    name: ${{ matrix.target }} by ${{ matrix.driver }}
    runs-on: ubuntu-24.04
    container: debian:bookworm
    timeout-minutes: @minutes@
    strategy:
      fail-fast: false
      matrix:
        target: [@targets@]
        driver: [musl-cross-make, builtin]
    steps:
@installed@
@checkout@
@prepared@
      - run: nox -s build-all -- ${{ matrix.target }}
        env:
          MUSLIN_SOURCES: upstream
          MUSLIN_DRIVER: ${{ matrix.driver }}
"""
ADVISORIES = """\
# Written by `nox -s ci -- github`. Fails when the archive has security fixes that the pins lack.
name: advisories
on:
  schedule:
    - cron: "43 4 * * 1"
  workflow_dispatch:
permissions:
  contents: read
jobs:
  advisories:
    runs-on: ubuntu-24.04
    container: debian:trixie
    timeout-minutes: 30
    steps:
@installed@
@checkout@
      - run: pipx install nox && pipx inject nox @libraries@
      - run: ~/.local/bin/nox -s advisories
"""
MUTANTS = """\
# Written by `nox -s ci -- github`. Fails when tests do not notice a tenth of the faults that are
# put into the code, others each week.
name: mutants
on:
  schedule:
    - cron: "7 1 * * 6"
  workflow_dispatch:
permissions:
  contents: read
jobs:
  mutants:
    runs-on: ubuntu-24.04
    container:
      image: debian:trixie
      options: --privileged # PID namespaces, so that a fault ends nobody's processes
    timeout-minutes: 180
    steps:
@installed@
@checkout@
      - run: pipx install nox && pipx inject nox @libraries@
      - run: ~/.local/bin/nox -s mutants -- --sample @sample@ --processes @cores@
"""
GITLAB = """\
# Written by `nox -s ci -- gitlab`; run it again when the targets change.
stages: [target, images]

default:
  image: debian:trixie
  before_script:
    - apt-get update && apt-get install --yes --no-install-recommends @programs@
    - export PATH="$HOME/.local/bin:$PATH"
    - pipx install nox && pipx inject nox @libraries@

variables:
  GIT_SUBMODULE_STRATEGY: recursive
  MUSLIN_CACHE: $CI_PROJECT_DIR/.muslin-cache

.cached:
  cache:
@caches@

target:
  stage: target
  timeout: @minutes@ minutes
  parallel:
    matrix:
      - TARGET: [@targets@]
  cache:
    key: muslin-$TARGET
    paths: [.muslin-cache/]
    when: always
  script:
    - nox -s build-all -- $TARGET
    - nox -s gc -- @limit@
  artifacts:
    name: muslin-$TARGET
    paths: [dist/]

images:
  stage: images
  extends: .cached
  timeout: 30 minutes
  script:
    # Everything is found: what is left to do is to join the platforms.
    - nox -s build-all -- @names@
  artifacts:
    name: muslin
    paths: [dist/]

# For a weekly schedule: fails when the archive has security fixes that the pins lack.
advisories:
  stage: target
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  timeout: 30 minutes
  script:
    - nox -s advisories

# Likewise: fails when tests do not notice a tenth of the faults that are put into the code.
mutants:
  stage: target
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  timeout: 180 minutes
  script:
    - nox -s mutants -- --sample @sample@ --processes @cores@
"""
MOST_CACHES = 4
"""GitLab restores no more in one job."""


def files(forge: str, targets: Sequence[str], minutes: int) -> dict[str, str]:
    """Path -> text of what a forge reads.

    Raises `Unknown` for another forge than github and gitlab, `TooManyCaches`.
    """
    if forge not in FORGES:
        raise model_errors.Unknown("forge", forge, FORGES)
    values = {
        "checkout": CHECKOUT,
        "installed": INSTALLED,
        "prepared": PREPARED,
        "targets": ", ".join(targets),
        "names": " ".join(targets),
        "minutes": str(minutes),
        "programs": PROGRAMS,
        "libraries": LIBRARIES,
        "limit": CACHE_LIMIT,
        "sample": str(SAMPLE),
        "cores": str(CORES),
        **{f"{name}-action": pinned for name, pinned in ACTIONS.items()},
    }
    if forge == "gitlab":
        if len(targets) > MOST_CACHES:
            raise cli_errors.TooManyCaches(targets, MOST_CACHES)
        return {".gitlab-ci.yml": _filled(GITLAB, {**values, "caches": _caches(targets)})}
    key = _filled(KEY, {"target": "${{ matrix.target }}"})
    restored = "\n".join(
        _filled(RESTORED, {**values, "key": _filled(KEY, {"target": target})}) for target in targets
    )
    return {
        ".github/workflows/build.yml": _filled(
            GITHUB, {**values, "key": key, "restored": restored}
        ),
        ".github/workflows/upstream.yml": _filled(UPSTREAM, values),
        ".github/workflows/advisories.yml": _filled(ADVISORIES, values),
        ".github/workflows/mutants.yml": _filled(MUTANTS, values),
    }


def minutes(stages: Iterable[Stage]) -> int:
    """How long a job that builds these stages may take, from the recipes' own guesses."""
    seconds = sum(stage.guess for stage in stages) * SLACK / CORES
    return max(STEP, math.ceil(seconds / 60 / STEP) * STEP)


def _caches(targets: Sequence[str]) -> str:
    return "\n".join(
        f"    - key: muslin-{target}\n      paths: [.muslin-cache/]\n      policy: pull"
        for target in targets
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
