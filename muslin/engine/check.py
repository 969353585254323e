"""What each check looks at, and how it says what it found."""

from __future__ import annotations

import dataclasses
import difflib
import http.client
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from muslin import errors
from muslin.engine import files, perform
from muslin.engine.filesystem import walk
from muslin.engine.formats import ar
from muslin.engine.process import loopback
from muslin.engine.process.supervisor import Process
from muslin.engine.sandbox import Site
from muslin.engine.stage import (
    Check,
    Does,
    Elf,
    Free,
    Lists,
    Members,
    Present,
    Run,
    Serves,
    Size,
    Write,
)

END_SECONDS = 15.0
PRINTED = "printed"
SHOWN = 5
"""Files that are named where the wanted one is missing."""
UNSOUND = (ELFError, ArithmeticError, AssertionError, AttributeError, LookupError, ValueError)
"""What pyelftools raises for headers that make no sense."""
ANSWER_SHOWN = 500
"""Characters of an answer that a message has."""


def check(what: Check, site: Site) -> None:
    """Look at the output; raises `CheckFailed` with every finding, or another error of a step."""
    title, findings = _examined(what, site)
    if found := list(findings):
        with site.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.writelines(f"{line}\n" for line in (f"check failed: {title}", *found))
        raise errors.CheckFailed(site.stage, title, found, site.log)


def _examined(  # noqa: PLR0911  # one arm per type of check
    what: Check, site: Site
) -> tuple[str, Iterable[str]]:
    match what:
        case Elf():
            return f"ELF files for {what.machine}", _elf(what, site)
        case Free():
            return "no trace of the build's place", _free(what, site)
        case Size():
            return f"at most {what.at_most} bytes", _size(what, site)
        case Present():
            return "all files are there", _present(what, site)
        case Members():
            return "archives have the right members", _members(what, site)
        case Does():
            return "it runs", _does(what, site)
        case Lists():
            return "the name is known", _lists(what, site)
        case Serves():
            return "it serves", _serves(what, site)
        case Write():
            perform.write(what, site)
            return "a file was written", ()


def _elf(what: Elf, site: Site) -> Iterator[str]:
    root = site.path(what.root)
    found = 0
    for pattern in what.patterns:
        for path in walk.matching(root, pattern):
            if path.is_symlink() or not path.is_file():
                continue
            with walk.opened(path) as file:
                if file.read(4) != b"\x7fELF":
                    continue
                found += 1
                try:
                    elf = ELFFile(file)
                    yield from (f"{path.name}: {fault}" for fault in _elf_faults(elf, what))
                except UNSOUND as error:
                    yield f"{path.name}: not a sound ELF file: {error}"
    if not found:
        there = sorted(str(path.relative_to(root)) for path in walk.files(root))
        more = ", …" if len(there) > SHOWN else ""
        yield f"no ELF file matches {', '.join(what.patterns)}"
        yield f"there is: {', '.join(there[:SHOWN]) or 'no file at all'}{more}"


def _elf_faults(elf: ELFFile, what: Elf) -> Iterator[str]:
    if elf.header.e_machine != what.machine:
        yield f"is for {elf.header.e_machine}"
    if what.static:
        for segment in elf.iter_segments():
            if isinstance(segment, InterpSegment):
                name = segment.get_interp_name()
                yield f"wants the interpreter {name}: does its build pass LDFLAGS to the linker?"
            if isinstance(segment, DynamicSegment):
                needed = [str(vars(tag)["needed"]) for tag in segment.iter_tags("DT_NEEDED")]
                yield from (f"needs {name}" for name in needed)


def _free(what: Free, site: Site) -> Iterator[str]:
    root = site.path(what.root)
    needles = [site.expand(text).encode() for text in what.texts]
    for entry in walk.entries(root):
        path = Path(entry.path)
        if entry.is_symlink():
            content = os.fsencode(path.readlink())
            hits = [needle for needle in needles if needle in content]
        elif entry.is_file():
            hits = files.holds(path, needles)
        else:
            continue
        for needle in hits:
            yield f"{path.relative_to(root)} holds {needle.decode()}"


def _size(what: Size, site: Site) -> Iterator[str]:
    root = site.path(what.root)
    total = sum(
        entry.stat(follow_symlinks=False).st_size
        for entry in walk.entries(root)
        if not entry.is_dir(follow_symlinks=False)
    )
    if total > what.at_most:
        yield f"it has {total} bytes, {total - what.at_most} too many"


def _present(what: Present, site: Site) -> Iterator[str]:
    root = site.path(what.root)
    for name in what.paths:
        path = root / site.expand(name)
        if not path.exists():
            yield f"{name} is missing"
        elif path.is_file() and path.stat().st_size == 0:
            yield f"{name} is empty"


def _members(what: Members, site: Site) -> Iterator[str]:
    root = site.path(what.root)
    found = walk.matching(root, what.pattern)
    if not found:
        yield f"no file matches {what.pattern}"
    for path in found:
        names = Counter(ar.names(path))
        wanted = Counter(what.exactly)
        misplaced = sorted(set(names).intersection(what.lacks))
        missing, more = sorted(wanted - names), sorted(names - wanted) if wanted else []
        for title, some in (("lacks", missing), ("also has", more), ("must not have", misplaced)):
            if some:
                yield f"{path.relative_to(root)} {title} {', '.join(some)}"


