"""OpenSSL: static libssl and libcrypto for one target."""

from __future__ import annotations

from recipes.engine.stage import Free, Present, Remove, Run, Source, Stage, Unpack
from recipes.stages import cross
from recipes.stages.cross import Kit
from recipes.stages.library import Library
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


def stage(target: Target, *, source: Source, kit: Kit) -> Stage:
    """`usr/include`, `usr/lib/lib{ssl,crypto}.a`, pkg-config and CMake files that can be moved."""
    return Stage(
        name=f"openssl-{target.name}",
        target=target.name,
        summary="static libssl and libcrypto",
        sources=(("openssl", source),),
        needs=kit.needs,
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
            cross.movable(),
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
        peak=600_000_000,
        kept=20_000_000,
    )


def environment(target: Target) -> tuple[tuple[str, str], ...]:
    """How the `openssl-sys` crate finds it."""
    return (
        (f"{target.environment_name}_OPENSSL_DIR", "${need.openssl}/usr"),
        ("OPENSSL_STATIC", "1"),
        ("OPENSSL_NO_VENDOR", "1"),  # a crate may bring sources of OpenSSL along: ours serve
    )


LIBRARY = Library(stage=stage, link=("-lssl", "-lcrypto", "-latomic"), environment=environment)
