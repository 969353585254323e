"""What each step does when it runs."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from recipes import errors
from recipes.engine import archive, cargo, cpio, machine, oci
from recipes.engine.manifest import file_digest
from recipes.engine.site import Site
from recipes.engine.stage import (
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
    Rebase,
    RegistrySettings,
    Relink,
    Remove,
    Replace,
    Run,
    Step,
    Strip,
    Touch,
    Unpack,
    Write,
)

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
            copy(what, site)
        case Write():
            write(what, site)
        case Folder():
            site.path(what.path).mkdir(parents=True)
        case Join():
            _join(what, site)
        case Link():
            path = site.path(what.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(site.expand(what.target))
        case Relink():
            _relink(site.path(what.root))
        case Remove():
            _remove(what, site)
        case Replace():
            _replace(what, site)
        case Rebase():
            _rebase(what, site)
        case Touch():
            path = site.path(what.path)
            path.touch()
            os.utime(path, (what.time, what.time))
        case Strip():
            _strip(what, site)
        case Deduplicate():
            _deduplicate([site.path(folder) for folder in what.folders])
        case RegistrySettings():
            cargo.write_registry_settings(site.path(what.path), what.tables)
        case CollectLibraries():
            _collect(what, site)
        case Image():
            _image(what, site)
        case ImageIndex():
            path = site.path(what.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            images = [site.path(image) for image in what.images]
            oci.write_index(path, reference=what.reference, images=images)
        case Pack():
            _pack(what, site)
        case Initramfs():
            cpio.write(site.path(what.root), site.path(what.path))
        case Boot():
            machine.boot(what, site)


def _pack(what: Pack, site: Site) -> None:
    path = site.path(what.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    archive.pack_compressed(
        site.path(what.root),
        path,
        prefix=what.prefix,
        before_each=lambda: site.runner.raise_if_stopping(site.stage),
    )


def run(what: Run, site: Site) -> None:
    """Start a program with the stage's environment and wait for its end."""
    cwd = site.path(what.cwd)
    cwd.mkdir(parents=True, exist_ok=True)
    used = site.runner.run(
        [site.expand(word) for word in what.argv],
        what=site.stage,
        cwd=cwd,
        env={**site.environment, **{name: site.expand(value) for name, value in what.env}},
        log=site.log,
        output=site.path(what.output) if what.output else None,
    )
    site.cpu_seconds += used.cpu_seconds
    site.memory = max(site.memory, used.memory)


