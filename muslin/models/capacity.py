"""How many processes, and how much memory, a run takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from muslin.engine.scheduler import SHARE
from muslin.models import errors as model_errors

JOBS_VARIABLE = "MUSLIN_JOBS"
MEMORY_VARIABLE = "MUSLIN_MEMORY"


def jobs() -> int:
    """`MUSLIN_JOBS`, or the cores that this process may use; raises `BadVariable`."""
    said = os.environ.get(JOBS_VARIABLE)
    if not said:
        return len(os.sched_getaffinity(0))
    if not re.fullmatch(r"[1-9][0-9]{0,5}", said):
        raise model_errors.BadVariable(JOBS_VARIABLE, said, "a number of processes, such as 4")
    return int(said)


def memory() -> int:
    """Bytes: `MUSLIN_MEMORY`, or four fifths of what there is; raises `BadVariable`."""
    said = os.environ.get(MEMORY_VARIABLE)
    if not said:
        return int(min((_physical(), *_limits())) * SHARE)
    size = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(MB|GB)", said)
    if size is None or not float(size[1]):
        raise model_errors.BadVariable(MEMORY_VARIABLE, said, "a size, such as 800MB or 4GB")
    return int(float(size[1]) * {"MB": 10**6, "GB": 10**9}[size[2]])


def _physical() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _limits() -> Iterator[int]:
    """What the control group grants, as a container's: cgroup v2 and v1."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            said = Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if said.isdecimal():  # `max` otherwise
            yield int(said)
