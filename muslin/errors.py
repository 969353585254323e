"""Every situation in which a person reads a message of ours, one class each.

A class takes the facts and writes the text: what happened, to what, what to do next.
A traceback means a bug of Muslin's own.
"""

from __future__ import annotations

import difflib
import errno
import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LONGEST = 1200
"""Letters of a line in a message."""


def shown(text: str) -> str:
    """A line as it is shown: names and texts of others may be long, and bytes of no letter."""
    if len(text) > LONGEST:
        left_out = len(text) - LONGEST
        text = f"{text[: LONGEST // 2]}… ({left_out} letters more) …{text[-LONGEST // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


class PipelineError(Exception):
    """Base of everything a person can meet; its text is complete as it stands."""

    refuses = False
    """Whether it says that the product of a stage is bad."""

    def __init__(self, text: str) -> None:
        super().__init__("\n".join(map(shown, text.split("\n"))))


class BadDeclaration(PipelineError):
    """A TOML file says something that its schema refuses; all faults of the file at once."""

    def __init__(self, path: Path, faults: Sequence[str]) -> None:
        listing = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{path}: {len(faults)} fault(s), nothing was built:\n{listing}")
        self.path, self.faults = path, tuple(faults)


class BadVariable(PipelineError):
    """An environment variable of ours holds something that makes no sense."""

    def __init__(self, name: str, said: str, wanted: str) -> None:
        super().__init__(f"{name} is {said!r}; it should be {wanted}, or unset")


class Unknown(PipelineError):
    """A name on the command line or in a declaration that nothing answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(set(known))
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        listing = ", ".join(names) or f"no {kind} at all"
        super().__init__(f"there is no {kind} {name!r}.{hint}\n  There is: {listing}")


class NoSuchTarget(PipelineError):
    """A word stands where a target's name should, and none is called so."""

    def __init__(self, word: str, *, meant: Sequence[str], known: Sequence[str], what: str) -> None:
        near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
        hint = " or ".join(meant or near)
        asks = f" Did you mean {hint}?" if hint else ""
        super().__init__(f"there is no target {word!r}{what}.{asks}\n  Targets: {', '.join(known)}")


class NoService(Unknown):
    """A service is asked for that no declared folder holds."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("service", name, known)
        self.args = (f"{self}\n  A folder of your own goes into `services` in pyproject.toml",)


class WrongUse(PipelineError):
    """The words of a command line do not fit the session's options."""

    def __init__(self, session: str, fault: str) -> None:
        super().__init__(f"{session}: {fault}. `nox -s {session} -- --help` shows its options")


class NoTarget(PipelineError):
    """A session that works for one target was given none."""

    def __init__(self, session: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            f"{session} wants a target first, one of {names}: "
            f"`nox -s {session} -- armv6 build --release`"
        )


class BadSize(PipelineError):
    """A word on the command line should be a size and is none."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{said!r} is no size: a whole number with MB, GB or TB, such as 10GB")


class UnknownPlaceholder(PipelineError):
    """A step names a `${placeholder}` that its stage does not have."""

    def __init__(self, stage: str, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"{stage}: unknown placeholder ${{{name}}}; this stage has "
            + ", ".join(f"${{{known_name}}}" for known_name in sorted(known))
        )


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


class FixesLacking(PipelineError):
    """The archive has fixes that a build lacks."""

    def __init__(self, summary: str) -> None:
        super().__init__(
            f"{summary}. `nox -s update` moves the pins; what cannot move goes into "
            "recipes/pins/advisories.toml with its reason"
        )


class NotAsked(PipelineError):
    """A question without the network, in a cache that was never told the answer."""

    def __init__(self, components: Sequence[str]) -> None:
        super().__init__(
            f"this cache does not know the archive's changelogs of {', '.join(components)} yet: "
            "run `nox -s advisories` once with the network"
        )


class NoAdvisories(PipelineError):
    """The archive whose changelogs say which fixes there are cannot be asked from here."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"advisories come from the Debian archive's changelogs: {why}. Run `nox -s advisories` "
            "on a Debian host or in a container of debian:13, for any source set"
        )