def write(what: Write, site: Site) -> None:
    """Write a text file, its folder too."""
    path = site.path(what.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(site.expand(what.text))
    path.chmod(0o755 if what.executable else 0o644)


def _unpack(what: Unpack, site: Site) -> None:
    source = site.path(what.archive)
    if not source.is_file():
        raise errors.StepFailed(site.stage, "unpack", f"there is no {source}", site.log)
    count = archive.unpack(
        source,
        site.path(what.into),
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
    series = site.path(what.series)
    for line in series.read_text().splitlines():
        name = line.split("#")[0].strip()
        if name and name not in what.omit:
            patch = series.parent / name
            argv = ("patch", "-p1", "--fuzz=0", "--batch", f"--input={patch}")
            run(Run(argv=argv, cwd=what.into), site)


def copy(what: Copy, site: Site) -> None:
    """Copy a file to a path or the content of a folder into one; the copies can be written."""
    source, to = site.path(what.source), site.path(what.to)
    if source.is_dir():

        def omitted(folder: str, names: list[str]) -> set[str]:
            here = Path(folder).relative_to(source)
            left = {name for name in names if _omitted(here / name, what.omit)}
            for name in set(names) - left:  # merging: copytree replaces files, but no links
                if Path(folder, name).is_symlink() and (to / here / name).is_symlink():
                    (to / here / name).unlink()
            return left

        first: list[OSError] = []

        def copied(one: str, there: str) -> None:
            try:
                _copy_file(one, there)
            except OSError as error:
                first.append(error)
                raise

        try:
            shutil.copytree(
                source,
                to,
                symlinks=not what.follow,
                dirs_exist_ok=True,
                copy_function=copied,
                ignore=omitted,
            )
        except shutil.Error:  # a list of texts, without what the system said
            if first:
                raise first[0] from None
            raise
        for folder, _, _ in os.walk(to):
            _make_writable(Path(folder))
    elif not source.exists():
        raise errors.StepFailed(site.stage, "copy", f"there is no {source}", site.log)
    elif to.exists():
        raise errors.StepFailed(site.stage, "copy", f"{to} is there already", site.log)
    else:
        to.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(str(source), str(to))


def _omitted(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(str(path), pattern) for pattern in patterns)


def _copy_file(source: str, to: str) -> None:
    if Path(to).is_symlink():  # merging: what comes later wins
        Path(to).unlink()
    shutil.copy2(source, to)
    _make_writable(Path(to))


def _make_writable(path: Path) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)


def _remove(what: Remove, site: Site) -> None:
    root = site.path(what.root)
    for pattern in what.patterns:
        for path in list(root.glob(site.expand(pattern))):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _join(what: Join, site: Site) -> None:
    parts = sorted(site.path(what.root).glob(what.pattern))
    if not parts:
        why = f"nothing matches {what.pattern} below {site.path(what.root)}"
        raise errors.StepFailed(site.stage, "join", why, site.log)
    to = site.path(what.to)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text("".join(part.read_text().rstrip("\n") + "\n" for part in parts))


def _relink(root: Path) -> None:
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(folder, name)
            if path.is_symlink() and path.readlink().is_absolute():
                meant = root / path.readlink().relative_to("/")
                path.unlink()
                path.symlink_to(os.path.relpath(meant, path.parent))


def _replace(what: Replace, site: Site) -> None:
    root, old, new = site.path(what.root), site.expand(what.old), site.expand(what.new)
    found = 0
    for path in sorted(root.glob(what.pattern)):
        if path.is_file() and not path.is_symlink():
            text = path.read_text()
            found += text.count(old)
            path.write_text(text.replace(old, new))
    if not found:
        why = f"{old!r} is nowhere in {what.pattern} below {root}"
        raise errors.StepFailed(site.stage, "replace", why, site.log)


def _rebase(what: Rebase, site: Site) -> None:
    root = site.path(what.root)
    old, new = site.expand(what.old).encode(), site.expand(what.new).encode()
    found = 0
    for path in _files(root):
        content = path.read_bytes()
        if old not in content:
            continue
        if b"\0" in content:
            why = f"{what.old!r} is in {path}, which is no text and cannot be moved"
            raise errors.StepFailed(site.stage, "rebase", why, site.log)
        times = path.stat()
        path.write_bytes(content.replace(old, new))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        found += 1
    if not found:
        why = f"{what.old!r} is nowhere below {root}"
        raise errors.StepFailed(site.stage, "rebase", why, site.log)


def _strip(what: Strip, site: Site) -> None:
    wanted = _is_program if what.kind == "programs" else _is_library
    root = site.path(what.root)
    files = sorted(path for path in _files(root) if wanted(path))
    for start in range(0, len(files), BATCH):
        batch = tuple(str(path) for path in files[start : start + BATCH])
        run(Run(argv=(what.program, *what.options, *batch)), site)


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _deduplicate(folders: list[Path]) -> None:
    first: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink():
                kept = first.setdefault(file_digest(path), path)
                if kept != path:
                    path.unlink()
                    path.symlink_to(os.path.relpath(kept, path.parent))


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] in (b"\2\0", b"\3\0", b"\0\2", b"\0\3")


def _is_library(path: Path) -> bool:
    if path.suffix not in (".a", ".o"):
        return False
    with path.open("rb") as file:
        head = file.read(8)
    return head == b"!<arch>\n" or head[:4] == b"\x7fELF"


def _collect(what: CollectLibraries, site: Site) -> None:
    into = site.path(what.into)
    into.mkdir(parents=True, exist_ok=True)
    found = 0
    for line in site.path(what.messages).read_text().splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-artifact":
            continue
        for name in message["filenames"]:
            if name.endswith(".rlib"):
                copy(Copy(source=name, to=str(into / Path(name).name)), site)
                found += 1
    if not found:
        raise errors.StepFailed(site.stage, "collect", "cargo reported no library", site.log)


def _image(what: Image, site: Site) -> None:
    path = site.path(what.path)
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
