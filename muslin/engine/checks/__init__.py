"""The kinds of checks, a module each: the data beside what it examines."""