class NoRecord(PipelineError):
    """A pin of the upstream set is to move, and nothing here states a newer release's digest."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the archive is no record of releases of {name!r}, only of {', '.join(known)}: write "
            "the new version, digest and size into recipes/pins/upstream.toml by hand, from two "
            "public records"
        )


class NotReproduced(PipelineError):
    """A stage's second build gave another product than the first."""

    def __init__(self, stages: Sequence[str], place: Path) -> None:
        super().__init__(
            f"{len(stages)} stage(s) built twice differ: {', '.join(stages)}. The second build is "
            f"kept in {place}/store; diffoscope shows what differs in a file"
        )


class NotAsRecorded(PipelineError):
    """A stage gave another product here than where its digest was recorded."""

    def __init__(self, stages: Sequence[str], record: Path) -> None:
        super().__init__(
            f"{len(stages)} stage(s) differ from what {record} records for the same key: "
            f"{', '.join(stages)}. `nox -s reproduce -- --stages {','.join(stages)}` builds them "
            "again: if they are equal, this machine differs from the recording one; if not, the "
            "recipe depends on chance"
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
            remedy = ". `nox -s doctor` says what is missing and how to get it"
        super().__init__(f"{what}{remedy}\n  log: {log}")


class StepFailed(PipelineError):
    """A step that is not a command could not do its work."""

    def __init__(self, stage: str, step: str, why: str, log: Path) -> None:
        super().__init__(
            f"{stage}: {step}: {why}\n  log: {log}\n  The step is in the stage's recipe, recipes/"
        )


class Unfit(PipelineError):
    """Something in a folder cannot be worked with, whoever put it there."""


class NotAFile(Unfit):
    """Something is no file and would be opened as one."""

    def __init__(self, path: str | Path, kind: str) -> None:
        super().__init__(
            f"{path} is a {kind} and no file, so it is not opened: who reads it may wait for ever. "
            "If a build leaves it, let that remove it in the end; files, folders and links may stay"
        )


class TooDeep(Unfit):
    """Folders lie in folders without an end."""

    def __init__(self, root: Path, path: str, deepest: int, longest: int) -> None:
        below = os.path.relpath(path, root)
        super().__init__(
            f"{root} has a folder that lies too deep: {below}. {deepest} folders in folders and "
            f"{longest} bytes of a path are the most: remove it, or what makes it"
        )


class LeadsOut(Unfit):
    """A link leads a stage to write where nothing of it belongs."""

    def __init__(self, path: Path, place: Path) -> None:
        super().__init__(
            f"{path} leads to {place}, which is not the stage's own, and nothing is written there. "
            "A link that its build made is on the way"
        )


class LinkedInCircles(Unfit):
    """Links lead from folder to folder, and there are more ways through them than can be gone."""

    def __init__(self, root: Path, links: Sequence[str]) -> None:
        listing = "\n".join(f"    {one} -> {Path(one).readlink()}" for one in links)
        super().__init__(
            f"links to folders lead from one to another below {root}, and each is a folder there. "
            f"{len(links)} on one path are too many:\n{listing}\n  Remove one of them"
        )


class TooLarge(Unfit):
    """A file or a folder has more bytes than can be sound."""

    def __init__(self, path: str | Path, at_most: int, remedy: str = "") -> None:
        super().__init__(f"{path} has more than {at_most} bytes, which are the most here{remedy}")


class LeftUnfit(PipelineError):
    """A stage met something that cannot be worked with."""

    def __init__(self, stage: str, error: Unfit, log: Path) -> None:
        super().__init__(f"{stage}: {error}\n  log: {log}")


class LeftOdd(PipelineError):
    """The system refuses what a step does with a file that the stage's own build left."""

    def __init__(self, stage: str, error: OSError, log: Path) -> None:
        super().__init__(
            f"{stage}: {error.filename}: {error.strerror}. What the build left there is not what "
            f"the next step works with\n  log: {log}"
        )

    @staticmethod
    def is_meant_by(error: OSError, work: Path) -> bool:
        """Whether it is no fault of the disk or of rights, and of a file in the work folder."""
        known = DiskFull.is_meant_by(error) or NotWritable.is_meant_by(error)
        return not known and str(error.filename).startswith(f"{work}/")


class CheckFailed(PipelineError):
    """A stage's product is not what the stage promises; nothing uses it."""

    refuses = True

    def __init__(self, stage: str, what: str, findings: Sequence[str], log: Path) -> None:
        shown = "\n".join(f"    {finding}" for finding in findings[:10])
        more = f"\n    … and {len(findings) - 10} more" if len(findings) > 10 else ""
        super().__init__(
            f"{stage}: check failed: {what}\n{shown}{more}\n  log: {log}\n"
            "  Nothing uses what was built. Fix the recipe, the service or the check; the same "
            "command then builds it again, or only checks it again if the check has changed"
        )


class SeveralFailed(PipelineError):
    """Stages failed in a run that went on without them."""

    def __init__(self, faults: Sequence[tuple[Exception, Sequence[str]]]) -> None:
        parts = [
            f"{error}" + (f"\n  not built for that: {', '.join(names)}" if names else "")
            for error, names in faults
        ]
        rest = "all that does not depend on it was finished; images of several platforms wait"
        super().__init__("\n".join((*parts, f"{len(faults)} stage(s) failed; {rest}")))


class BoardFailed(PipelineError):
    """A service did not come up on an emulated board, or not as its declaration says."""

    def __init__(self, subject: str, why: str, console: Sequence[str], log: Path) -> None:
        shown = "\n".join(f"    {line}" for line in console)
        super().__init__(
            f"{subject}: {why}. The console's last lines:\n{shown}\n  log: {log}\n"
            "  What is looked for is in [[run]] and [[serve]] of the service's service.toml"
        )


class NoBoard(PipelineError):
    """A boot was asked for where no board is declared for any of the targets."""

    def __init__(self, targets: Iterable[str], known: Mapping[str, Sequence[str]]) -> None:
        there = "; ".join(f"{name} runs {', '.join(of)}" for name, of in known.items())
        super().__init__(
            f"no board is declared for {' or '.join(targets)}: {there}. "
            "One file in boards/ declares another"
        )


class NameTaken(PipelineError):
    """A service is called as a stage of the pipeline is, or as another service's stage."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"two different stages are called {name}. Rename the service of that name: it is taken "
            "by a part of the pipeline, or is another service's with a target's name behind it"
        )


class DiskFull(PipelineError):
    """The disk has no room left, or the user's share of it is used up."""

    NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

    def __init__(self, path: str | Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror}. Finished stages stay finished.\n"
            "  `nox -s gc -- 5GB` shrinks the cache, MUSLIN_CACHE moves it; "
            "then run the same command again: it goes on where this one stopped"
        )

    @classmethod
    def is_meant_by(cls, error: OSError) -> bool:
        """Whether the system said so with this error."""
        return error.errno in cls.NUMBERS

    @classmethod
    def stated_in(cls, lines: Iterable[str]) -> OSError | None:
        """The error of the system that a program quoted when it failed because of a full disk."""
        lines = tuple(lines)
        for number in cls.NUMBERS:
            if any(os.strerror(number) in line for line in lines):
                return OSError(number, os.strerror(number))
        return None


