"""The kinds of steps, a module each: the data beside what it does."""
