"""What a recipe returns and the engine runs: plain frozen data, nothing that acts.

Text fields may hold placeholders, expanded when the stage runs: `${out}` (what is published),
`${work}` (thrown away), `${cache}` (where both lie), `${scratch}`, `${jobs}`, `${python}` (this
interpreter, with the project's libraries), `${source.ALIAS}` (a file), `${tree.ALIAS}` (a copy of
the project's own files), `${need.ALIAS}` (another stage's output, read-only) and `${tool.ALIAS}`
(the same, not in the key). `$${` stands for a literal `${`.

Every field is in the stage's key unless its metadata says `UNKEYED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal


def escaped(text: str) -> str:
    """A text for a field, with no placeholder in it."""
    return text.replace("${", "$${")


UNKEYED: Mapping[str, bool] = MappingProxyType({"key": False})
MOST = 20_000_000_000
"""Bytes that a stage may leave, unless it says more; the largest leaves 2 GB."""


# --- what goes in ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Url:
    """A file on the web; HTTPS, or HTTP on the loopback interface."""

    address: str


@dataclass(frozen=True, kw_only=True)
class ArchiveFile:
    """A file of the Debian archive, found by package and version through apt."""

    suite: str
    """A release such as `trixie`, or `host` for the release this machine runs."""
    package: str
    version: str
    kind: Literal["binary", "source"]


Origin = Url | ArchiveFile


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file to download, known by its digest."""

    name: str = field(metadata=UNKEYED)
    sha256: str
    size: int = field(metadata=UNKEYED)
    """Bytes; 0 where no record of it was found: the digest alone decides then."""
    origins: tuple[Origin, ...] = field(metadata=UNKEYED)
    """Tried in this order."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of the project's own."""

    path: str
    sha256: str
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A set of the project's own files, known by their digests."""

    root: Path = field(metadata=UNKEYED)
    files: tuple[File, ...]
    also: tuple[File, ...] = field(default=(), metadata=UNKEYED)
    """Files that must lie there and cannot change the output."""


# --- steps ----------------------------------------------------------------------------------
# `revision` is in the key: raise it when the same step would write other bytes than before.


@dataclass(frozen=True, kw_only=True)
class Run:
    """Run a program; its output goes to the stage's log."""

    revision: ClassVar[int] = 1
    argv: tuple[str, ...]
    cwd: str = "${work}"
    env: tuple[tuple[str, str], ...] = ()
    input: str = ""
    """A text that it reads from standard input; nothing by default."""
    output: str = ""
    """Where standard output goes instead of the log."""
    errors_too: bool = False
    """Standard error goes to `output` with it."""
    hint: str = field(default="", metadata=UNKEYED)
    """What a person can do where it fails because it may not write somewhere."""
    remedies: tuple[tuple[str, str], ...] = field(default=(), metadata=UNKEYED)
    """What a person can do where it fails and a regular expression is found in what it said."""
    seconds: float = field(default=0.0, metadata=UNKEYED)
    """In which it must end; 0 for what the run allows. Of a server, in which it must answer."""
    printed: int = field(default=0, metadata=UNKEYED)
    """Bytes that it may print or answer; 0 for what the run allows."""
    says_why: bool = field(default=False, metadata=UNKEYED)
    """With exit code 3 it refuses a product, and what it prints behind its last empty line says to
    a reader why."""


@dataclass(frozen=True, kw_only=True)
class Unpack:
    """Unpack a tar or Debian package; refuses members that lead outside."""

    revision: ClassVar[int] = 1
    archive: str
    into: str = "${work}"
    only: tuple[str, ...] = ()
    """Path prefixes to take; none means everything."""
    omit: tuple[str, ...] = ()
    """Paths that stay behind with all below them; `*` stands for any one name or part of it."""
    strip: int = 0
    """Leading path components to drop."""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Apply the patches of a folder in order; one that does not apply without fuzz is an error.

    The order is that of the folder's quilt `series`, or of `names`; then every patch file of the
    folder has to be in `names` or `omit`. One that is applied already is an error, too.
    """

    revision: ClassVar[int] = 2
    folder: str
    into: str
    names: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    """Glob patterns of those that are not applied; each matches at least one."""
    strip: int = 1
    """Leading path components to drop, as in `patch -p1`."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Copy a file, or what a folder holds, to a path; the copy is writable. Existing files stay
    an error for single files and are merged for folders."""

    revision: ClassVar[int] = 1
    source: str
    to: str
    omit: tuple[str, ...] = ()
    """Glob patterns, relative to the source, that stay behind."""
    follow: bool = False
    """Copy what symbolic links point to instead of the links."""


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Copy the program of a name from wherever an installation has put it below a folder; a link of
    that name counts where there is no such file, and leads to a file of the stage's own."""

    revision: ClassVar[int] = 1
    root: str
    name: str
    to: str
    hint: str = field(default="", metadata=UNKEYED)
    """What a person can do where it is not there."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """Write a text file."""

    revision: ClassVar[int] = 1
    path: str
    text: str
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Make an empty folder."""

    revision: ClassVar[int] = 1
    path: str


