"""The command line: options, sessions and what they print."""
