"""The Debian package of a service."""
