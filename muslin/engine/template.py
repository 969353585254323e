"""Placeholders in the text fields of steps, checks and stages.

Every text field is a template: `${name}` is expanded when the stage runs. Text that comes from a
declaration or from a file is escaped where a recipe puts it into a field, and then never expands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\$(\$\{|\{([A-Za-z0-9._-]+)\})")


def escaped(text: str) -> str:
    """Return a template that expands to exactly this text."""
    return text.replace("${", "$${")


def expanded(template: str, values: Mapping[str, str]) -> str:
    """Replace every placeholder by its value; values are not expanded again.

    Raises `KeyError` with the name of a placeholder that has no value.
    """
    return PLACEHOLDER.sub(
        lambda match: "${" if match[1] == "${" else values[match[2]],
        template,
    )
