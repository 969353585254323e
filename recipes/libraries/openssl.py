"""OpenSSL: static libssl and libcrypto for one target."""

from __future__ import annotations

from muslin.engine.vocabulary import CommandOutput, Copy, ForbiddenText, Present, Remove, Run, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component, cross
from recipes.cross import Kit
from recipes.emulator import emulated
from recipes.library import Library

PLACES = (
    "--prefix=/usr",
    "--libdir=lib",  # x86_64 would say lib64
    "--openssldir=/etc/ssl",
)
LEFT_OUT = (
    "no-async",  # musl has no getcontext(3)
    "no-comp",  # CRIME: nobody wants compressed TLS
    "no-docs",
    "no-dso",
    "no-engine",
    "no-module",
    "no-shared",
)
OPTIONS = (*PLACES, "no-apps", *LEFT_OUT, "no-tests")
ANSWERS = "test/recipes/30-test_evp_data"
"""Where OpenSSL keeps the known answers of its ciphers, digests, signatures and so on."""
SLOW = (f"{ANSWERS}/evppkey_slh_dsa_keygen.txt", f"{ANSWERS}/evppkey_slh_dsa_siggen.txt")
"""Generation of keys and signatures by SLH-DSA: 200 of 263 seconds under QEMU on x86-64; that its
signatures verify is among the rest."""
ASK = """\
set -e
cd "$0"
for each in answers/*.txt; do
    "$@" -config default.cnf "$each" || { echo "$each fails"; exit 1; }
done
echo all known answers
"""


# Long: one stage, declared from its needs to its checks.
def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include`, `usr/lib/lib{ssl,crypto}.a`, pkg-config and CMake files that can be moved."""
    return Stage(
        name=f"openssl-{target.name}",
        target=target.name,
        summary="static libssl and libcrypto",
        sources=component.sources(source),
        needs=kit.needs,
        path=("${need.toolchain}/bin",),
        steps=(
            *component.unpacked(source, into="${work}/openssl"),
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
        shared=True,
        checks=(
            Present(
                root="${out}/usr",
                paths=(
                    *("lib/libssl.a", "lib/libcrypto.a", "lib/pkgconfig/openssl.pc"),
                    *("lib/cmake/OpenSSL/OpenSSLConfig.cmake", "include/openssl/ssl.h"),
                ),
            ),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=160,
        peak=600_000_000,
        kept=20_000_000,
    )


# Long: one stage, declared from its needs to its checks.
def known_answers(
    target: Target, *, source: Component, kit: Kit, library: Stage, qemu: Stage
) -> Stage:
    """OpenSSL's `evp_test`, linked with the libcrypto that services get, and its known answers,
    asked on the emulated baseline processor."""
    return Stage(
        name=f"openssl-tests-{target.name}",
        target=target.name,
        summary="evp_test gave all of OpenSSL's known answers, SLH-DSA's generation left out",
        sources=component.sources(source),
        needs=(*kit.needs, ("openssl", library)),
        path=("${need.toolchain}/bin",),
        env=(("LDCMD", f"{target.triple}-gcc -static-pie"),),
        steps=(
            *component.unpacked(source, into="${work}/openssl"),
            Run(
                argv=(
                    *("perl", "./Configure", target.openssl.target),
                    f"--cross-compile-prefix={target.triple}-",
                    *(*PLACES, *LEFT_OUT),
                    "LDLIBS=-latomic",
                ),
                cwd="${work}/openssl",
            ),
            Copy(source="${need.openssl}/usr/lib/libcrypto.a", to="${work}/openssl/libcrypto.a"),
            # -o: the library is not made again, however old it looks.
            Run(
                argv=("make", "-o", "libcrypto.a", "build_generated", "test/evp_test"),
                cwd="${work}/openssl",
            ),
            Copy(source="${work}/openssl/test/evp_test", to="${out}/evp_test"),
            Copy(source="${work}/openssl/test/default-and-legacy.cnf", to="${out}/default.cnf"),
            Remove(root="${work}/openssl", patterns=SLOW),
            Copy(source=f"${{work}}/openssl/{ANSWERS}", to="${out}/answers"),
        ),
        runs_on="target",
        judges=(("qemu", qemu),),
        checks=(
            CommandOutput(
                run=Run(argv=("sh", "-c", ASK, "${out}", *emulated(target, "${out}/evp_test"))),
                expect="all known answers",
            ),
        ),
        guess=80,
        peak=700_000_000,
        kept=65_000_000,
    )


def environment(target: Target) -> tuple[tuple[str, str], ...]:
    """How the `openssl-sys` crate finds it."""
    name = f"{target.environment_name}_OPENSSL"
    return (
        (f"{name}_DIR", "${need.openssl}/usr"),
        (f"{name}_STATIC", "1"),
        (f"{name}_NO_VENDOR", "1"),  # a crate may bring sources of OpenSSL along: ours serve
    )


LIBRARY = Library(
    stage=stage,
    link=("-lssl", "-lcrypto", "-latomic"),
    tests=known_answers,
    environment=environment,
    header=r"openssl/\w+\.h",
    cpe="openssl:openssl",
    called=("openssl", "libssl", "libcrypto", "directory of openssl"),
)
