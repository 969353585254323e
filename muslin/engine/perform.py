"""What each step does when it runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from muslin import errors
from muslin.engine import cargo_config, files
from muslin.engine.filesystem import walk
from muslin.engine.formats import cpio, oci, patch_series, tar_writer, unpack
from muslin.engine.process import emulated_machine
from muslin.engine.process.limits import Allowance
from muslin.engine.process.logs import last_said
from muslin.engine.sandbox import Site
from muslin.engine.stage import (
    Boot,
    CollectLibraries,
    Copy,
    Deduplicate,
    Folder,
    Image,
    ImageIndex,
    Initramfs,
    Join,
    Link,
    Pack,
    Patch,
    Pick,
    Rebase,
    RegistrySettings,
    Relink,
    Remove,
    Replace,
    Run,
    SameTime,
    Step,
    Strip,
    Touch,
    Unpack,
    Write,
)

REFUSED = 3
"""The exit code by which a program refuses a product."""
BATCH = 100
"""Files handed to one strip process."""


def step(what: Step, site: Site) -> None:
    """Do one step of a stage."""
    site.runner.raise_if_stopping(site.stage)
    match what:
        case Run():
            run(what, site)
        case Unpack():
            _unpack(what, site)
        case Patch():
            _patch(what, site)
        case Copy():
            files.copy(what, site)
        case Pick():
            files.pick(what, site)
        case Write():
            write(what, site)
        case Folder():
            site.own(what.path).mkdir(parents=True)
        case Join():
            files.join(what, site)
        case Link():
            path = site.path(what.path)
            site.insist_own(path.parent)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(site.expand(what.target))
        case Relink():
            files.relink(site.own(what.root))
        case Remove():
            files.remove(what, site)
        case Replace():
            files.replace(what, site)
        case Rebase():
            files.rebase(what, site)
        case Touch():
            path = site.own(what.path)
            path.touch()
            os.utime(path, (what.time, what.time))
        case SameTime():
            files.set_times(site.own(what.root), what.time)
        case Strip():
            _strip(what, site)
        case Deduplicate():
            files.deduplicate([site.own(folder) for folder in what.folders])
        case RegistrySettings():
            cargo_config.write_registry_settings(site.own(what.path), what.tables)
        case CollectLibraries():
            _collect(what, site)
        case Image():
            _image(what, site)
        case ImageIndex():
            path = site.own(what.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            images = [site.path(image) for image in what.images]
            oci.write_index(path, reference=what.reference, images=images)
        case Pack():
            _pack(what, site)
        case Initramfs():
            cpio.write(site.path(what.root), site.own(what.path))
        case Boot():
            emulated_machine.boot(what, site)


def _pack(what: Pack, site: Site) -> None:
    path = site.own(what.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tar_writer.pack_compressed(
        site.path(what.root),
        path,
        prefix=what.prefix,
        before_each=lambda: site.runner.raise_if_stopping(site.stage),
    )


def run(what: Run, site: Site, allowance: Allowance | None = None) -> None:
    """Start a program with the stage's environment and wait for its end."""
    cwd, stdin = site.path(what.cwd), Path(os.devnull)
    cwd.mkdir(parents=True, exist_ok=True)
    if what.input:
        stdin = site.own(".input")
        stdin.write_text(site.expand(what.input), encoding="utf-8")
    try:
        used = site.runner.run(
            [site.expand(word) for word in what.argv],
            what=site.stage,
            cwd=cwd,
            env={**site.environment, **{name: site.expand(value) for name, value in what.env}},
            log=site.log,
            output=site.own(what.output) if what.output else None,
            errors_too=what.errors_too,
            stdin=stdin,
            writable=site.writable,
            allowance=allowance,
        )
    except errors.CommandFailed as error:
        if what.hint and site.runner.confines and "Permission denied" in "\n".join(error.tail):
            raise errors.WroteOutside(site.stage, error.tail, what.hint, site.log) from error
        said = last_said(site.log)
        error.ends_with(says for pattern, says in what.remedies if re.search(pattern, said))
        _, empty_line, why = said.rstrip().rpartition("\n\n")
        if not (what.says_why and error.code == REFUSED and empty_line):
            raise
        raise errors.SaidNo(site.stage, why.splitlines(), site.log) from error
    site.cpu_seconds += used.cpu_seconds
    site.memory = max(site.memory, used.memory)


