"""A finished build: its artefacts restored, and one line of one service changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.timing import NOX, Pair, command, environment, in_turns


@contextmanager
def checkout(project: Path) -> Iterator[Path]:
    """A checkout of the project on the same cache, which has its services."""
    git = ("git", "status", "--porcelain", "muslin", "recipes", "services", "toolchains")
    if changed := subprocess.run(git, cwd=project, check=True, capture_output=True).stdout:
        sys.exit(f"a checkout of the last commit is compared; commit these:\n{changed.decode()}")
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / "checkout"
        subprocess.run(["git", "clone", "--quiet", project, folder], check=True)
        yield folder


def restored(project: Path, targets: Sequence[str], times: int) -> Pair:
    """Every artefact into an empty `dist/`, and the same bytes out of a tar.zst."""
    with checkout(project) as folder:
        session = (*NOX, "-s", "build-all", "--", *targets)
        subprocess.run(session, cwd=folder, env=environment(), check=True, capture_output=True)
        packed = folder.parent / "dist.tar.zst"
        subprocess.run(["tar", "--zstd", "-cf", packed, "dist"], cwd=folder, check=True)
        script = f"zstd -dcq {packed} | tar x"

        def emptied() -> None:
            shutil.rmtree(folder / "dist")

        theirs = folder.parent / "theirs"
        theirs.mkdir()
        pair = in_turns(
            command(session, cwd=folder, env=environment(), before=emptied),
            command(
                ("sh", "-euc", script),
                cwd=theirs,
                env=environment(),
                before=lambda: shutil.rmtree(theirs / "dist", ignore_errors=True),
            ),
            times=times,
        )
    return Pair(
        what="restoring every artefact from the local store, to `zstd -d` and `tar x` of the same",
        how=f"`nox -s build-all -- {' '.join(targets)}` without `dist/`; `zstd -dcq x | tar x`",
        ours=pair[0],
        theirs=pair[1],
        at_most=1.3,
    )


def one_line(project: Path, targets: Sequence[str], times: int) -> list[Pair]:
    """One line of hello-http changed: the pipeline, and cargo of the sdk for each target."""
    with checkout(project) as folder:
        main = folder / "services" / "hello-http" / "src" / "main.rs"
        text, numbers = main.read_text(), count(time.time_ns())

        def change() -> None:
            """To what no run has built before, for the cache would have it."""
            main.write_text(f"{text}\nconst _: u64 = {next(numbers)};\n")

        def bare(kind: str, end: str) -> Callable[[], float]:
            lines = [_bare(project, folder.parent / f"{kind}-{one}", one) + end for one in targets]
            script = "\n".join(("all=", *lines, 'for one in $all; do wait "$one"; done'))
            return command(("bash", "-euc", script), cwd=folder, env=environment(), before=change)

        words = ("build-all", "--", *targets, "--service", "hello-http")
        ours, in_turn, at_once = in_turns(
            command(
                (*NOX, "-s", *words),
                cwd=folder,
                env=environment(),
                before=change,
                says=[rf"hello-http-{one} +built" for one in targets],
            ),
            bare("in-turn", ""),
            bare("at-once", ' & all="$all $!"'),
            times=times,
        )
    what = f"one-line change in one service, {len(targets)} targets, to the bare `cargo build`s"
    how = f"`nox -s {' '.join(words)}`; `cargo build --release` by each target's `env.sh`"
    return [
        Pair(what=f"{what}, one after another", how=how, ours=ours, theirs=in_turn, at_most=1.1),
        Pair(what=f"{what}, all at once", how=how, ours=ours, theirs=at_once, at_most=None),
    ]


def _bare(project: Path, output: Path, target: str) -> str:
    """A line of shell: `cargo build` for a target, in a folder that holds the last build."""
    return (
        f'(. "{project}/dist/toolchains/{target}/env.sh"; cd services; '
        f'CARGO_TARGET_DIR="{output}" cargo build --release --quiet --package hello-http)'
    )
