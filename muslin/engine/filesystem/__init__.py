"""Files and folders that others may have changed: looked at, written whole, removed."""
