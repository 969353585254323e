"""A program that can write below some folders alone: `confinement.py FOLDER… -- PROGRAM WORD…`.

Landlock is asked, which needs no privilege: landlock(7), Linux 5.19 (ABI 2; in ABI 1 no file can be
moved from one folder to another). It binds the program and all it starts, root's too. It does not
forbid reading, nor changes of modes, owners and times of files that are there. Without a folder the
program can write everywhere.

The program adopts orphans: what its processes leave running stays below it until it ends, and goes
to whoever started it then (PR_SET_CHILD_SUBREAPER, prctl(2)). It has every signal's default action,
whatever the run's own parent or Python made of it.

This file is run by its path, before anything else of ours is imported.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Sequence

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of system calls, the same on every architecture."""
VERSION = 1
"""LANDLOCK_CREATE_RULESET_VERSION: the call tells the kernel's ABI."""
PATH_BENEATH = 1
NO_NEW_PRIVILEGES = 38
CHILD_SUBREAPER = 36
SIGNALS = range(1, 32)
END_OF_CHILD = 17
"""SIGCHLD; the module `signal` takes longer to import than all else here."""
LEAST_ABI = 2
WRITES = 0b1111111110010
"""WRITE_FILE, REMOVE_DIR, REMOVE_FILE and MAKE_* of linux/landlock.h."""
REFER, TRUNCATE = 1 << 13, 1 << 14
TRUNCATE_ABI = 3
DEVICES = "/dev"
CANNOT_START = 126
NOT_STARTED = "cannot be started:"
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi() -> int:
    """The ABI of the kernel's Landlock; below `LEAST_ABI` where programs cannot be confined."""
    return int(_LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION)))


def command(folders: Sequence[str], argv: Sequence[str]) -> tuple[str, ...]:
    """The command line that runs another one confined."""
    return (sys.executable, "-I", "-S", __file__, *folders, "--", *argv)


def adopt() -> None:
    """Let what is left of this process's descendants become its own children, and let it be told of
    their ends. Raises `OSError`."""
    _checked(_LIBC.prctl(CHILD_SUBREAPER, 1, 0, 0, 0))
    _default([END_OF_CHILD])  # ignored by whoever started it, the kernel would drop every code


def _default(signals: Iterable[int]) -> None:
    for number in signals:  # two of them cannot be anything else
        _LIBC.signal(number, None)


def confine(folders: Sequence[str]) -> None:
    """Let this process, and all it starts, write below these folders and to devices alone.

    Raises `OSError`.
    """
    handled = WRITES | REFER | (TRUNCATE if abi() >= TRUNCATE_ABI else 0)
    rules = _Ruleset(handled)
    ruleset = _checked(
        _LIBC.syscall(
            CREATE_RULESET,
            ctypes.byref(rules),
            ctypes.c_size_t(ctypes.sizeof(rules)),
            ctypes.c_uint32(0),
        )
    )
    for folder in (DEVICES, *folders):
        opened = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rule = _PathBeneath(handled, opened)
        arguments = (ruleset, PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0))
        _checked(_LIBC.syscall(ADD_RULE, *arguments))
        os.close(opened)
    _checked(_LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(_LIBC.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)))
    os.close(ruleset)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def become(argv: Sequence[str]) -> None:
    """Run a program in the place of this process, with every signal's default action. Raises
    `OSError`."""
    _default(SIGNALS)
    os.execvp(argv[0], list(argv))  # noqa: S606  # a tuple of words is what is meant


def main(words: Sequence[str]) -> int:
    """Become the program; the code to end with where that cannot be."""
    at = words.index("--")
    program = words[at + 1]
    try:
        adopt()
        if folders := words[:at]:
            confine(folders)
        become(words[at + 1 :])
    except OSError as error:
        sys.stderr.write(f"{program} {NOT_STARTED} {error.strerror}\n")
    return CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
