"""Rust's std and the crates of a lock file."""
