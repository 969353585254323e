"""Names of everything in a cache's directory. Imports nothing: it is read at each start.

store/<key>/           finished stages (`muslin/engine/cache/store.py`)
refused/<key>/         stages whose checks failed, for a look; never used
differing/<key>/       what a shared store has for a key, where it is not what was built here
work/<key>/            stages that are being built
scratch/<stage>-<key>/ directories that a stage keeps between its builds
downloads/<sha256>/    sources, and partial files of them
logs/<target>/         the log of each stage
locks/                 `in-use` and one lock for each key
history/<stage>.json   the last build of each stage
runs/<time>/           events of the last runs
archive/               signed indexes of the Debian archive
unchanged/             what the last runs read, by session
format                 the version of all this
run-lock.toml          versions that replace pinned ones which the archive no longer has
advisories.json        which CVEs the pinned versions fix
"""

from __future__ import annotations

STORE = "store"
REFUSED = "refused"
DIFFERING = "differing"
WORK = "work"
SCRATCH = "scratch"
DOWNLOADS = "downloads"
LOGS = "logs"
LOCKS = "locks"
IN_USE = f"{LOCKS}/in-use"
HISTORY = "history"
RUNS = "runs"
ARCHIVE = "archive"
UNCHANGED = "unchanged"
FORMAT = "format"
RUN_LOCK = "run-lock.toml"
ADVISORIES = "advisories.json"
ADVISORIES_FAILED = ".advisories-failed"
