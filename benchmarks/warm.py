"""A finished build: its artefacts restored, and one line of one service changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.timing import Pair, command, in_turns

NOX = (sys.executable, "-m", "nox")


@contextmanager
def checkout(project: Path) -> Iterator[Path]:
    """A checkout of the project, with the services as they are, on the same cache."""
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / "checkout"
        subprocess.run(["git", "clone", "--quiet", project, folder], check=True)
        yield folder


def restored(project: Path, targets: Sequence[str], times: int) -> Pair:
    """Every artefact into an empty `dist/`, and the same bytes out of a tar.zst."""
    with checkout(project) as folder:
        session = (*NOX, "-s", "build-all", "--", *targets)
        subprocess.run(session, cwd=folder, check=True, capture_output=True)
        packed = folder.parent / "dist.tar.zst"
        subprocess.run(["tar", "--zstd", "-cf", packed, "dist"], cwd=folder, check=True)
        script = f"zstd -dcq {packed} | tar x"

        def emptied() -> None:
            shutil.rmtree(folder / "dist")

        theirs = folder.parent / "theirs"
        theirs.mkdir()
        pair = in_turns(
            command(session, cwd=folder, env=dict(os.environ), before=emptied),
            command(
                ("sh", "-euc", script),
                cwd=theirs,
                env=dict(os.environ),
                before=lambda: shutil.rmtree(theirs / "dist", ignore_errors=True),
            ),
            times,
        )
    return Pair(
        what="restoring every artefact from the local store, to `zstd -d` and `tar x` of the same",
        how=f"`nox -s build-all -- {' '.join(targets)}` without `dist/`; `zstd -dcq x | tar x`",
        ours=pair[0],
        theirs=pair[1],
        at_most=1.3,
    )


def one_line(project: Path, targets: Sequence[str], times: int) -> Pair:
    """One line of hello-http changed: the pipeline, and cargo of the sdk for each target."""
    with checkout(project) as folder:
        main = folder / "services" / "hello-http" / "src" / "main.rs"
        text, numbers = main.read_text(), count()

        def change() -> None:
            main.write_text(f"{text}\nconst _: u32 = {next(numbers)};\n")

        words = ("build-all", "--", *targets, "--service", "hello-http")
        ours = command((*NOX, "-s", *words), cwd=folder, env=dict(os.environ), before=change)
        theirs = _bare(project, folder, targets, change)
        first, second = in_turns(ours, theirs, times)
    return Pair(
        what=f"one-line change in one service, {len(targets)} targets, to the bare `cargo build`s",
        how=f"`nox -s {' '.join(words)}`; `cargo build --release` by each target's `env.sh`",
        ours=first,
        theirs=second,
        at_most=1.1,
    )


def _bare(
    project: Path, folder: Path, targets: Sequence[str], change: Callable[[], None]
) -> Callable[[], float]:
    """`cargo build` for each target, one after another, in a folder that holds the last build."""
    lines = [
        f'(. "{project}/dist/toolchains/{target}/env.sh"; cd services; '
        f'CARGO_TARGET_DIR="{folder.parent}/bare-{target}" cargo build --release --quiet '
        "--package hello-http)"
        for target in targets
    ]
    return command(
        ("bash", "-euc", "\n".join(lines)), cwd=folder, env=dict(os.environ), before=change
    )