class DiskTooSmall(PipelineError):
    """What is to be built will not fit, so it is not begun."""

    def __init__(self, path: Path, *, free: int, needed: int) -> None:
        super().__init__(
            f"{path} has {_gigabytes(free)} GB free, and what is to be built takes about "
            f"{_gigabytes(needed)} GB.\n"
            "  `nox -s gc -- 5GB` shrinks the cache, MUSLIN_CACHE moves it; "
            "MUSLIN_JOBS=1 builds one thing at a time, which takes less"
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


class ReadOnlyCheckout(PipelineError):
    """Artefacts are asked for where this user may put none."""

    def __init__(self, dist: Path) -> None:
        super().__init__(
            f"{dist} cannot be written, and that is where programs and images go: call nox in a "
            "checkout of your own. The sessions plan, fetch, toolchain, openssl, rust-std and "
            "services write to the cache alone and work here"
        )


class InTheWay(PipelineError):
    """Something else lies where an artefact or a folder of them goes."""

    def __init__(self, path: Path, kind: str, wanted: str) -> None:
        super().__init__(
            f"{path} is {kind}, and {wanted} goes there: move or remove it, and run the same "
            "command again. Nothing was built"
        )


class NotWritable(PipelineError):
    """A file of the cache or of `dist/` belongs to somebody else, or its disk is read-only."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(
            f"{path}: {error.strerror}. A run as another user, such as root, leaves files that "
            "only that user may change: give them to yourself with chown, remove them, or set "
            "MUSLIN_CACHE to another folder"
        )

    @staticmethod
    def is_meant_by(error: OSError) -> bool:
        """Whether the system said so with this error."""
        return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)


class UnreadableSource(PipelineError):
    """A file that something is built from cannot be read."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} is among what is built and cannot be read: {error.strerror}. Make it "
            "readable for this user, or move it out of the project's folder"
        )


