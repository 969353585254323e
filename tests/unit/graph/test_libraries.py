"""What a service is told that asks for a library that it has not declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from muslin.graph import libraries
from muslin.models import service

PROJECT = Path(__file__).resolve().parents[3]
SAID = {
    "main.c:1:10: fatal error: bzlib.h: No such file or directory": "bzip2",
    "ld: cannot find -lpq: No such file or directory": "libpq",
    "Package 'libzstd', required by 'virtual:world', not found": "zstd",
    "main.c:1:10: fatal error: zlib.h: No such file or directory": "zlib",
    "main.cc:1:10: fatal error: 'openssl/evp.h' file not found": "openssl",
    "ld: cannot find -lcrypto: No such file or directory": "openssl",
    "CMake Error: Could NOT find ZLIB (missing: ZLIB_LIBRARY ZLIB_INCLUDE_DIR)": "zlib",
    "CMake Error: Could NOT find CURL (missing: CURL_LIBRARY)": "curl",
    "Package zlib was not found in the pkg-config search path.": "zlib",
    "Package 'libcurl', required by 'virtual:world', not found": "curl",
    "configure: error: Package requirements (sqlite3 >= 3.8) were not met:": "sqlite3",
    'meson.build:2:0: ERROR: Dependency "libcurl" not found, tried pkgconfig': "curl",
    "The system library `sqlite3` required by crate `libsqlite3-sys` was not found.": "sqlite3",
    "Could not find directory of OpenSSL installation, and this `-sys` crate cannot": "openssl",
}


@pytest.mark.parametrize(("line", "library"), SAID.items())
def test_what_builds_say_leads_to_a_library(line: str, library: str) -> None:
    (one,) = service.load([PROJECT / "services" / "hello-c"]).values()
    said = [says for pattern, says in libraries.remedies(one) if re.search(pattern, line)]
    assert len(said) == 1
    assert f'`needs = ["{library}"]` in {one.declared}' in said[0]


def test_what_is_declared_is_not_asked_for_again() -> None:
    (one,) = service.load([PROJECT / "services" / "hello-tls"]).values()
    patterns = dict(libraries.remedies(one))
    line = "ld: cannot find -lssl: No such file or directory"
    assert not [says for pattern, says in patterns.items() if re.search(pattern, line)]
    assert any('needs = ["openssl", "zlib"]' in says for says in patterns.values())
