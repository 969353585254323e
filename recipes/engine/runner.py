"""The only place that starts processes.

Each gets a session of its own (Ctrl-C reaches Muslin, which ends the group), standard input
closed, output in a log file, and exactly the environment that was declared.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from recipes import errors
from recipes.engine import confinement, ending, walk
from recipes.engine.jobserver import Jobserver
from recipes.engine.secrets import hidden

HOST_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""Where the host's own programs are looked for, whatever the user's PATH says."""

BASE_ENVIRONMENT: Mapping[str, str] = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01: the earliest date that zip can hold
    "HOME": "/nonexistent",
}
UMASK = 0o022
"""Every process gets it, whatever the user's own is."""
NETWORK_VARIABLES = (
    *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"),
)
"""What a fetching step inherits from the user, and no other step."""
NETWORK_PREFIXES = ("CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_")
TAIL = 25
TimeoutExpired = subprocess.TimeoutExpired
Process = subprocess.Popen[bytes]


def network_environment() -> dict[str, str]:
    """The user's proxy, CA and registry variables."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in NETWORK_VARIABLES or name.startswith(NETWORK_PREFIXES)
    }


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a process and all it waited for took."""

    cpu_seconds: float
    memory: int
    """Bytes of the largest of them; 0 where it is not known, being less than this process took."""


