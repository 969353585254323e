"""A private state for apt: where it keeps indexes, which sources it reads, how it behaves."""

from __future__ import annotations

import os
from pathlib import Path

from muslin.engine.filesystem import atomic

# Read after the system's own files (`-c`): hooks of the system must not run, indexes of other
# programs are not wanted, and caches that container images switch off save a second per call.
# Without Error-Mode, an archive that cannot be reached would look like one that has nothing.
CONFIGURATION = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Pre-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear Acquire::IndexTargets::deb-src::Contents-dsc;
#clear Acquire::IndexTargets::deb::CNF;
APT::Default-Release "";
Dir::State "{state}/state";
Dir::State::lists "{state}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{state}/cache";
Dir::Cache::archives "{state}/cache/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{state}/sources";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
{more}
"""


def configuration(state: Path) -> Path:
    """The file to give to apt's programs with `-c`."""
    return state / "apt.conf"


def prepare(state: Path, sources: str, architecture: str = "") -> Path:
    """Make the folders, the sources (deb822) and the configuration; returns the latter.

    An architecture by Debian's name takes the place of this machine's own.
    """
    for folder in ("state", "lists/partial", "cache/archives/partial", "sources"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    # An address of the system's may have a password in it.
    atomic.write(state / "sources" / "archive.sources", sources, mode=0o600)
    more = ['APT::Sandbox::User "root";'] if os.geteuid() == 0 else []
    if architecture:
        more += [
            f'APT::Architecture "{architecture}";',
            "#clear APT::Architectures;",
            f'APT::Architectures {{ "{architecture}"; }};',
        ]
    text = CONFIGURATION.format(state=state, more="\n".join(more))
    atomic.write(configuration(state), text, mode=0o600)
    return configuration(state)
