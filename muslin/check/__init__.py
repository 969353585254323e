"""Programs that somebody else built, held to a processor."""
