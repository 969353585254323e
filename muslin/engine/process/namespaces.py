"""A view of the file system that a program gets, by the kernel's own means: namespaces(7), or
chroot(2) where a container forbids them.

Imports nothing of ours: it runs in the process that becomes the program, before it is confined.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

NEW_MOUNTS, NEW_USER, NEW_NETWORK = 0x20000, 0x10000000, 0x40000000
"""CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET of unshare(2)."""
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTION = 1, 2, 4, 8
REMOUNT, NO_ACCESS_TIME, BIND, RECURSIVE = 32, 1024, 4096, 16384
PRIVATE, RELATIVE_TIME = 1 << 18, 1 << 21
"""MS_* of mount(2)."""
KEPT = (
    (os.ST_NOSUID, NO_SUID),
    (os.ST_NODEV, NO_DEVICES),
    (os.ST_NOEXEC, NO_EXECUTION),
    (os.ST_NOATIME, NO_ACCESS_TIME),
    (os.ST_RELATIME, RELATIVE_TIME),
)
"""What a mount has and may not lose: the flag of statvfs(3) and that of mount(2)."""
USER = 1000
"""The user and group that a program sees itself as."""
SYSTEM = {"bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr"}
"""What a program gets of a root; `dev`, `proc`, `tmp` and homes are made anew."""
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
DEVICE_LINKS = (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))
SET_FLAGS, IS_UP = 0x8914, 1
"""SIOCSIFFLAGS and IFF_UP of netdevice(7)."""
INTERNET, DATAGRAM = 2, 2
"""AF_INET and SOCK_DGRAM; the module `socket` takes longer to import than all else here."""
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Interface(ctypes.Structure):
    """`ifreq` of netdevice(7)."""

    _fields_ = (("name", ctypes.c_char * 16), ("flags", ctypes.c_short), ("", ctypes.c_char * 22))


def unshare(*, network: bool) -> None:
    """Give this process a user namespace and mounts of its own, and a network with nothing but its
    own loopback unless it is to have the machine's. Raises `OSError` where that is forbidden."""
    user, group = os.geteuid(), os.getegid()
    _checked(_LIBC.unshare(NEW_USER | NEW_MOUNTS | (0 if network else NEW_NETWORK)))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/gid_map", f"{USER} {group} 1")
    _write("/proc/self/uid_map", f"{USER} {user} 1")
    _mount(None, "/", PRIVATE | RECURSIVE)
    if not network:
        _start_loopback()


def show(view: str, tree: str, folders: Sequence[tuple[str, str, bool]]) -> None:
    """Make `view`, an empty directory, the root: the system directories of `tree`, devices, and
    others as (outside, inside, writable). Only in namespaces of `unshare`. Raises `OSError`."""
    _checked(_LIBC.mount(b"tmpfs", view.encode(), b"tmpfs", 0, b"mode=755"))
    for name in sorted(SYSTEM.intersection(os.listdir(tree))):
        source, target = f"{tree}/{name}", f"{view}/{name}"
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
        else:
            _bind(source, target, writable=False)
    _bind("/proc", f"{view}/proc", writable=True, recursive=True)
    _devices(f"{view}/dev")
    os.makedirs(f"{view}/tmp", mode=0o1777, exist_ok=True)  # noqa: S108  # an empty one
    for outside, inside, writable in folders:
        _bind(outside, view + inside, writable=writable)
    os.chroot(view)


def _devices(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            _bind(f"/dev/{name}", f"{folder}/{name}", writable=True)
    for name, target in DEVICE_LINKS:
        os.symlink(target, f"{folder}/{name}")


def _bind(source: str, target: str, *, writable: bool, recursive: bool = False) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "ab"):
            pass
    _mount(source, target, BIND | (RECURSIVE if recursive else 0))
    if not writable:
        flags = os.statvfs(target).f_flag
        kept = sum(ours for theirs, ours in KEPT if flags & theirs)
        _mount(None, target, BIND | REMOUNT | READ_ONLY | kept)


def _start_loopback() -> None:
    any_socket = _LIBC.socket(INTERNET, DATAGRAM, 0)
    _checked(any_socket)
    request = _Interface(name=b"lo", flags=IS_UP)
    _checked(_LIBC.ioctl(any_socket, ctypes.c_ulong(SET_FLAGS), ctypes.byref(request)))
    os.close(any_socket)


def _mount(source: str | None, target: str, flags: int) -> None:
    encoded = None if source is None else os.fsencode(source)
    _checked(_LIBC.mount(encoded, os.fsencode(target), None, ctypes.c_ulong(flags), None))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":  # whether it is allowed at all
    unshare(network=False)
