"""A program in the host root:

`launcher.py WAY VIEW TREE DIRECTORY NETWORK CONFINED [OUTSIDE INSIDE WRITABLE]… -- PROGRAM WORD…`

The last two of the first six and WRITABLE are `yes` or nothing. It is run by its path, and imports
what it needs before the root changes; every import here is paid by every program.
"""

from __future__ import annotations

import os
import sys
import warnings  # noqa: F401  # by os.execvp, where there is no Python any more

if __name__ == "__main__":  # by its path: nothing of ours is found yet
    sys.path.insert(0, os.path.abspath(__file__ + "/../../../.."))

from muslin.engine.process import landlock, namespaces

YES = "yes"


def main(words: list[str]) -> int:
    """Become the program; the code to end with where that cannot be."""
    end = words.index("--")
    (way, view, tree, directory, network, confined), argv = words[:6], words[end + 1 :]
    places = words[6:end]
    folders = [
        (outside, inside, writable == YES)
        for outside, inside, writable in zip(places[::3], places[1::3], places[2::3], strict=True)
    ]
    try:
        landlock.adopt()
        if way == "chroot":
            os.chroot(view)
        elif way == "namespaces":
            namespaces.unshare(network=network == YES)
            namespaces.show(view, tree, folders)
        if way != "bubblewrap":  # which mounts, and that is forbidden once confined
            os.chdir(directory)
            if confined == YES:
                landlock.confine([inside for _, inside, writable in folders if writable])
        landlock.become(argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]} {landlock.NOT_STARTED} {error.strerror}\n")
    return landlock.CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
