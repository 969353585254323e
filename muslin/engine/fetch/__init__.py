"""Downloads: from the web and from the Debian archive."""
