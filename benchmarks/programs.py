"""The programs that come out: their size to cargo-zigbuild's, their speed to a glibc build's, and
what the options of a service do to both."""

from __future__ import annotations

import os
import re
import shlex
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
from muslin.cli.pipeline import Pipeline
from muslin.models.target import Target

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
exec "{rust}/programs/rustc" --sysroot="{rust}" {remaps} "$@"
"""
WORKERS, CONNECTIONS, SECONDS = 4, 64, 5


def sizes(run: Pipeline, services: tuple[str, ...]) -> list[Pair]:
    """Stripped programs, ours and those that zig links of the same source, std and libraries: as
    they come, and with the short names for the build's paths that ours have."""
    target = run.context.targets[TARGET]
    rust = run.context.settings.dist / "toolchains" / TARGET / "rust"
    openssl = run.context.store.find(
        run.builder().keys.of(run.catalog().libraries.library("openssl", target))
    )
    if openssl is None:
        sys.exit(f"OpenSSL for {TARGET} is not in the cache; `nox -s build-all` first")
    pairs = []
    with checkout(run.context.settings.project) as folder, tempfile.TemporaryDirectory() as aside:
        venv = Path(aside) / "zig"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", *ZIG], check=True)
        told = environment(
            PATH=f"{venv}/bin:{rust}/bin:{os.environ['PATH']}",
            OPENSSL_DIR=str(openssl.tree / "usr"),
            OPENSSL_STATIC="1",
        )
        home = Path(os.environ.get("CARGO_HOME", "~/.cargo")).expanduser()
        for said in ("", ", with the names for paths that ours has"):
            work = Path(aside) / ("named" if said else "as-it-comes")
            work.mkdir()
            named = dict.fromkeys((home / "registry" / "src").glob("*"), "/crates")
            named |= {folder / "services": "/source", work: "/build"}
            remaps = [f"--remap-path-prefix={path}={name}" for path, name in named.items()]
            rustc = work / "rustc"
            rustc.write_text(
                RUSTC.format(
                    triple=target.rust.triple, rust=rust, remaps=shlex.join(remaps) if said else ""
                )
            )
            rustc.chmod(0o755)
            pairs += [
                Pair(
                    what=f"{one}, {TARGET}, stripped, to cargo-zigbuild's{said}",
                    how="`dist/` and `cargo zigbuild --release` with the same rustc, std and "
                    f"OpenSSL; {', '.join(ZIG)}",
                    ours=(float((run.context.settings.dist / TARGET / one).stat().st_size),),
                    theirs=(float(_zigbuilt(one, target, folder, work, told)),),
                    at_most=1.0,
                    unit="bytes",
                )
                for one in services
            ]
    return pairs


def _zigbuilt(
    service: str, target: Target, folder: Path, work: Path, told: Mapping[str, str]
) -> int:
    """The bytes of a stripped program of a checkout's services, by cargo-zigbuild and the rustc
    that is in a folder to work in."""
    subprocess.run(
        [
            *("cargo-zigbuild", "zigbuild", "--release", "--quiet"),
            *(f"--target={target.rust.triple}", f"--package={service}"),
        ],
        cwd=folder / "services",
        env={**told, "RUSTC": str(work / "rustc"), "CARGO_TARGET_DIR": str(work)},
        check=True,
    )
    program = work / target.rust.triple / "release" / service
    subprocess.run(["strip", "-s", program], check=True)
    return program.stat().st_size


def requests(run: Pipeline, times: int) -> list[Pair]:
    """Seconds for a million requests to hello-http: on musl with mimalloc and with musl's own
    allocator, and on glibc."""
    wrk = installed("wrk")
    rust = run.context.settings.dist / "toolchains" / TARGET / "rust"
    with checkout(run.context.settings.project) as folder:
        made = {"mimalloc": MIMALLOC, "musl's allocator": ""}
        ours = []
        for number, option in enumerate(made.values()):
            kept = folder.parent / f"ours-{number}"
            shutil.copy(_built_with(folder, option), kept)
            ours.append(Asked(kept, wrk))
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
        theirs = Asked(folder.parent / "glibc" / "release" / "hello-http", wrk)
        *took, took_theirs = in_turns(*ours, theirs, times=times)
    how = (
        f"`wrk -t2 -c{CONNECTIONS} -d{SECONDS}` on the same cores, TOKIO_WORKER_THREADS={WORKERS}; "
        "`cargo build --release` by the same rustc with its own std for glibc"
    )
    pairs = []
    for allocator, seconds, one in zip(made, took, ours, strict=True):
        what = f"hello-http with {allocator} on musl, {{}} for a million requests, to glibc's"
        pairs += [
            Pair(
                what=what.format("seconds"),
                how=how,
                ours=seconds,
                theirs=took_theirs,
                at_most=1.0 if made[allocator] else None,
            ),
            Pair(
                what=what.format("CPU seconds of its own code"),
                how="the same runs; `utime` of the server",
                ours=tuple(one.own[1:]),  # a first time of each does not count
                theirs=tuple(theirs.own[1:]),
                at_most=None,
            ),
        ]
    return pairs


def options(run: Pipeline, times: int) -> str:
    """A table: hello-http with each option in the place of what its workspace says."""
    wrk = installed("wrk")
    rows = ["| one line more | size, bytes | seconds for a million requests |", "|---|---|---|"]
    with checkout(run.context.settings.project) as folder:
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
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
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