class Runner:
    """Starts processes and can end all of them at once."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.confines = confinement.abi() >= confinement.LEAST_ABI
        """Whether this kernel can confine what is started."""
        self.stopping = threading.Event()
        self.started = False
        """Whether anything was started."""
        self._jobserver: Jobserver | None = None
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._mine = threading.local()

    @property
    def jobserver(self) -> Jobserver:
        """Made at its first use: a run that starts nothing needs none."""
        with self._lock:
            if self._jobserver is None:
                self._jobserver = Jobserver(self.jobs)
            return self._jobserver

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the jobserver's slots in this thread; once, however often it is asked for.

        A stage holds its own from its first step to its last. Between two steps a cargo beside it
        would take the slot and keep it for as long as it has crates to compile.
        """
        if getattr(self._mine, "held", False):
            yield
            return
        with self.jobserver.slot(self.stopping):
            self._mine.held = True
            try:
                yield
            finally:
                self._mine.held = False

    @contextmanager
    def held_back(self, slots: int) -> Iterator[None]:
        """Keep slots from everybody, for a stage whose processes take much memory each."""
        with ExitStack() as held:
            for _ in range(slots):
                held.enter_context(self.jobserver.slot(self.stopping))
            yield

    def run(
        self,
        argv: Sequence[str],
        *,
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        output: Path | None = None,
        errors_too: bool = False,
        stdin: Path = Path(os.devnull),
        writable: Sequence[Path] = (),
    ) -> Usage:
        """Run to the end; returns what the process and all it waited for took. Where there are
        `writable` folders it can write below no others, if the kernel has the means.

        Anything but code 0 is `CommandFailed`, an absent program `CommandMissing`, one that
        cannot be started for another reason `StepFailed`.
        """
        with (
            self.slot(),
            self.jobserver.handed() as (descriptors, makeflags),
            log.open("ab") as text,
        ):
            self.raise_if_stopping(what)
            text.write(f"\n$ cd {cwd}\n$ {hidden(' '.join(argv))}\n".encode())
            text.flush()
            environment = {**env, "MAKEFLAGS": makeflags}
            with (
                _opened(output) as out,
                stdin.open("rb") as said,
                self._started(
                    self._confined(argv, writable, what=what, cwd=cwd, env=env, log=log),
                    *(what, cwd, environment, log, out or text),
                    *((out if errors_too and out else text), descriptors, said),
                ) as process,
            ):
                used = _wait(process)
            if process.returncode != 0 and output is not None:
                text.write(_end_of(output))  # many programs name what ails them there
        self.raise_if_stopping(what)
        if process.returncode != 0:
            last = tail(log)
            not_started = f"{argv[0]} {confinement.NOT_STARTED}"
            if process.returncode == confinement.CANNOT_START and not_started in "".join(last[-1:]):
                raise errors.StepFailed(what, "run", last[-1], log)
            raise errors.CommandFailed(what, argv, process.returncode, last, log)
        return used

    def capture(self, argv: Sequence[str], *, what: str, env: Mapping[str, str], log: Path) -> str:
        """Run a short command and return its standard output; errors as in `run`."""
        self.raise_if_stopping(what)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as text:
            text.write(f"\n$ {hidden(' '.join(argv))}\n".encode())
            text.flush()
            began = text.tell()
            with self._started(
                argv, what, Path("/"), env, log, subprocess.PIPE, text, ()
            ) as process:
                out, _ = process.communicate()
        self.raise_if_stopping(what)
        if process.returncode != 0:
            said = _end_of(log, began).decode(errors="replace").splitlines()[-TAIL:]
            raise errors.CommandFailed(what, argv, process.returncode, said, log)
        return out.decode(errors="replace")

    @contextmanager
    def server(
        self,
        argv: Sequence[str],
        *,
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        output: Path | None = None,
        writable: Sequence[Path] = (),
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process that runs while the caller talks to it; ended on the way out. `writable` as in
        `run`."""
        self.raise_if_stopping(what)
        with log.open("ab") as text, _opened(output) as out:
            text.write(f"\n$ {hidden(' '.join(argv))} &\n".encode())
            text.flush()
            confined = self._confined(argv, writable, what=what, cwd=cwd, env=env, log=log)
            with self._started(confined, what, cwd, env, log, out or text, text, ()) as process:
                yield process

    def _confined(
        self,
        argv: Sequence[str],
        writable: Sequence[Path],
        *,
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
    ) -> Sequence[str]:
        """The command line that runs another one with the right to write below these folders."""
        if not writable or not self.confines:
            return argv
        name = argv[0]
        there = (cwd / name).exists() if "/" in name else shutil.which(name, path=env.get("PATH"))
        if not there:  # or it would be missed too late to be told from a program that fails
            raise errors.CommandMissing(what, name, cwd, log)
        return confinement.command([str(folder) for folder in writable], argv)

    @contextmanager
    def _started(
        self,
        argv: Sequence[str],
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        out: int | IO[bytes],
        err: int | IO[bytes],
        descriptors: tuple[int, ...],
        stdin: int | IO[bytes] = subprocess.DEVNULL,
    ) -> Iterator[subprocess.Popen[bytes]]:
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
                pass_fds=descriptors,
                umask=UMASK,
            )
        except FileNotFoundError as error:
            raise errors.CommandMissing(what, argv[0], cwd, log) from error
        except OSError as error:
            why = f"{argv[0]} cannot be started: {error.strerror}"
            raise errors.StepFailed(what, "run", why, log) from error
        self.started = True
        with self._lock:
            self._running.add(process)
        if self.stopping.is_set():  # stop() may have looked before this one was listed
            ending.end_group(process, 0)
        try:
            yield process
        finally:
            ending.end_group(process, ending.GRACE)
            with self._lock:
                self._running.discard(process)

    def raise_if_stopping(self, what: str) -> None:
        """Raise `Interrupted` once the run is to end."""
        if self.stopping.is_set():
            raise errors.Interrupted("the end of the run", [what])

    def stop(self) -> None:
        """End every process with its whole group, politely for a moment, then for good."""
        self.stopping.set()
        with self._lock:
            running = list(self._running)
        for process in running:
            ending.signal_group(process.pid, signal.SIGTERM)
        for process in running:
            ending.end_group(process, ending.GRACE)

    def close(self) -> None:
        """Nothing is started any more."""
        with self._lock:
            if self._jobserver is not None:
                self._jobserver.close()
                self._jobserver = None


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
    else:
        with path.open("wb") as file:
            yield file


def _wait(process: subprocess.Popen[bytes]) -> Usage:
    """Wait for the end; what it took. `Popen.wait` would throw that away."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:  # `stop` in another thread was first to reap it
        process.wait()
        return Usage(cpu_seconds=0.0, memory=0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # A child starts with our own peak (vfork shares our memory until it runs its program): what is
    # not above that says nothing of it.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = usage.ru_maxrss * 1024 if usage.ru_maxrss > own else 0
    return Usage(cpu_seconds=usage.ru_utime + usage.ru_stime, memory=memory)


def tail(log: Path) -> list[str]:
    """The last lines of a log."""
    return _end_of(log).decode(errors="replace").splitlines()[-TAIL:]


def last_said(log: Path) -> str:
    """What the last command of a log said, up to a megabyte."""
    return _end_of(log, most=1_000_000).decode(errors="replace").rpartition("\n$ ")[2]


def _end_of(path: Path, start: int = 0, most: int = 16384) -> bytes:
    with walk.opened(path) as file:  # a program may have put something else in its place
        file.seek(max(start, path.stat().st_size - most))
        return file.read()
