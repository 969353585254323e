"""Text that a runner of GitHub would obey, made plain.

A runner reads commands from the output of every step: a line that begins with `::`, after white
space too, or has `##[` anywhere. The last lines of a failed build are shown, and whoever wrote the
source may have written those. Source: the runner's ActionCommand.cs.
"""

from __future__ import annotations

import os
import re

COMMAND = re.compile(r"^(\s*):(?=:)|##(?=\[)", re.MULTILINE)
MARK = "\N{WORD JOINER}"
"""Takes no room, and no command has it."""


def inert(text: str) -> str:
    """The text with no command in it; as it is where no runner reads it."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    return COMMAND.sub(lambda match: f"{match[0]}{MARK}", text)