class SourceChanged(PipelineError):
    """A file of the project's own was edited or removed after the run had begun."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was changed while this run was under way, so what it would build is not what "
            "it said it would. Run the same command again; what is finished is found"
        )


class NeedLost(PipelineError):
    """A finished stage went missing, or was damaged, while another was about to use it."""

    def __init__(self, stage: str) -> None:
        super().__init__(
            f"{stage} was in the cache when this run began and is whole no more. "
            "Run the same command again: it will be built anew"
        )


class HostProgramMissing(PipelineError):
    """The host lacks programs that the pipeline cannot bring along."""

    def __init__(self, missing: Sequence[str], remedy: str) -> None:
        super().__init__(f"this machine lacks {', '.join(missing)}. To mend it:\n  {remedy}")


class CargoCannot(PipelineError):
    """A subcommand of cargo that would not do for a target what it does for this machine."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__(f"`cargo {command}` for a target: {why}")


class CargoConfiguration(PipelineError):
    """A configuration that cargo obeys wherever it runs, so that builds would not be ours."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"cargo obeys {path} in every folder of this machine, and what it says could change "
            "programs without a trace. If it is your own (HOME is /), move its folder elsewhere "
            "and set CARGO_HOME to that place: registries and proxies in it stay in force"
        )


class CacheUnusable(PipelineError):
    """The cache folder cannot be used as it is."""

    def __init__(self, path: Path, why: str, hint: str = "") -> None:
        super().__init__(
            f"the cache folder {str(path)!r} cannot be used: {why}.\n"
            "  Set MUSLIN_CACHE to a new folder, or one of Muslin's, that can be written, with "
            f"nothing but letters, digits and . _ - in its path. {hint}".rstrip()
        )


class SeveralFileSystems(PipelineError):
    """A folder of the cache is mounted from elsewhere, and nothing can be renamed out of it."""

    def __init__(self, folder: Path, store: Path) -> None:
        super().__init__(
            f"{folder} and {store} lie on different file systems, and a finished stage is renamed "
            "from one into the other. Unmount it, or remove the link, so that both lie in one "
            "file system; MUSLIN_CACHE moves the whole cache to a larger disk"
        )


class CacheDamaged(PipelineError):
    """A file or folder of the cache is not what Muslin put there, and cannot be replaced by it."""

    def __init__(self, path: str | Path, why: str) -> None:
        self.fault = f"{path} is damaged: {why}"
        super().__init__(
            f"{self.fault}. Remove it and run the same command again: what the cache lacks is "
            "downloaded or built again"
        )


class LeftoverAlive(PipelineError):
    """A process that something left behind does not end, and may still write."""

    def __init__(self, left_by: str, processes: Sequence[int]) -> None:
        numbers = ", ".join(map(str, processes))
        super().__init__(
            f"process {numbers} of {left_by} does not end when it is killed, and may still write. "
            "`ps` says what it waits for; end it, or restart the machine, and run the same command "
            "again"
        )


class CacheInUse(PipelineError):
    """Something wants the cache for itself while a run uses it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"another run is using the cache {path}; nothing was removed. Try again when it ended."
        )


