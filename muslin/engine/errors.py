"""What fails in the engine: what it was, on what, and where the log is.

What fails with a program is in `process/errors.py`, what fails with a download in
`fetch/errors.py`. One class for each situation, with its message.
"""

# Long: one list; whoever looks for a message looks in one place.
from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from muslin.errors import PipelineError
from muslin.invocation import spelled


class BadDeclaration(PipelineError):
    """A TOML file says something that its schema refuses; all faults of the file at once."""

    def __init__(self, path: Path, faults: Sequence[str]) -> None:
        listing = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{path}: {len(faults)} fault(s), nothing was built:\n{listing}")
        self.path, self.faults = path, tuple(faults)


class UnknownPlaceholder(PipelineError):
    """A step names a `${placeholder}` that its stage does not have."""

    def __init__(self, stage: str, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"{stage}: unknown placeholder ${{{name}}}; this stage has "
            + ", ".join(f"${{{known_name}}}" for known_name in sorted(known))
        )


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


class OtherTree(Unfit):
    """What was unpacked is not the tree that it should be."""

    def __init__(self, tree: Path, expected: str, found: str) -> None:
        super().__init__(
            f"{tree} has the digest {found}, and {expected} was expected. The stage is built here"
        )


class RestoredRefused(PipelineError):
    """A stage of the shared store did not pass its checks here; it is built instead."""

    def __init__(self, stage: str, place: str, error: Exception) -> None:
        super().__init__(
            f"{stage} of the shared store {place} failed its checks here, so it is built: {error}"
        )


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


class BoardFailed(PipelineError):
    """A service did not come up on an emulated board, or not as its declaration says."""

    def __init__(self, subject: str, why: str, console: Sequence[str], log: Path) -> None:
        shown = "\n".join(f"    {line}" for line in console)
        super().__init__(
            f"{subject}: {why}. The console's last lines:\n{shown}\n  log: {log}\n"
            "  What is looked for is in [[run]] and [[serve]] of the service's service.toml"
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
            f"  `{spelled('gc', '5GB')}` shrinks the cache, MUSLIN_CACHE moves it; "
            "then run the same command again: it goes on where this one stopped"
        )

    @classmethod
    def is_meant_by(cls, error: OSError) -> bool:
        """Whether the system said so with this error."""
        return error.errno in cls.NUMBERS


class DiskTooSmall(PipelineError):
    """What is to be built will not fit, so it is not begun."""

    def __init__(self, path: Path, *, free: int, needed: int) -> None:
        super().__init__(
            f"{path} has {_gigabytes(free)} GB free, and what is to be built takes about "
            f"{_gigabytes(needed)} GB.\n"
            f"  `{spelled('gc', '5GB')}` shrinks the cache, MUSLIN_CACHE moves it; "
            "MUSLIN_JOBS=1 builds one thing at a time, which takes less"
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


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


class CacheInUse(PipelineError):
    """Something wants the cache for itself while a run uses it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"another run is using the cache {path}; nothing was removed. Try again when it ended."
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
