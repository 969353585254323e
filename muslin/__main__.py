"""`python -m muslin` is the command `muslin`."""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # whoever has an older one shall read why
    sys.exit(f"muslin requires Python 3.11 or newer, and {sys.executable} is {sys.version}")

from muslin.cli import terminal

if __name__ == "__main__":
    sys.exit(terminal.main())
