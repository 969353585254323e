"""OpenSSL is found by the usual tools wherever its folder lies."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.product.conftest import Product, output

PROGRAM = """\
#include <openssl/ssl.h>
#include <stdio.h>
int main(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    puts(context ? OpenSSL_version(OPENSSL_VERSION) : "no context");
    puts(OpenSSL_version(OPENSSL_DIR));
    SSL_CTX_free(context);
}
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(x C)
find_package(OpenSSL CONFIG REQUIRED)
add_executable(x x.c)
target_link_libraries(x OpenSSL::SSL atomic -static-pie)
"""


@pytest.fixture
def moved(product: Product, tmp_path: Path) -> Path:
    """The library, copied to where it was not built, beside a program that uses it."""
    to = tmp_path / "moved" / "usr"
    shutil.copytree(product.openssl / "usr", to)
    (tmp_path / "x.c").write_text(PROGRAM)
    return to


def runs(product: Product, program: Path) -> None:
    printed = output(product.emulated(program))
    assert re.search(r"^OpenSSL 3\.5\.", printed, re.MULTILINE)
    assert 'OPENSSLDIR: "/etc/ssl"' in printed


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="the host has no pkg-config")
def test_pkg_config_finds_it(product: Product, moved: Path, tmp_path: Path) -> None:
    words = output(
        ["pkg-config", "--static", "--cflags", "--libs", "openssl"],
        PKG_CONFIG_LIBDIR=str(moved / "lib" / "pkgconfig"),
        PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1",
    ).split()
    assert f"-L{moved}/lib/pkgconfig/../../lib" in words
    compiler = product.toolchain / "bin" / f"{product.target.triple}-gcc"
    output([compiler, "-static-pie", tmp_path / "x.c", "-o", tmp_path / "x", *words, "-latomic"])
    runs(product, tmp_path / "x")


@pytest.mark.skipif(shutil.which("cmake") is None, reason="the host has no cmake")
def test_cmake_finds_it(product: Product, moved: Path, tmp_path: Path) -> None:
    cmake = shutil.which("cmake") or "cmake"
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    compiler = product.toolchain / "bin" / f"{product.target.triple}-gcc"
    output(
        [
            *(cmake, "-S", tmp_path, "-B", tmp_path / "build"),
            *("-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_C_COMPILER={compiler}"),
            *(f"-DOpenSSL_DIR={moved}/lib/cmake/OpenSSL", "-DCMAKE_BUILD_TYPE=Release"),
        ]
    )
    output([cmake, "--build", tmp_path / "build"])
    runs(product, tmp_path / "build" / "x")


def test_nothing_of_the_builds_time_or_place_is_in_it(product: Product) -> None:
    content = (product.openssl / "usr" / "lib" / "libcrypto.a").read_bytes()
    (built,) = set(re.findall(rb"built on: ([^\0]+)", content))
    assert built == b"Tue Jan  1 00:00:00 1980 UTC"
    assert str(product.pipeline.context.settings.cache).encode() not in content
