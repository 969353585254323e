"""Instructions of every class: as an assembler takes them, their bytes, and what they need."""

from __future__ import annotations

Cases = tuple[tuple[str, str, set[str]], ...]
"""An instruction, its bytes in hexadecimal as they lie in memory, and what it needs beyond the
least of its kind. LLVM's assembler made the bytes, GNU's those for x86-64."""
