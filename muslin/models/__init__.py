"""Declarations in TOML and projects of users, read into frozen models."""
