"""What fails when a program is run.

One class for each situation, with its message.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from muslin.errors import PipelineError
from muslin.invocation import spelled


class CommandFailed(PipelineError):
    """A process of a stage ended with something other than 0."""

    def __init__(
        self, stage: str, argv: Sequence[str], code: int, tail: Sequence[str], log: Path
    ) -> None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        lines = "\n".join(f"    {line}" for line in tail)
        super().__init__(
            f"{stage}: a command {how}:\n  {' '.join(argv)}\n"
            f"  its last lines:\n{lines}\n  the whole log: {log}"
        )
        self.code, self.tail = code, tuple(tail)
        self.refuses = code not in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)

    def ends_with(self, remedies: Iterable[str]) -> None:
        """Say in the end what a person can do."""
        self.args = ("\n  ".join((str(self), *remedies)),)


class BeyondLimit(PipelineError):
    """A command took or printed more than it may."""

    def shows(self, tail: Sequence[str]) -> None:
        """Say in the end what it printed last."""
        lines = "\n".join(f"    {line[:200]}" for line in tail)
        self.args = (f"{self}\n  its last lines:\n{lines}",)


class TookTooLong(BeyondLimit):
    """A command did not end in the time that it has, and was ended."""

    def __init__(
        self, stage: str, argv: Sequence[str], seconds: float, more: str, log: Path
    ) -> None:
        super().__init__(
            f"{stage}: a command did not end in {seconds:g} s and was ended:\n"
            f"  {' '.join(argv)}\n  {more} gives it more time\n  the whole log: {log}"
        )


class PrintedTooMuch(BeyondLimit):
    """A command printed more than it may, and was ended if it still ran."""

    def __init__(self, stage: str, argv: Sequence[str], most: int, more: str, log: Path) -> None:
        super().__init__(
            f"{stage}: a command printed more than {most / 1e6:g} MB, which is all it may:\n"
            f"  {' '.join(argv)}\n  {more} gives it more room\n  log: {log}"
        )


class AnswerUnending(PipelineError):
    """A server's answer had no end within the limits of a check."""

    def __init__(self, stage: str, request: str, why: str, more: str, log: Path) -> None:
        super().__init__(
            f"{stage}: {request}: {why}. An answer must have an end: ask for a path that has one\n"
            f"  {more} gives it more\n  log: {log}"
        )


class WroteOutside(PipelineError):
    """A build wanted to write where nothing of it belongs."""

    def __init__(self, stage: str, tail: Sequence[str], hint: str, log: Path) -> None:
        denied = [line.strip() for line in tail if "Permission denied" in line]
        lines = "\n".join(f"    {line}" for line in denied[:5])
        super().__init__(
            f"{stage}: it may write below its own folders alone, and wanted more:\n{lines}\n"
            f"  {hint}\n  the whole log: {log}"
        )


class SaidNo(PipelineError):
    """A program that looks at a product found it wrong, and said why."""

    refuses = True

    def __init__(self, stage: str, why: Sequence[str], log: Path) -> None:
        lines = "\n".join(f"  {line}" for line in why)
        super().__init__(f"{stage}:\n{lines}\n  all of it: {log}")
        self.log = log


class IllegalInstruction(PipelineError):
    """A program met an instruction that the processor it is for lacks."""

    refuses = True

    def __init__(self, stage: str, argv: Sequence[str], remedy: str, log: Path) -> None:
        super().__init__(
            f"{stage}: died of SIGILL: it has an instruction that its processor lacks:\n"
            f"  {' '.join(argv)}\n  which one: {remedy}\n  the whole log: {log}"
        )


class Crashed(PipelineError):
    """A program touched memory that it does not have."""

    refuses = True

    def __init__(self, stage: str, argv: Sequence[str], log: Path) -> None:
        super().__init__(
            f"{stage}: died of SIGSEGV:\n  {' '.join(argv)}\n"
            "  If it is well elsewhere, it may be a thread's stack: musl's has 128 KiB where the "
            "program asks for nothing, glibc's 8 MiB. `stack = 1048576` in service.toml gives each "
            f"1 MiB\n  the whole log: {log}"
        )


class CommandMissing(PipelineError):
    """A program that a step wants to start is not there."""

    def __init__(self, stage: str, program: str, cwd: Path, log: Path) -> None:
        what = f"{stage}: the program {program!r} cannot be started: it is not there"
        if "/" in program:  # of what was unpacked or built
            there = sorted(path.name for path in cwd.iterdir()) if cwd.is_dir() else []
            shown = ", ".join(there[:12]) + (", …" if there[12:] else "")
            remedy = f"\n  {cwd} holds {shown or 'nothing'}"
        else:
            remedy = f". `{spelled('doctor')}` says what is missing and how to get it"
        super().__init__(f"{what}{remedy}\n  log: {log}")


class LeftoverAlive(PipelineError):
    """A process that something left behind does not end, and may still write."""

    def __init__(self, left_by: str, processes: Sequence[int]) -> None:
        numbers = ", ".join(map(str, processes))
        super().__init__(
            f"process {numbers} of {left_by} does not end when it is killed, and may still write. "
            "`ps` says what it waits for; end it, or restart the machine, and run the same command "
            "again"
        )


class Interrupted(PipelineError):
    """Ctrl-C or SIGTERM; every process was ended and finished stages stay finished."""

    def __init__(self, signal_name: str, stages: Sequence[str]) -> None:
        at = f" while building {', '.join(stages)}" if stages else ""
        rest = "what was finished is found by the next run, what was begun is begun anew"
        super().__init__(f"stopped by {signal_name}{at}; {rest}")


class NoWayIn(PipelineError):
    """No means of this machine leads into the host root."""

    def __init__(self) -> None:
        super().__init__(
            "the host root cannot be entered: there is no bubblewrap (bwrap), user namespaces are "
            "forbidden, and only root may use chroot.\n"
            "  On Ubuntu `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` allows "
            "user namespaces. MUSLIN_HOST=native uses this machine's own gcc, make and perl"
        )