@dataclass(frozen=True, kw_only=True)
class Join:
    """Join the files that a pattern matches, in the order of their names, to one text file."""

    revision: ClassVar[int] = 1
    root: str
    pattern: str
    to: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """Make a symbolic link."""

    revision: ClassVar[int] = 1
    path: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Relink:
    """Make absolute symbolic links below `root` relative, with `root` taken for `/`."""

    revision: ClassVar[int] = 1
    root: str


@dataclass(frozen=True, kw_only=True)
class Remove:
    """Remove files and folders by glob pattern, relative to `root`; absent ones are no error."""

    revision: ClassVar[int] = 1
    root: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Replace:
    """Replace a text in every file the pattern matches, whose times stay: make sees no change.
    Finding none at all is an error."""

    revision: ClassVar[int] = 2
    root: str
    pattern: str
    old: str
    new: str
    may_lack: bool = field(default=False, metadata=UNKEYED)
    """Whether it is no error that no file has it. In no key: no byte depends on it."""


@dataclass(frozen=True, kw_only=True)
class Rebase:
    """Replace a path in every text file below a folder, whose times stay: make sees no change.
    Finding it nowhere is an error, and so is one in a file that is no text."""

    revision: ClassVar[int] = 1
    root: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Set a file's modification time, seconds since 1970; creates it if absent."""

    revision: ClassVar[int] = 1
    path: str
    time: int


