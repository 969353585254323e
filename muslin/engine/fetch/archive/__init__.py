"""The Debian archive: a reader of signed indexes that requires neither apt nor dpkg."""
