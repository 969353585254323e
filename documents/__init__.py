"""The documents as a site: `nox -s docs`."""