class Interrupted(PipelineError):
    """Ctrl-C or SIGTERM; every process was ended and finished stages stay finished."""

    def __init__(self, signal_name: str, stages: Sequence[str]) -> None:
        at = f" while building {', '.join(stages)}" if stages else ""
        rest = "what was finished is found by the next run, what was begun is begun anew"
        super().__init__(f"stopped by {signal_name}{at}; {rest}")


class WrongDigest(PipelineError):
    """A download is complete and is not the file that was pinned."""

    def __init__(self, name: str, origin: str, wanted: str, got: str, kept: Path) -> None:
        super().__init__(
            f"{name} from {origin} is not the file that is pinned.\n"
            f"  pinned SHA-256: {wanted}\n  received:       {got}\n"
            f"  The received file was kept for a look at {kept}.\n"
            "  Do not build with it: compare both with what the project itself announces. "
            "MUSLIN_MIRROR names another server; a pin that is wrong is in recipes/pins/"
        )


class WrongSize(PipelineError):
    """A download has another length than its pin."""

    def __init__(self, name: str, origin: str, wanted: int, got: int) -> None:
        amount = f"more than {wanted}" if got > wanted else f"only {got}"
        super().__init__(
            f"{name} from {origin} has {amount} bytes where {wanted} are pinned; "
            "none of it was kept. MUSLIN_MIRROR names another server; "
            "a pin that is wrong is in recipes/pins/"
        )


class DownloadTooLarge(PipelineError):
    """A download exceeds the limit for a pin without a size."""

    def __init__(self, name: str, origin: str, most: int) -> None:
        super().__init__(
            f"{name} from {origin} has more than {most} bytes, the limit for a pin without a size; "
            "none of it was kept. Add `size` to its pin in recipes/pins/upstream.toml"
        )


class NotTheFile(PipelineError):
    """A server answered with a page for people instead of the file."""

    def __init__(self, name: str, origin: str) -> None:
        super().__init__(
            f"{origin} answered with an HTML page instead of {name}, as servers do that want a "
            "login or have lost the file; open the address in a browser to see"
        )


class TooSlow(PipelineError):
    """A download went on for longer than a working server takes."""

    def __init__(self, name: str, origin: str, received: int, seconds: float) -> None:
        super().__init__(
            f"{name} from {origin}: only {received} bytes received in {seconds:.0f} s; "
            "they are kept, and the next attempt continues there"
        )


class ServerFailed(PipelineError):
    """A server did not send the file."""

    def __init__(self, name: str, origin: str, why: str) -> None:
        super().__init__(f"{name} from {origin}: the server {why}; MUSLIN_MIRROR names another one")


