"""libpq, PostgreSQL's client library, static, with OpenSSL; neither server nor programs."""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Run, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "--disable-spinlocks",  # of the server
    "--with-ssl=openssl",
    "--without-icu",
    "--without-readline",
    "--without-zlib",
)
PORTABLE = ("USE_SLICING_BY_8_CRC32C", "1")
"""No code for newer processors, which it would look for when it runs: a client needs none of it."""
PORTABLE_X86 = ("pgac_cv_have_x86_64_popcntq", "no")
PARTS = ("src/port", "src/common")
"""Libraries that libpq is made with; the shared one has them inside."""
HEADERS = ("src/interfaces/libpq/libpq-fe.h", "src/interfaces/libpq/libpq-events.h")
OF_ALL = ("src/include/pg_config_ext.h", "src/include/postgres_ext.h")


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/libpq-fe.h`, `usr/lib/lib{pq,pgcommon,pgport}.a`, `usr/lib/pkgconfig/libpq.pc`,
    which names all three to who links statically."""
    sources, goals = library.SOURCES, ("all-static-lib", "install-lib-static", "install-lib-pc")
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(
            Run(
                argv=("./configure", f"--host={target.triple}", "--prefix=/usr", *OPTIONS),
                env=(
                    ("LIBS", "-latomic"),
                    PORTABLE,
                    *((PORTABLE_X86,) if target.triple.startswith("x86_64") else ()),
                ),
                cwd=sources,
            ),
            library.made("-C", "src/backend", "generated-headers"),
            *(library.made("-C", part, "install") for part in PARTS),
            library.made("-C", "src/interfaces/libpq", "installdirs", *goals),
            *(
                Copy(
                    source=f"{sources}/{header}",
                    to=f"${{out}}/usr/include/{header.rpartition('/')[2]}",
                )
                for header in (*HEADERS, *OF_ALL)
            ),
        ),
        has=("include/libpq-fe.h", "lib/libpq.a", "lib/libpgcommon.a", "lib/pkgconfig/libpq.pc"),
        guess=60,
    )


LIBRARY = Library(
    stage=stage,
    link=("-lpq", "-lpgcommon", "-lpgport"),
    needs=("openssl",),
    header=r"(libpq-fe|libpq-events)\.h",
    called=("libpq", "PostgreSQL"),
)
