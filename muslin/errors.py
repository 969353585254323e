"""The base of everything that a person reads when something fails.

The classes are in `errors.py` of the lowest package that raises them. A class takes the facts and
writes the text: what failed, on what, what to do next. A traceback means a bug of Muslin's own.
"""

from __future__ import annotations

LONGEST = 1200
"""Letters of a line in a message."""


def shown(text: str) -> str:
    """A line as it is shown: names and texts of others may be long, and bytes of no letter."""
    if len(text) > LONGEST:
        left_out = len(text) - LONGEST
        text = f"{text[: LONGEST // 2]}… ({left_out} letters more) …{text[-LONGEST // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


class PipelineError(Exception):
    """Base of everything a person can meet; its text is complete as it stands."""

    refuses = False
    """Whether it says that the product of a stage is bad."""
    stage = ""
    """The name of the stage that it ended, if it ended one."""

    def __init__(self, text: str) -> None:
        super().__init__("\n".join(map(shown, text.split("\n"))))