def write(what: Write, site: Site) -> None:
    """Write a text file, its folder too."""
    path = site.own(what.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(site.expand(what.text), encoding="utf-8")
    path.chmod(0o755 if what.executable else 0o644)


def _unpack(what: Unpack, site: Site) -> None:
    source = site.path(what.archive)
    if not source.is_file():
        raise errors.StepFailed(site.stage, "unpack", f"there is no {source}", site.log)
    count = unpack.unpack(
        source,
        site.own(what.into),
        only=what.only,
        omit=what.omit,
        strip=what.strip,
        before_each=lambda: site.runner.raise_if_stopping(site.stage),
    )
    if count == 0:
        only = ", ".join(what.only)
        why = f"{source.name} holds nothing below {only or 'its root'}"
        raise errors.StepFailed(site.stage, "unpack", why, site.log)


def _patch(what: Patch, site: Site) -> None:
    folder = site.path(what.folder)
    try:
        names = patch_series.ordered(folder, names=what.names, omit=what.omit)
    except patch_series.Unexplained as error:
        raise errors.StepFailed(site.stage, "patch", str(error), site.log) from error
    for name in names:
        # --forward: without it --batch takes out again what is applied already, and says well done.
        options = ("--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch")
        words = (f"-p{what.strip}", *options, f"--input={folder / name}")
        run(Run(argv=("patch", *words), cwd=what.into), site)


def _strip(what: Strip, site: Site) -> None:
    wanted = _is_program if what.kind == "programs" else _is_library
    root = site.own(what.root)
    found = sorted(path for path in walk.files(root) if wanted(path))
    for start in range(0, len(found), BATCH):
        batch = tuple(str(path) for path in found[start : start + BATCH])
        run(Run(argv=(what.program, *what.options, *batch)), site)


def _is_program(path: Path) -> bool:
    with walk.opened(path) as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] in (b"\2\0", b"\3\0", b"\0\2", b"\0\3")


def _is_library(path: Path) -> bool:
    if path.suffix not in (".a", ".o"):
        return False
    with walk.opened(path) as file:
        head = file.read(8)
    return head == b"!<arch>\n" or head[:4] == b"\x7fELF"


def _collect(what: CollectLibraries, site: Site) -> None:
    into = site.own(what.into)
    into.mkdir(parents=True, exist_ok=True)
    found = 0
    with walk.opened(site.path(what.messages)) as messages:
        for line in messages:
            message = json.loads(line)
            if message.get("reason") != "compiler-artifact":
                continue
            for name in message["filenames"]:
                if name.endswith(".rlib"):
                    files.copy(Copy(source=name, to=str(into / Path(name).name)), site)
                    found += 1
    if not found:
        raise errors.StepFailed(site.stage, "collect", "cargo reported no library", site.log)


def _image(what: Image, site: Site) -> None:
    path = site.own(what.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    program = site.path(what.root) / what.entrypoint[0].lstrip("/")
    if not program.is_file() or not os.access(program, os.X_OK):
        why = f"the image has no program {what.entrypoint[0]}, which is its entry point"
        raise errors.StepFailed(site.stage, "image", why, site.log)
    oci.write_image(
        path,
        root=site.path(what.root),
        reference=what.reference,
        architecture=what.architecture,
        variant=what.variant,
        entrypoint=what.entrypoint,
        user=what.user,
        ports=what.ports,
        env=what.env,
        labels=what.labels,
        modes=dict(what.modes),
    )
