"""Muslin: static musl binaries and images FROM scratch, from source tarballs."""