@dataclass(frozen=True, kw_only=True)
class SameTime:
    """Give everything below a folder one modification time (seconds since 1970): make then takes no
    generated file for older than the patched file it was made from."""

    revision: ClassVar[int] = 1
    root: str
    time: int


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Strip the ELF files and archives below a folder, in parts of a hundred."""

    revision: ClassVar[int] = 1
    program: str
    root: str
    options: tuple[str, ...]
    kind: Literal["programs", "libraries"]
    """`programs`: executables and shared objects; `libraries`: `.a` and `.o` files."""


@dataclass(frozen=True, kw_only=True)
class Deduplicate:
    """Make files with the same content relative links to the first of them, folder by folder."""

    revision: ClassVar[int] = 1
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RegistrySettings:
    """Write a cargo configuration with what this machine's own says about registries, sources,
    HTTP and the network, and nothing else. Checksums in the lock keep it from changing crates."""

    revision: ClassVar[int] = 1
    path: str
    tables: tuple[str, ...] = ()
    """Take these tables alone, and no credentials."""


@dataclass(frozen=True, kw_only=True)
class CollectLibraries:
    """Copy the libraries that `cargo build --message-format=json` reported."""

    revision: ClassVar[int] = 1
    messages: str
    into: str


@dataclass(frozen=True, kw_only=True)
class Image:
    """Write a one-platform image: an OCI layout, packed as a tar that `docker load` takes too."""

    revision: ClassVar[int] = 2
    path: str
    root: str
    """Folder whose content is the image's only layer."""
    reference: str
    architecture: str
    variant: str = ""
    entrypoint: tuple[str, ...]
    user: str
    ports: tuple[int, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    modes: tuple[tuple[str, int], ...] = ()
    """Paths of the layer with other modes than 0755 for folders and programs, 0644 for files."""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Pack what a folder holds as a `.tar.gz` whose members lie below `prefix`."""

    revision: ClassVar[int] = 1
    path: str
    root: str
    prefix: str


@dataclass(frozen=True, kw_only=True)
class ImageIndex:
    """Join one-platform images to one OCI layout with an index of all platforms, as a tar."""

    revision: ClassVar[int] = 2
    path: str
    reference: str
    images: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Initramfs:
    """Write what a folder holds as a cpio archive, the file system that Linux starts with; it has
    `/dev/console` too, which no folder can hold without root."""

    revision: ClassVar[int] = 1
    path: str
    root: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """A question to a server and what its answer must hold."""

    scheme: Literal["http", "https"]
    path: str
    expect: str


@dataclass(frozen=True, kw_only=True)
class Boot:
    """Start a machine and follow its console until all was seen; then it is switched off.

    Writes `console.log`, `report.txt` and `report.json` into `to`. Lines that start with `own` are
    the machine's, those of Linux are known by their times, all others after `start` are the
    program's. In `run`, `${port}` stands for a free port of this machine.
    """

    revision: ClassVar[int] = 1
    run: Run
    to: str
    subject: str
    """What starts where, for people."""
    own: str
    start: str
    """How the machine's line begins that says that the program starts."""
    marks: tuple[str, ...]
    """How lines of the machine begin that must come."""
    over: str
    """How the machine's line begins that says how the program ended: `code 0`, `signal 4`."""
    expect: str = ""
    """What a program says that then ends by itself, with code 0; a server does not end."""
    network: str = ""
    """How the line begins by which the machine says that `${port}` leads to it."""
    requests: tuple[Request, ...] = ()
    """Made once all marks were seen, where there is a network."""
    limit: float = field(default=60.0, metadata=UNKEYED)
    """Seconds until all must have been seen, and for each answer."""


Step = (
    Run
    | Unpack
    | Patch
    | Copy
    | Pick
    | Write
    | Folder
    | Join
    | Link
    | Relink
    | Remove
    | Replace
    | Rebase
    | Touch
    | SameTime
    | Strip
    | Deduplicate
    | RegistrySettings
    | CollectLibraries
    | Image
    | ImageIndex
    | Pack
    | Initramfs
    | Boot
)


# --- checks ---------------------------------------------------------------------------------
# A check reads `${out}` and writes only below `${work}`. Checks have a key of their own.


@dataclass(frozen=True, kw_only=True)
class Elf:
    """Every ELF file that a pattern matches is for this machine; at least one matches."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    patterns: tuple[str, ...]
    machine: str
    """pyelftools' name: `EM_ARM`, `EM_AARCH64`, `EM_X86_64`."""
    static: bool = False
    """Also: no interpreter and no needed library."""


@dataclass(frozen=True, kw_only=True)
class Free:
    """No file below the folder holds any of these texts, and no link points to them."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Size:
    """The folder's files together have at most this many bytes."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    at_most: int


@dataclass(frozen=True, kw_only=True)
class Present:
    """These paths exist and are not empty."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Members:
    """Each archive (`.a`) that the pattern matches, at least one, has the right members."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    pattern: str
    exactly: tuple[str, ...] = ()
    """Names of all members, in any order; nothing is compared where it is empty."""
    lacks: tuple[str, ...] = ()
    """Names of members that belong elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Does:
    """A command ends with a code, 0 by default, and what it prints holds a text."""

    revision: ClassVar[int] = 1
    run: Run
    expect: str = ""
    code: int = 0
    upon_sigill: str = field(default="", metadata=UNKEYED)
    """The command that tells more where an illegal instruction ends it; so with `Serves`."""


@dataclass(frozen=True, kw_only=True)
class Lists:
    """A name is one of those that a command prints."""

    revision: ClassVar[int] = 1
    run: Run
    name: str
    what: str = field(metadata=UNKEYED)
    """What the name is and where it was written, for the message; so with `by`."""
    by: str = field(metadata=UNKEYED)


@dataclass(frozen=True, kw_only=True)
class Serves:
    """A server, started with `PORT` set, answers a request on loopback and ends on SIGTERM."""

    revision: ClassVar[int] = 1
    run: Run
    scheme: Literal["http", "https"]
    path: str
    expect: str
    upon_sigill: str = field(default="", metadata=UNKEYED)


Check = Elf | Free | Size | Present | Members | Does | Lists | Serves | Write


# --- the stage ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One box of the pipeline: what goes in, what is done, what must be true of the result."""

    name: str = field(metadata=UNKEYED)
    steps: tuple[Step, ...]
    sources: tuple[tuple[str, Source], ...] = ()
    trees: tuple[tuple[str, Tree], ...] = ()
    needs: tuple[tuple[str, Stage], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    runs_on: Literal["host", "target", "nowhere"]
    """Where the output runs; `host` puts the host's machine and libc version into the key."""
    checks: tuple[Check, ...] = field(default=(), metadata=UNKEYED)
    """In the check's own key."""
    judges: tuple[tuple[str, Stage], ...] = field(default=(), metadata=UNKEYED)
    """Stages that only checks use, as `${tool.ALIAS}`; in the check's own key."""
    blames: tuple[Stage, ...] = field(default=(), metadata=UNKEYED)
    """Stages whose output is to be built again if a program of this stage refuses it."""
    tools: tuple[tuple[str, Stage], ...] = field(default=(), metadata=UNKEYED)
    """Programs that stand in for the host's own, as `${tool.ALIAS}`, their `bin` on PATH;
    provenance, not keyed."""
    path: tuple[str, ...] = ()
    """Folders of needs that come first on PATH, before those of tools and the host's own."""
    scratch: tuple[str, ...] = field(default=(), metadata=UNKEYED)
    """Asks for a folder that is kept between runs and names the needs with which it is thrown
    away. So it is when a step or the environment changes; other trees and needs keep it."""
    network: bool = field(default=False, metadata=UNKEYED)
    """The steps fetch: the user's proxy and CA settings reach them."""
    target: str = field(default="", metadata=UNKEYED)
    summary: str = field(default="", metadata=UNKEYED)
    milestones: tuple[tuple[str, str], ...] = field(default=(), metadata=UNKEYED)
    """Files, as patterns below `${work}`, that a build makes on its way, in their order, and what
    a person is told once one is there."""
    guess: float = field(default=10.0, metadata=UNKEYED)
    """CPU seconds, for the estimate before there is a measured one."""
    memory: int = field(default=100_000_000, metadata=UNKEYED)
    """Bytes of memory that its largest process takes, before there is a measured figure."""
    peak: int = field(default=100_000_000, metadata=UNKEYED)
    """Bytes of disk that a build takes while it runs; a guess on the safe side."""
    kept: int = field(default=20_000_000, metadata=UNKEYED)
    """Bytes that stay; docs/timings.md has measured ones."""
    most: int = field(default=MOST, metadata=UNKEYED)
    """Bytes that may stay: beyond them its build went wrong, and nothing is published."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """What of this machine can change an output that runs on it."""

    machine: str
    libc: str