class UnsafeAddress(PipelineError):
    """An address that is neither HTTPS nor this machine's own."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address} is not fetched: only https, or http on loopback. It stands in "
            "MUSLIN_MIRROR or in recipes/pins/upstream.toml"
        )


class NoNetwork(PipelineError):
    """None of a source's origins could be reached."""

    def __init__(self, name: str, attempts: Sequence[str]) -> None:
        tried = "\n".join(f"    {attempt}" for attempt in attempts)
        super().__init__(
            f"{name} could not be fetched:\n{tried}\n"
            "  Is this machine on the network, and are its proxy settings right? "
            "What was fetched before is kept; run the same command again."
        )


class ArchiveUnusable(PipelineError):
    """The Debian archive cannot be asked through this machine's apt."""

    def __init__(self, why: str, detail: str = "") -> None:
        more = "".join(f"\n    {line}" for line in detail.splitlines()[-8:])
        super().__init__(f"this machine's apt cannot be used: {why}{more}")


class ArchiveUnreachable(PipelineError):
    """apt could not fetch the archive's indexes."""

    def __init__(self, suite: str, detail: str) -> None:
        lines = "".join(f"\n    {line}" for line in detail.splitlines()[-8:])
        super().__init__(
            f"the indexes of the Debian archive ({suite}) could not be fetched:{lines}\n"
            "  Is this machine on the network, and does `apt-get update` work on it? "
            "What was fetched before is kept; run the same command again."
        )


class NotPinned(PipelineError):
    """A recipe is there and what it builds is not pinned."""

    def __init__(self, component: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(component, list(known), n=1)
        hint = f" (there is {near[0]})" if near else ""
        super().__init__(
            f"recipes/pins/ has no pin {component!r}{hint}. "
            f"`nox -s update -- {component}` makes one of the Debian source package of that name, "
            "in debian.toml. Where the package is called otherwise (`apt-cache showsrc` says it), "
            f"take its name there, and make [pins.{component}] of the table afterwards; its "
            "`package` stays. In upstream.toml one is written by hand (MUSLIN_SOURCES=debian does "
            "without)"
        )


class DriverWantsUpstream(PipelineError):
    """A driver is asked for that builds from another source set than the run's."""

    def __init__(self, driver: str, sources: str) -> None:
        super().__init__(
            f"the driver {driver} builds from the upstream set, and this run's is {sources}: "
            f"-- --sources upstream --driver {driver}"
        )


class NoSourceSet(PipelineError):
    """The source set that was proven cannot be used on this machine."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"no source set: {why}. No complete build from the `upstream` set is on record yet, so "
            "it is taken only where it is chosen"
        )


class NotImported(PipelineError):
    """A config.mak of musl-cross-make gives no target."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path}: {why}. A target file can be written by hand: the README's section on adding "
            "a target says what each key means"
        )


class NothingToVerify(PipelineError):
    """The session verify was not told what to look at, and for which target."""

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(
            "verify wants a file and one target: `nox -s verify -- --file path/to/program armv6`. "
            f"Targets: {', '.join(known)}"
        )


class NotAudited(PipelineError):
    """A file that cannot be looked into."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} cannot be verified: {why}. "
            "docs/verify.md says what can be, and what to do about a stripped file"
        )


class NoSuchFile(PipelineError):
    """A file is named and is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"there is no {path}; a path starts where `nox` is called, unless it begins with /"
        )


class DoesNotFit(PipelineError):
    """A binary claims or contains more than its target's processors have."""

    def __init__(self, path: Path, target: str, findings: int) -> None:
        super().__init__(
            f"{path} does not fit {target}: {findings} finding(s), listed above. "
            "docs/verify.md says how to read them, and what can be allowed and how"
        )


class TooManyCaches(PipelineError):
    """GitLab's job for the joint images cannot have the caches of all targets."""

    def __init__(self, targets: Sequence[str], most: int) -> None:
        super().__init__(
            f"GitLab restores {most} caches in a job, and there are {len(targets)} targets: "
            f"{', '.join(targets)}. Name {most} of them: nox -s ci -- gitlab "
            f"{' '.join(targets[:most])}"
        )


