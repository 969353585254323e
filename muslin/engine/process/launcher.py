"""A program in the host root: `launcher.py REQUEST -- PROGRAM WORD…`, the request as JSON.

It is run by its path, and imports what it needs before the root changes.
"""

from __future__ import annotations

import json
import os
import sys
import warnings  # noqa: F401  # by os.execvp, where there is no Python any more

sys.path.insert(0, os.path.abspath(__file__ + "/../../../.."))

from muslin.engine.process import landlock, namespaces  # found by the line above


def main(request: str, argv: list[str]) -> int:
    """Become the program; the code to end with where that cannot be."""
    said = json.loads(request)
    try:
        landlock.adopt()
        if said["way"] == "chroot":
            os.chroot(said["view"])
        elif said["way"] == "namespaces":
            namespaces.unshare(network=said["network"])
            namespaces.show(said["view"], said["tree"], said["folders"])
        if said["way"] != "bubblewrap":  # which mounts, and that is forbidden once confined
            os.chdir(said["cwd"])
            if said["confined"]:
                landlock.confine([path for _, path, writable in said["folders"] if writable])
        landlock.become(argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]} {landlock.NOT_STARTED} {error.strerror}\n")
    return landlock.CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[3:]))
