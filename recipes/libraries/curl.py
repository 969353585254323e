"""libcurl, static, with OpenSSL and zlib; the program curl is not built."""

from __future__ import annotations

from muslin.engine.vocabulary import (
    ForbiddenText,
    Present,
    Remove,
    Replace,
    Run,
    Stage,
    Write,
    escaped,
)
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component, cross
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "--prefix=/usr",
    "--disable-shared",
    "--disable-docs",
    "--disable-ldap",
    "--disable-manual",
    "--with-openssl",
    "--with-zlib",
    "--with-ca-bundle=/etc/ssl/certs/ca-certificates.crt",  # where images have it
    "--without-brotli",
    "--without-libidn2",
    "--without-libpsl",
    "--without-nghttp2",
    "--without-zstd",
)


CMAKE = "${out}/usr/lib/cmake/CURL/CURLConfig"
CONFIG = """\
# CMake's own module finds libcurl.a alone, and a static one wants more.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL)
find_dependency(ZLIB)
find_dependency(Threads)
get_filename_component(_curl "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET CURL::libcurl)
  add_library(CURL::libcurl STATIC IMPORTED)
  set_target_properties(CURL::libcurl PROPERTIES
    IMPORTED_LOCATION "${_curl}/lib/libcurl.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_curl}/include"
    INTERFACE_COMPILE_DEFINITIONS CURL_STATICLIB
    INTERFACE_LINK_LIBRARIES "OpenSSL::SSL;OpenSSL::Crypto;ZLIB::ZLIB;Threads::Threads")
endif()
set(CURL_INCLUDE_DIRS "${_curl}/include")
set(CURL_LIBRARIES CURL::libcurl)
set(CURL_VERSION_STRING "${CURL_VERSION}")
unset(_curl)
"""
CONFIG_VERSION = """\
set(PACKAGE_VERSION "{version}")
if(NOT PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
"""


# Long: one stage, declared from its needs to its checks.
def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/curl`, `usr/lib/libcurl.a`, pkg-config and CMake files that can be moved."""
    upstream = source.version.partition("-")[0]
    return Stage(
        name=f"curl-{target.name}",
        target=target.name,
        summary="static libcurl",
        sources=component.sources(source),
        needs=kit.needs,
        tools=kit.tools,
        path=cross.PATH,
        env=(("PKG_CONFIG", f"{target.triple}-pkg-config"), ("CFLAGS", "-O2")),
        steps=(
            *cross.steps(target, kit),
            *component.unpacked(source, into="${work}/curl"),
            Run(
                argv=("./configure", f"--host={target.triple}", *OPTIONS, "LIBS=-latomic"),
                cwd="${work}/curl",
            ),
            Run(argv=("make", "-C", "lib"), cwd="${work}/curl"),
            Run(argv=("make", "-C", "lib", "install", "DESTDIR=${out}"), cwd="${work}/curl"),
            Run(argv=("make", "-C", "include", "install", "DESTDIR=${out}"), cwd="${work}/curl"),
            Run(
                argv=("make", "install-pkgconfigDATA", "DESTDIR=${out}"),
                cwd="${work}/curl",
            ),
            cross.movable(),
            # What it requires it names besides; where that lay in this build is nobody's business.
            Replace(
                root="${out}/usr/lib/pkgconfig",
                pattern="libcurl.pc",
                old="-L${need.openssl}/usr/lib/pkgconfig/../../lib ",
                new="",
            ),
            Remove(root="${out}", patterns=("usr/lib/*.la", "usr/share")),
            Write(path=f"{CMAKE}.cmake", text=escaped(CONFIG)),
            Write(path=f"{CMAKE}Version.cmake", text=CONFIG_VERSION.format(version=upstream)),
        ),
        runs_on="target",
        shared=True,
        checks=(
            Present(paths=("usr/include/curl/curl.h", "usr/lib/libcurl.a")),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=60,
        peak=200_000_000,
        kept=5_000_000,
    )


LIBRARY = Library(
    stage=stage,
    link=("-lcurl",),
    needs=("openssl", "zlib"),
    header=r"curl/\w+\.h",
    cpe="haxx:curl",
    called=("curl", "libcurl"),
)
