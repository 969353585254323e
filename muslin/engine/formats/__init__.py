"""File formats, read without trust and written the same every time."""
