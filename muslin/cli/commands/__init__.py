"""One module for each session."""
