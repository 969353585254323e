"""The programs that come out: their size to cargo-zigbuild's, their speed to a glibc build's, and
what the options of a service do to both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.timing import NOX, Pair, environment, in_turns, installed, spread
from benchmarks.warm import checkout
from recipes.pipeline import Pipeline

TARGET = "x86_64"
"""The one whose programs run here as they are."""
ZIG = ("cargo-zigbuild==0.24.1", "ziglang==0.17.1")
MIMALLOC = 'allocator = "mimalloc"'
OPTIONS = (
    'cargo.lto = "thin"',
    'cargo.lto = "off"',
    'cargo.panic = "unwind"',
    MIMALLOC,
)
"""The workspace has fat LTO and `abort`."""
RUSTC = """\
#!/bin/bash
# The sdk's compiler without what the sdk tells it of processors; start files are zig's.
for word; do
    case $word in
    {triple} | --target={triple})
        set -- "$@" -Clink-self-contained=no
        break
        ;;
    esac
done
export LD_LIBRARY_PATH="{rust}/lib"
exec "{rust}/programs/rustc" --sysroot="{rust}" "$@"
"""
WORKERS, CONNECTIONS, SECONDS = 4, 64, 5


def sizes(run: Pipeline, services: tuple[str, ...]) -> list[Pair]:
    """Stripped programs, ours and those that zig links of the same source, std and libraries."""
    target = run.targets[TARGET]
    rust = run.settings.dist / "toolchains" / TARGET / "rust"
    openssl = run.store.find(run.builder().keys.of(run.catalog().library("openssl", target)))
    if openssl is None:
        sys.exit(f"OpenSSL for {TARGET} is not in the cache; `nox -s build-all` first")
    with checkout(run.settings.project) as folder, tempfile.TemporaryDirectory() as aside:
        venv = Path(aside) / "zig"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", *ZIG], check=True)
        rustc = Path(aside) / "rustc"
        rustc.write_text(RUSTC.format(triple=target.rust.triple, rust=rust))
        rustc.chmod(0o755)
        told = environment(
            PATH=f"{venv}/bin:{rust}/bin:{os.environ['PATH']}",
            RUSTC=str(rustc),
            CARGO_TARGET_DIR=aside,
            OPENSSL_DIR=str(openssl.tree / "usr"),
            OPENSSL_STATIC="1",
        )
        made: dict[str, Path] = {}
        for service in services:
            subprocess.run(
                [
                    *("cargo-zigbuild", "zigbuild", "--release", "--quiet"),
                    *(f"--target={target.rust.triple}", f"--package={service}"),
                ],
                cwd=folder / "services",
                env=told,
                check=True,
            )
            made[service] = Path(aside) / target.rust.triple / "release" / service
            subprocess.run(["strip", "-s", made[service]], check=True)
        return [
            Pair(
                what=f"{service}, {TARGET}, stripped, to cargo-zigbuild's",
                how="`dist/` and `cargo zigbuild --release` with the same rustc, std and OpenSSL; "
                + ", ".join(ZIG),
                ours=(float((run.settings.dist / TARGET / service).stat().st_size),),
                theirs=(float(program.stat().st_size),),
                at_most=1.0,
                unit="bytes",
            )
            for service, program in made.items()
        ]


def requests(run: Pipeline, times: int) -> list[Pair]:
    """Seconds for a million requests to hello-http, musl with mimalloc and glibc."""
    wrk = installed("wrk")
    rust = run.settings.dist / "toolchains" / TARGET / "rust"
    with checkout(run.settings.project) as folder:
        ours_built = _built_with(folder, MIMALLOC)
        subprocess.run(
            ["cargo", "build", "--release", "--quiet", "--package", "hello-http"],
            cwd=folder / "services",
            env=environment(
                PATH=f"{rust}/bin:{os.environ['PATH']}",
                RUSTC=f"{rust}/bin/rustc",
                CARGO_TARGET_DIR=str(folder.parent / "glibc"),
            ),
            check=True,
        )
        ours = Asked(ours_built, wrk)
        theirs = Asked(folder.parent / "glibc" / "release" / "hello-http", wrk)
        took = in_turns(ours, theirs, times=times)
    what = "hello-http with mimalloc on musl, {} for a million requests, to glibc's"
    how = f"`wrk -t2 -c{CONNECTIONS} -d{SECONDS}` on the same cores, TOKIO_WORKER_THREADS={WORKERS}"
    return [
        Pair(what=what.format("seconds"), how=how, ours=took[0], theirs=took[1], at_most=1.0),
        Pair(
            what=what.format("CPU seconds of its own code"),
            how="the same runs; `utime` of the server",
            ours=tuple(ours.own[1:]),  # a first time of each does not count
            theirs=tuple(theirs.own[1:]),
            at_most=None,
        ),
    ]


def options(run: Pipeline, times: int) -> str:
    """A table: hello-http with each option in the place of what its workspace says."""
    wrk = installed("wrk")
    rows = ["| one line more | size, bytes | seconds for a million requests |", "|---|---|---|"]
    with checkout(run.settings.project) as folder:
        made: dict[str, Path] = {}
        for option in ("", *OPTIONS):
            kept = folder.parent / f"hello-http-{len(made)}"
            shutil.copy(_built_with(folder, option), kept)
            made[f"`{option}`" if option else "none"] = kept
        took = in_turns(*(Asked(program, wrk) for program in made.values()), times=times)
        rows += [
            f"| {name} | {program.stat().st_size:,} | {spread(seconds)} |"
            for (name, program), seconds in zip(made.items(), took, strict=True)
        ]
    return "\n".join(rows)


def _built_with(folder: Path, option: str) -> Path:
    """hello-http of a checkout with a line of its declaration more: the program in its `dist/`."""
    declared = folder / "services" / "hello-http" / "service.toml"
    subprocess.run(["git", "checkout", "--quiet", declared], cwd=folder, check=True)
    text = declared.read_text()
    assert "\nbuild = " in text, declared
    declared.write_text(text.replace("\nbuild = ", f"\n{option}\nbuild = ", 1))
    words = ("build-all", "--", TARGET, "--service", "hello-http")
    subprocess.run(
        [*NOX, "-s", *words], cwd=folder, env=environment(), check=True, capture_output=True
    )
    return folder / "dist" / TARGET / "hello-http"


@dataclass
class Asked:
    """A server that is asked for a while: seconds for a million requests, those of the clock as the
    result and those of the CPU, in its own code, noted."""

    program: Path
    wrk: str
    own: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        with _served(self.program) as (port, process):
            address = f"http://127.0.0.1:{port}/"
            argv = (self.wrk, "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}", address)
            said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
            own = _own_seconds(process)
        rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
        number = re.search(r"(\d+) requests in", said)
        assert rate is not None, said
        assert number is not None, said
        assert "Non-2xx" not in said, said
        assert "Socket errors" not in said, said
        self.own.append(own * 1e6 / float(number[1]))
        return 1e6 / float(rate[1])


def _own_seconds(process: int) -> float:
    """The CPU time that a process spent outside the kernel: `utime`, proc_pid_stat(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _served(program: Path) -> Iterator[tuple[str, int]]:
    """The port that it listens on, and its process."""
    told: Mapping[str, str] = {"PORT": "0", "TOKIO_WORKER_THREADS": str(WORKERS)}
    with subprocess.Popen([program], env=told, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            greeting = server.stdout.readline()
            port = re.search(r"listening on port (\d+)", greeting)
            assert port is not None, greeting
            yield port[1], server.pid
        finally:
            server.terminate()