class SharedTriple(PipelineError):
    """A Rust triple on the command line stands for more than one target."""

    def __init__(self, triple: str, targets: Sequence[str]) -> None:
        super().__init__(f"{triple} is the triple of {' and of '.join(targets)}; say which by name")


class TargetThere(PipelineError):
    """What was imported has the name or the triple of a target that is there."""

    def __init__(self, name: str, what: str, text: str) -> None:
        shown = "".join(f"    {line}\n" for line in text.splitlines())
        remedy = {
            "name": "Another name: nox -s import -- config.mak NAME",
            "triple": "Two targets cannot share a triple: take that one, or change one of the two, "
            "such as armv6-linux-musleabihf beside arm-linux-musleabihf",
        }[what]
        super().__init__(
            f"toolchains/{name}.toml has that {what} already; nothing was written. What it would "
            f"have been, to compare:\n{shown}  {remedy}"
        )


class NoRust(PipelineError):
    """The pinned release of Rust has no compiler for this machine."""

    def __init__(self, version: str, machine: str, there: Iterable[str]) -> None:
        known = ", ".join(sorted(one for one in there if one))
        super().__init__(
            f"recipes/pins/upstream.toml has Rust {version} for {known}, and none for {machine}. "
            "Add its rustc, cargo and rust-std to [[rust.files]], or choose another source set: "
            "MUSLIN_SOURCES=debian"
        )


class NoSourcePackage(PipelineError):
    """A new pin is asked for and the archive knows no such package."""

    def __init__(self, name: str, suite: str) -> None:
        super().__init__(
            f"the Debian archive ({suite}) has no source package {name!r}; "
            "`apt-cache showsrc` on a Debian machine finds the source of a package"
        )


class NotInArchive(PipelineError):
    """The archive has neither the pinned version nor another of its series."""

    def __init__(self, package: str, version: str, series: str, there: Sequence[str]) -> None:
        super().__init__(
            f"the Debian archive has no {package} {version} any more, nor another {series}; "
            f"it has {', '.join(there) or 'no version of it'}.\n"
            "  An older version than the pinned one is not taken: it would lack fixes. `git pull` "
            "for newer pins, take up the new series in recipes/pins/, or ask another mirror."
        )


class NoPatches(PipelineError):
    """A source package keeps its patches in no archive of their own."""

    def __init__(self, package: str, version: str) -> None:
        super().__init__(
            f"{package} {version} has no .debian.tar: its patches cannot be taken from it"
        )


class LeftArchive(PipelineError):
    """A pinned version went away between the look at the archive and the download."""

    def __init__(self, package: str, version: str) -> None:
        super().__init__(
            f"{package} {version} is not in the Debian archive any more. Run the same command "
            "again: it asks the archive what there is instead"
        )


class UnsafeArchive(PipelineError):
    """An archive wants to write outside the folder it is unpacked into."""

    def __init__(self, archive: Path, member: str, why: str) -> None:
        super().__init__(
            f"{archive.name} was not unpacked: its member {member!r} {why}. "
            "A sound source archive has no such member; do not trust this one."
        )


class BrokenArchive(PipelineError):
    """An archive cannot be read to its end."""

    def __init__(self, archive: Path, why: str) -> None:
        super().__init__(f"{archive.name} cannot be unpacked: {why}")


@contextmanager
def explained(cache: Path) -> Iterator[None]:
    """Raise a `PipelineError` for what the system says of files of the cache, and wherever the
    disk is full or somebody else's."""
    try:
        yield
    except OSError as error:
        path = error.filename if isinstance(error.filename, str | Path) else None
        if DiskFull.is_meant_by(error):
            raise DiskFull(path or cache, error) from error
        if NotWritable.is_meant_by(error) and path:
            raise NotWritable(str(path), error) from error
        if path and Path(path).is_relative_to(cache):
            raise CacheDamaged(path, error.strerror or str(error)) from error
        raise
