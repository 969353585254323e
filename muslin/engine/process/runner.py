"""The programs of a run, and their end.

Each gets a session of its own (Ctrl-C reaches Muslin, which ends the program), standard input
closed, output in a log file, exactly the environment that was declared, and limits: of its time, of
what it prints, and of its log.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from muslin.engine import errors as engine_errors
from muslin.engine.process import errors as process_errors
from muslin.engine.process import landlock, logs, termination
from muslin.engine.process.host_root import HostRoot, Seal
from muslin.engine.process.limits import Allowance, Fault, Limits
from muslin.engine.process.slots import Slots
from muslin.engine.process.supervisor import Process, Usage
from muslin.engine.redaction import hidden

HOST_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""Where the host's own programs are looked for, whatever the user's PATH says."""

BASE_ENVIRONMENT: Mapping[str, str] = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01: the earliest date that zip can hold
    "HOME": "/nonexistent",
}
NETWORK_VARIABLES = (
    *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"),
)
"""What a fetching step inherits from the user, and no other step."""
NETWORK_PREFIXES = ("CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_")


def network_environment() -> dict[str, str]:
    """The user's proxy, CA and registry variables."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in NETWORK_VARIABLES or name.startswith(NETWORK_PREFIXES)
    }


# Long: every way to start a process, and the end of all of them.
class Runner(Slots):
    """Starts processes and can end all of them at once."""

    def __init__(self, jobs: int, limits: Limits | None = None) -> None:
        super().__init__(jobs)
        self.limits = limits or Limits()
        self.confines = landlock.abi() >= landlock.LEAST_ABI
        """Whether this kernel can confine what is started."""
        self.root: HostRoot | None = None
        """Where programs with a seal run; on the machine itself if there is none."""
        self.started = False
        """Whether anything was started."""
        self._running: set[Process] = set()

    # Long: what a process is given, in one place.
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
        seal: Seal | None = None,
        allowance: Allowance | None = None,
    ) -> Usage:
        """Run to the end; returns what the process and all it waited for took. With a
        `seal` it sees and writes what that says: in the host root, where there is one; on the
        machine itself it cannot write elsewhere, if the kernel has the means.

        Anything but code 0 is `CommandFailed`, an absent program `CommandMissing`, one that
        cannot be started for another reason `StepFailed`, one beyond its allowance, a build's where
        there is none, `TookTooLong` or `PrintedTooMuch`.
        """
        with (
            self.slot(),
            self.jobserver.handed() as (descriptors, makeflags),
            log.open("ab") as text,
        ):
            self.raise_if_stopping(what)
            text.write(f"\n$ cd {cwd}\n$ {hidden(' '.join(argv))}\n".encode())
            text.flush()
            with (
                logs.opened(output) as out,
                stdin.open("rb") as said,
                self._started(
                    self._launched(argv, seal, what=what, cwd=cwd, env=env, log=log),
                    what=what,
                    cwd=cwd,
                    env=self._inside({**env, "MAKEFLAGS": makeflags}, seal),
                    log=log,
                    out=out or text,
                    err=out if errors_too and out else text,
                    fault=self.limits.fault(argv, what, text, out, allowance),
                    descriptors=descriptors,
                    stdin=said,
                ) as process,
            ):
                code = process.wait()
            if (code != 0 or process.fault) and output is not None:
                text.write(logs.for_people(output))  # many programs name what ails them there
        self._insist_on_a_good_end(process, argv, what, log)
        return process.usage

    def _insist_on_a_good_end(
        self, process: Process, argv: Sequence[str], what: str, log: Path, began: int = 0
    ) -> None:
        self.raise_if_stopping(what)
        if process.fault is not None:
            process.fault.shows(logs.tail(log, began))
            raise process.fault
        code = process.poll()
        if code:
            last = logs.tail(log, began)
            not_started = f"{argv[0]} {landlock.NOT_STARTED}"
            if code == landlock.CANNOT_START and not_started in "".join(last[-1:]):
                raise engine_errors.StepFailed(what, "run", last[-1], log)
            raise process_errors.CommandFailed(what, argv, code, last, log)

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
        seal: Seal | None = None,
        printed: int = 0,
    ) -> Iterator[Process]:
        """A process that runs while the caller talks to it; ended on the way out. `seal` as in
        `run`, `printed` bytes are what `output` may have, 0 for what every check allows; how long
        it runs is the caller's affair.

        Raises `PrintedTooMuch` on the way out, whatever came of it.
        """
        self.raise_if_stopping(what)
        allowance = dataclasses.replace(self.limits.check(printed=printed), seconds=math.inf)
        with log.open("ab") as text, logs.opened(output) as out:
            text.write(f"\n$ {hidden(' '.join(argv))} &\n".encode())
            text.flush()
            started = self._started(
                self._launched(argv, seal, what=what, cwd=cwd, env=env, log=log),
                what=what,
                cwd=cwd,
                env=self._inside(env, seal),
                log=log,
                out=out or text,
                err=text,
                fault=self.limits.fault(argv, what, text, out, allowance),
            )
            process = None
            try:
                with started as process:
                    yield process
            finally:
                if process is not None and process.fault is not None:
                    self._insist_on_a_good_end(process, argv, what, log)

    def _launched(
        self,
        argv: Sequence[str],
        seal: Seal | None,
        *,
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
    ) -> Sequence[str]:
        """The command line that runs another one within a seal, or without bounds."""
        name, root = argv[0], self._root_for(seal)
        if root is not None and seal is not None:
            if not root.has(name, cwd, env):
                raise process_errors.CommandMissing(what, name, cwd, log)
            return root.command(argv, seal, cwd=cwd, confined=self.confines)
        there = (cwd / name).exists() if "/" in name else shutil.which(name, path=env.get("PATH"))
        if not there:  # or it would be missed too late to be told from a program that fails
            raise process_errors.CommandMissing(what, name, cwd, log)
        folders = seal.writable if self.confines and seal is not None else ()
        return landlock.command([str(folder) for folder in folders], argv)

    def _root_for(self, seal: Seal | None) -> HostRoot | None:
        return None if seal is None or seal.native else self.root

    def _inside(self, env: Mapping[str, str], seal: Seal | None) -> Mapping[str, str]:
        root = self._root_for(seal)
        return env if root is None else root.environment(env)

    def works(self, argv: Sequence[str]) -> bool:
        """Whether a short command of the machine's own ends well; nothing of it is shown."""
        if shutil.which(argv[0], path=HOST_PATH) is None and not Path(argv[0]).is_file():
            return False
        with tempfile.TemporaryDirectory() as folder:
            env = {**BASE_ENVIRONMENT, "PATH": HOST_PATH}
            try:
                self.run(
                    argv,
                    what=argv[0],
                    cwd=Path(folder),
                    env=env,
                    log=Path(folder, "log"),
                    allowance=self.limits.check(),
                )
            except (process_errors.CommandFailed, process_errors.BeyondLimit):
                return False
        return True

    # Long: what a process is given, in one place.
    @contextmanager
    def _started(
        self,
        argv: Sequence[str],
        *,
        what: str,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        out: IO[bytes],
        err: IO[bytes],
        fault: Fault,
        descriptors: tuple[int, ...] = (),
        stdin: IO[bytes] | None = None,
    ) -> Iterator[Process]:
        try:
            process = Process(
                argv,
                what=what,
                cwd=cwd,
                env=env,
                stdin=stdin,
                out=out,
                err=err,
                descriptors=descriptors,
            )
        except FileNotFoundError as error:
            raise process_errors.CommandMissing(what, argv[0], cwd, log) from error
        except OSError as error:
            why = f"{argv[0]} cannot be started: {error.strerror}"
            raise engine_errors.StepFailed(what, "run", why, log) from error
        self.started = True
        try:
            with self._lock:
                self._running.add(process)
            if self.stopping.is_set():  # stop() may have looked before this one was listed
                process.end(0)
            process.watch(fault)
            yield process
        finally:
            process.end(termination.GRACE)
            with self._lock:
                self._running.discard(process)
            process.fault = process.fault or fault(runs=False)

    def raise_if_stopping(self, what: str) -> None:
        """Raise `Interrupted` once the run is to end."""
        if self.stopping.is_set():
            raise process_errors.Interrupted("the end of the run", [what])

    def stop(self) -> None:
        """End every process with what came of it, politely for a moment, then for good."""
        self.stopping.set()
        with self._lock:
            running = list(self._running)
        for process in running:
            process.signal(signal.SIGTERM, group=True)
        deadline = time.monotonic() + termination.GRACE
        for process in running:
            process.wait(deadline - time.monotonic())
            process.kill()  # its caller may be waiting for an answer of what it left
