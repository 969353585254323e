"""OpenSSL: static libssl and libcrypto for one target."""

from __future__ import annotations

from recipes.engine.stage import Free, Present, Remove, Replace, Run, Source, Stage, Unpack
from recipes.target import Target

OPTIONS = (
    "--prefix=/usr",
    "--libdir=lib",  # x86_64 would say lib64
    "--openssldir=/etc/ssl",
    "no-apps",
    "no-async",  # musl has no getcontext(3)
    "no-comp",  # CRIME: nobody wants compressed TLS
    "no-docs",
    "no-dso",
    "no-engine",
    "no-module",
    "no-shared",
    "no-tests",
)
LINK: tuple[str, ...] = ("-lssl", "-lcrypto", "-latomic")


def stage(target: Target, *, source: Source, toolchain: Stage) -> Stage:
    """`usr/include`, `usr/lib/lib{ssl,crypto}.a`, pkg-config and CMake files that can be moved."""
    return Stage(
        name=f"openssl-{target.name}",
        target=target.name,
        summary="static libssl and libcrypto",
        sources=(("openssl", source),),
        needs=(("toolchain", toolchain),),
        path=("${need.toolchain}/bin",),
        steps=(
            Unpack(archive="${source.openssl}", into="${work}/openssl", strip=1),
            Run(
                argv=(
                    "perl",
                    "./Configure",
                    target.openssl.target,
                    # By its bare name: the command line is recorded in libcrypto.
                    f"--cross-compile-prefix={target.triple}-",
                    *OPTIONS,
                ),
                cwd="${work}/openssl",
            ),
            Run(argv=("make", "build_libs"), cwd="${work}/openssl"),
            Run(argv=("make", "install_dev", "DESTDIR=${out}"), cwd="${work}/openssl"),
            Replace(
                root="${out}/usr/lib/pkgconfig",
                pattern="*.pc",
                old="prefix=/usr\n",
                new="prefix=$${pcfiledir}/../..\n",
            ),
            Remove(root="${out}", patterns=("usr/share",)),
        ),
        runs_on="target",
        checks=(
            Present(
                root="${out}/usr",
                paths=(
                    *("lib/libssl.a", "lib/libcrypto.a", "lib/pkgconfig/openssl.pc"),
                    *("lib/cmake/OpenSSL/OpenSSLConfig.cmake", "include/openssl/ssl.h"),
                ),
            ),
            Free(texts=("${cache}",)),
        ),
        guess=160,
    )


def environment(target: Target) -> tuple[tuple[str, str], ...]:
    """How the `openssl-sys` crate finds it."""
    return (
        (f"{target.environment_name}_OPENSSL_DIR", "${need.openssl}/usr"),
        ("OPENSSL_STATIC", "1"),
    )
