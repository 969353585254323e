"""Every library by recipe, alone and in pairs, found by each build system that people have. Wants
`nox -s build-all` first."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.product.shop import Shop, lay, package

CALLS = {
    "curl": ("curl/curl.h", "curl_version() != 0"),
    "openssl": ("openssl/ssl.h", "SSL_CTX_new(TLS_client_method()) != 0"),
    "sqlite3": ("sqlite3.h", "sqlite3_libversion() != 0"),
    "zlib": ("zlib.h", "zlibVersion() != 0"),
    "bzip2": ("bzlib.h", "BZ2_bzlibVersion() != 0"),
    "libpq": ("libpq-fe.h", 'PQconninfoParse("host=h", 0) != 0'),
    "zstd": ("zstd.h", "ZSTD_createCCtx() != 0"),
}
"""A header of each library, and what is true if the library is there."""
IN_CMAKE = {
    "curl": ("CURL", "CURL::libcurl"),
    "openssl": ("OpenSSL", "OpenSSL::SSL"),
    "sqlite3": ("SQLite3", "SQLite::SQLite3"),
    "zlib": ("ZLIB", "ZLIB::ZLIB"),
    "bzip2": ("BZip2", "BZip2::BZip2"),
}
"""Those for which CMake has a module that is enough for a static library."""
MODULES = {
    "curl": "libcurl",
    "zstd": "libzstd",
}
"""Their names in pkg-config, where those are others."""
CRATES = {
    "curl": 'curl-sys = { version = "0.4", default-features = false, features = ["ssl"] }',
    "openssl": 'openssl-sys = "0.9"',
    "sqlite3": 'libsqlite3-sys = "0.30"',
    "zlib": 'libz-sys = { version = "1", default-features = false }',
    "bzip2": 'bzip2-sys = "0.1"',
    "libpq": 'pq-sys = "0.7"',
    "zstd": 'zstd-sys = "2"',
}
RUST = {
    "curl": "!curl_sys::curl_version().is_null()",
    "openssl": "!openssl_sys::TLS_client_method().is_null()",
    "sqlite3": "!libsqlite3_sys::sqlite3_libversion().is_null()",
    "zlib": "!libz_sys::zlibVersion().is_null()",
    "bzip2": "bzip2_sys::BZ2_bzCompressInit(&mut std::mem::zeroed(), 9, 0, 0) == 0",
    "libpq": "pq_sys::PQlibVersion() > 150_000",
    "zstd": "zstd_sys::ZSTD_versionNumber() > 10_500",
}
ALONE_AND_PAIRED = [*((one,) for one in CALLS), *itertools.combinations(CALLS, 2)]
BOTH_ORDERS = [*ALONE_AND_PAIRED, *(pair[::-1] for pair in ALONE_AND_PAIRED if len(pair) > 1)]


def program(names: tuple[str, ...]) -> str:
    """A program in C that calls each and prints how many there were."""
    included = "".join(f"#include <{CALLS[name][0]}>\n" for name in names)
    calls = " + ".join(f"({CALLS[name][1]})" for name in names)
    return f'{included}#include <stdio.h>\nint main(void) {{ printf("%d\\n", {calls}); }}\n'


def called(names: tuple[str, ...]) -> str:
    return "-".join(names)


def sources(shop: Shop, name: str) -> None:
    lay(shop.folder / name, {f"{called(one)}.c": program(one) for one in BOTH_ORDERS})


def test_by_the_modules_of_cmake(shop: Shop) -> None:
    """FindOpenSSL names no libatomic, which OpenSSL wants on ARMv6, and FindCURL nothing at all."""
    lines = ["cmake_minimum_required(VERSION 3.16)", "project(every C)", "enable_testing()"]
    for names in (one for one in ALONE_AND_PAIRED if {*one} <= {*IN_CMAKE}):
        target = called(names)
        lines += [f"find_package({IN_CMAKE[name][0]} REQUIRED)" for name in names]
        lines += [
            f"add_executable({target} {target}.c)",
            f"target_link_libraries({target} {' '.join(IN_CMAKE[name][1] for name in names)})",
            f"add_custom_command(TARGET {target} POST_BUILD COMMAND sh -c "
            f'[[test "$("$@")" = {len(names)}]] sh ${{CMAKE_CROSSCOMPILING_EMULATOR}} ./{target} '
            "VERBATIM)",
        ]
    lines += ["add_executable(every curl.c)", "target_link_libraries(every CURL::libcurl)"]
    lay(shop.folder / "every", {"CMakeLists.txt": "\n".join([*lines, "install(TARGETS every)"])})
    sources(shop, "every")
    shop.build("every", build="cmake", more=f"needs = {json.dumps(list(CALLS))}", expect="1")


def test_by_pkg_config_in_a_makefile(shop: Shop) -> None:
    rules = []
    for names in BOTH_ORDERS:
        modules = " ".join(MODULES.get(name, name) for name in names)
        rules.append(
            f"{called(names)}: {called(names)}.c\n\t$(CC) $< -o $@ "
            f"$(shell $(PKG_CONFIG) --cflags --libs {modules})\n"
        )
    everyone = " ".join(map(called, BOTH_ORDERS))
    makefile = f"all: {everyone}\n{''.join(rules)}install:\n\tinstall -D curl $(DESTDIR)/bin/all\n"
    lay(shop.folder / "all", {"Makefile": makefile})
    sources(shop, "all")
    shop.build("all", build="make", more=f"needs = {json.dumps(list(CALLS))}", expect="1")


@pytest.mark.parametrize("names", [(name,) for name in CALLS], ids=called)
@pytest.mark.once
def test_by_ldlibs_with_no_more_than_was_declared(shop: Shop, names: tuple[str, ...]) -> None:
    makefile = "all: x\nx: x.c\ninstall:\n\tinstall -D x $(DESTDIR)/bin/x\n"
    lay(shop.folder / "x", {"Makefile": makefile, "x.c": program(names)})
    more = f"needs = {json.dumps(list(names))}"
    shop.build("x", build="make", more=more, expect=str(len(names)))


def test_by_crates(shop: Shop) -> None:
    depends = "[dependencies]\n" + "\n".join(CRATES.values()) + "\n"
    calls = " + ".join(f"({one}) as u8" for one in RUST.values())
    main = f'fn main() {{ println!("{{}}", unsafe {{ {calls} }}); }}'
    lay(shop.folder / "all", {"Cargo.toml": package("all", depends), "src/main.rs": main})
    shop.cargo("all", "generate-lockfile")
    needs = f"needs = {json.dumps(list(CRATES))}"
    shop.build("all", build="cargo", more=needs, expect=str(len(RUST)))
