"""Binutils, GCC, musl and kernel headers: a compiler for one target."""
