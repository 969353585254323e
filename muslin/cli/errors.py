"""What is wrong with a command, and how a run ends.

One class for each situation, with its message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from muslin.dist.registry.errors import BadReference, OneNameForSeveral
from muslin.engine.similar_names import similar
from muslin.errors import PipelineError
from muslin.invocation import spelled
from muslin.models.errors import BadCrate, Unknown


class NoSuchTarget(PipelineError):
    """A word stands where a target's name should, and none is called so."""

    def __init__(self, word: str, *, meant: Sequence[str], known: Sequence[str], what: str) -> None:
        near = similar(word.lower(), known)
        hint = " or ".join(meant or near)
        asks = f" Did you mean {hint}?" if hint else ""
        super().__init__(f"there is no target {word!r}{what}.{asks}\n  Targets: {', '.join(known)}")


class NoService(Unknown):
    """A service is asked for that no declared folder holds."""

    def __init__(self, name: str, known: Iterable[str], declared: Path) -> None:
        super().__init__("service", name, known)
        hint = "`--service` takes names, no paths. " if "/" in name or name == "." else ""
        self.args = (f"{self}\n  {hint}Directories of services are in `services` of {declared}",)


class WrongUse(PipelineError):
    """The words of a command line do not fit the session's options."""

    def __init__(self, session: str, fault: str) -> None:
        super().__init__(f"{session}: {fault}. `{spelled(session, '--help')}` shows its options")


class NoTarget(PipelineError):
    """A session that works for one target was given none."""

    def __init__(self, session: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        super().__init__(
            f"{session} wants a target first, one of {names}: "
            f"`{spelled(session, 'armv6 build --release')}`"
        )


class BadSize(PipelineError):
    """A word on the command line should be a size and is none."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{said!r} is no size: a whole number with MB, GB or TB, such as 10GB")


class NothingToShareWith(PipelineError):
    """Entries are to be pushed, and there is no store, or no key that signs them."""

    def __init__(self) -> None:
        super().__init__(
            "no shared store is set, or no private key: MUSLIN_STORE and MUSLIN_STORE_KEY say "
            "them, or `url` and `key` of [tool.muslin.store]. docs/shared-store.md shows how"
        )


class FixesLacking(PipelineError):
    """The archive has fixes that a build lacks."""

    def __init__(self, summary: str) -> None:
        super().__init__(
            f"{summary}. `{spelled('update')}` moves the pins; what cannot move goes into "
            "recipes/pins/advisories.toml with its reason"
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
        again = spelled("reproduce", f"--stages {','.join(stages)}")
        super().__init__(
            f"{len(stages)} stage(s) differ from what {record} records for the same key: "
            f"{', '.join(stages)}. `{again}` builds them "
            "again: if they are equal, this machine differs from the recording one; if not, the "
            "recipe depends on chance"
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
        self.faults = tuple(faults)


class CargoCannot(PipelineError):
    """A subcommand of cargo that would not do for a target what it does for this machine."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__(f"`cargo {command}` for a target: {why}")


class NotImported(PipelineError):
    """A config.mak of musl-cross-make gives no target."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path}: {why}. A target file can be written by hand: docs/add-a-target.md explains "
            "each key"
        )


class NothingToVerify(PipelineError):
    """The session verify was not told what to look at, and for which target."""

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(
            "verify wants a file and one target: "
            f"`{spelled('verify', '--file path/to/program armv6')}`. "
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
            f"there is no {path}; a path that does not begin with / starts in the directory "
            "where the command was called"
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
        some = spelled("ci", f"gitlab {' '.join(targets[:most])}")
        super().__init__(
            f"GitLab restores {most} caches in a job, and there are {len(targets)} targets: "
            f"{', '.join(targets)}. Name {most} of them: {some}"
        )


class TargetThere(PipelineError):
    """What was imported has the name or the triple of a target that is there."""

    def __init__(self, name: str, what: str, text: str) -> None:
        shown = "".join(f"    {line}\n" for line in text.splitlines())
        remedy = {
            "name": f"Another name: {spelled('import', 'config.mak NAME')}",
            "triple": "Two targets cannot share a triple: take that one, or change one of the two, "
            "such as armv6-linux-musleabihf beside arm-linux-musleabihf",
        }[what]
        super().__init__(
            f"toolchains/{name}.toml has that {what} already; nothing was written. What it would "
            f"have been, to compare:\n{shown}  {remedy}"
        )


class NoServices(PipelineError):
    """A goal of services in a project that has none."""

    def __init__(self, project: Path, *, library: bool = False) -> None:
        if library:
            why = "its cargo package is a library. A src/main.rs or [[bin]] in Cargo.toml makes it"
            super().__init__(f"{project} has no service: {why} a program")
            return
        super().__init__(
            f"{project} has no service: neither a cargo package with a program, nor directories "
            "that `services` in its settings names. A service.toml in the directory of a CMake or "
            'make project and `services = ["."]` in muslin.toml declare one'
        )


class NothingToInfer(PipelineError):
    """A file is to be written of a project that declares itself, or of which nothing is known."""

    def __init__(self, project: Path) -> None:
        super().__init__(
            f"{project} has no cargo package with a program that declares nothing yet: there is "
            "nothing to write. For CMake and make projects docs/services.md has examples"
        )


class PinsOfInstallation(PipelineError):
    """Pins are to be moved that belong to an installed Muslin."""

    def __init__(self, pins: Path) -> None:
        super().__init__(
            f"{pins} belongs to the installed Muslin, whose pins move with its versions: upgrade "
            "it, or run `update` in a checkout"
        )


OF_USE = (
    *(BadCrate, WrongUse, NoSuchTarget, NoService, NoTarget, Unknown),
    *(BadReference, OneNameForSeveral),
)
"""Errors of a command line."""
