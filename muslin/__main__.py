"""`python -m muslin` is the command `muslin`."""

from __future__ import annotations

import sys

from muslin.cli import terminal

if __name__ == "__main__":
    sys.exit(terminal.main())