def _does(what: Does, site: Site) -> Iterator[str]:
    code = 0
    try:
        text = _printed(what.run, site)
    except errors.CommandFailed as error:
        _raise_if_ended(what, error.code, site)
        if what.code == 0 or error.code < 0:
            raise
        text, code = _kept(site), error.code
    with site.log.open("a", encoding="utf-8") as log:
        log.write(text)
    command = " ".join(Path(site.expand(word)).name or word for word in what.run.argv)
    if code != what.code:
        yield f"`{command}` ended with code {code}, not {what.code}"
    if site.expand(what.expect) not in text:
        yield f"`{command}` printed no {what.expect!r} but:"
        yield from (line[:ANSWER_SHOWN] for line in text.splitlines())


def _raise_if_ended(what: Does | Serves, code: int | None, site: Site) -> None:
    """Name what tells more of a program that an illegal instruction or a bad address ended."""
    if code == -signal.SIGSEGV and what.upon_sigill:
        raise errors.Crashed(site.stage, [site.expand(word) for word in what.run.argv], site.log)
    if code == -signal.SIGILL and what.upon_sigill:
        argv = [site.expand(word) for word in what.run.argv]
        remedy = site.expand(what.upon_sigill)
        raise errors.IllegalInstruction(site.stage, argv, remedy, site.log)


def _lists(what: Lists, site: Site) -> Iterator[str]:
    names = {word.strip("'\"(),:") for word in _printed(what.run, site).split()}
    if what.name not in names:
        near = ", ".join(difflib.get_close_matches(what.name, sorted(names), n=5))
        hint = f"; near it are {near}" if near else ""
        yield f"{what.what}: {what.by} knows no {what.name!r}{hint}"


def _printed(run: Run, site: Site) -> str:
    """What a program prints; raises `CommandFailed` if it fails, and as `Runner.run`."""
    allowance = site.runner.limits.check(run.seconds, run.printed)
    perform.run(dataclasses.replace(run, output=str(site.work / PRINTED)), site, allowance)
    return _kept(site)


def _kept(site: Site) -> str:
    """What the last program printed."""
    path = site.work / PRINTED
    walk.insist_file(path)  # the program may have put something else there
    return path.read_text(encoding="utf-8", errors="replace")


def _serves(what: Serves, site: Site) -> Iterator[str]:
    port = loopback.free_port()
    argv = [site.expand(word) for word in what.run.argv]
    env = {**site.environment, **{name: site.expand(text) for name, text in what.run.env}}
    with site.runner.server(
        argv,
        what=site.stage,
        cwd=site.work,
        env={**env, "PORT": str(port)},
        log=site.log,
        writable=site.writable,
    ) as process:
        fine, answer = _first_answer(what, port, process, site)
        code = process.poll()
        _raise_if_ended(what, code, site)
        if not fine or what.expect not in answer:
            wanted = f"instead of 200 with {what.expect!r}"
            yield f"{what.scheme} {what.path} answered {_shown(answer)} {wanted}"
        elif code is not None:
            yield (
                f"ended with code {code} after it was started, and something answered: it went "
                "into the background. As process 1 of a container it would take the container "
                "with it; most servers have an option to stay in the foreground"
            )
        if code is None:
            yield from _ends(process)


def _ends(process: Process) -> Iterator[str]:
    """What is wrong with how a server ends that is told to."""
    process.signal(signal.SIGTERM)
    code = process.wait(END_SECONDS)
    if code is None:
        yield f"still runs {END_SECONDS:.0f} s after SIGTERM"
    elif code == -signal.SIGTERM:
        yield (
            "does nothing about SIGTERM: as process 1 of a container it would go on, and "
            "be killed 10 s after `docker stop` with all that it was at. It ends with code "
            "0 where it handles the signal"
        )
    elif code != 0:
        yield f"ended with code {code} on SIGTERM"


def _shown(answer: str) -> str:
    """An answer in a message, its beginning if it is long."""
    more = len(answer) - ANSWER_SHOWN
    return repr(answer[:ANSWER_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _first_answer(what: Serves, port: int, process: Process, site: Site) -> tuple[bool, str]:
    """What the server says once it accepts connections, and whether with status 200; the fault
    in words otherwise. Raises `AnswerUnending`."""
    allowance = site.runner.limits.check(what.run.seconds, what.run.printed)
    began, seconds = time.monotonic(), allowance.seconds
    while True:
        left = max(1.0, began + seconds - time.monotonic())
        try:
            return loopback.answer(
                what.scheme, port, what.path, seconds=left, most=allowance.printed
            )
        except loopback.Unending as error:
            request = f"{what.scheme} {what.path}"
            more = f"{allowance.more_time} or {allowance.more_room}"
            raise errors.AnswerUnending(site.stage, request, str(error), more, site.log) from error
        except (OSError, http.client.HTTPException) as error:
            if (code := process.poll()) is not None:
                return False, f"(nothing: it ended with code {code})"
            if time.monotonic() > began + seconds:
                said = f"(nothing in {seconds:.0f} s, which {allowance.more_time} can change"
                return False, f"{said}: {error}; {_where_else(process.pid, port)})"
            time.sleep(0.1)


def _where_else(process: int, port: int) -> str:
    """What a server that is not on its port does instead."""
    wanted = f"the environment variable PORT says {port}"
    try:
        others = loopback.listening(process)
    except OSError:  # what /proc says of one that is no more
        return f"{wanted}, and it has just ended"
    where = ", ".join(map(str, sorted(others)))
    return f"{wanted}, and it listens on {where or 'no port of TCP'}"
