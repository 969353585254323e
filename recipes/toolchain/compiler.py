"""GCC's own programs.

They are apart from the target's libraries so that a mended musl costs no new compiler, and so that
targets of one machine share what they differ in by defaults alone. What is handed on is the tree
that was built in, whole: GCC's makefiles build the libraries with the compiler that lies there.
"""

from __future__ import annotations

from muslin.engine.vocabulary import (
    Check,
    Copy,
    Folder,
    ForbiddenText,
    Link,
    Present,
    Rebase,
    Remove,
    Replace,
    Run,
    Stage,
    Step,
    Touch,
)
from muslin.models.target import Target
from recipes.component import LONG_AGO
from recipes.toolchain import precompiled_headers

OPTIONS = (
    "--prefix=",  # empty: every path is found from where the compiler lies
    "--libdir=/lib",
    "--enable-languages=c,c++",
    "--disable-analyzer",  # -fanalyzer is no part of a cross build
    "--disable-bootstrap",
    "--disable-fixed-point",  # _Fract and _Accum: on ARM 1,400 functions in libgcc
    "--disable-gcov",
    "--disable-gnu-indirect-function",  # musl has no IFUNC
    "--disable-libcc1",
    "--disable-libgomp",
    "--disable-libitm",
    "--disable-libquadmath",
    "--disable-libsanitizer",  # wants glibc's internals
    "--disable-libssp",  # musl has its own
    "--disable-libstdcxx-pch",  # precompiled headers: long to make, and only for equal options
    "--disable-libvtv",
    "--disable-multilib",
    "--disable-nls",
    "--disable-plugin",
    "--enable-checking=release",
    "--enable-default-pie",
    "--enable-libstdcxx-time",
    "--enable-tls",
    "--with-pic",  # libatomic.a can go into a shared library; for libstdc++.a see gcc.py
    "--without-isl",
    "--without-zstd",
)
NO_MANUALS = ("MAKEINFO=true", "BUILD_INFO=", "MANFILES=", "GENERATED_MANPAGES=")
OPTIMISATION = "-O1"  # measured: the compiler compiles in 60 % of the time it takes at -O2
COSTLY = (
    "-fno-dse",
    "-fno-forward-propagate",
    "-fno-tree-dominator-opts",
    "-fno-tree-dse",
    "-fno-tree-pta",
)
"""Passes of -O1 that cost much: with these words and -fno-tree-sra combine.cc took 2.8 s of CPU
and not 3.0, ipa-cp.cc 2.7 and not 3.1. That one stays: GCC passes small structures by value."""
FAR_FUTURE = 4102444800  # 2100-01-01

HERE = "@here@"
"""What stands in the tree for the folder it was built in, and for those beside it."""
SIBLINGS = {"gcc": "source", "host-libs": "host-libs", "binutils": "binutils"}
"""What has to lie beside `build`, and the needs that it is: GCC is told of paths that end there."""
WITH_THE_TRIPLE = (
    *(
        "c-family/c-opts",
        "c/gccspec",
        "collect2",
        "cp/g++spec",
        "cp/module",
        "cppbuiltin",
        "cppdefault",
        "gcc",
    ),
    *("gcc-ar", "gcc-nm", "gcc-ranlib", "lto-streamer-in", "optinfo-emit-json", "toplev"),
    "tree-diagnostic-client-data-hooks",
)
"""Objects whose flags hold the target's name or folders (`CFLAGS-*.o` in gcc/Makefile.in and in
gcc/c*/Make-lang.in): make does not see it when such a flag changes."""


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    target: Target,
    *,
    source: Stage,
    host_libs: Stage,
    binutils: Stage,
    lender: tuple[Target, Stage] | None,
    tools: tuple[tuple[str, Stage], ...],
) -> Stage:
    """`build`, where `make all-gcc` was done. `lender` has a compiler that differs in nothing but
    defaults: of its tree only those programs are made anew that know them."""
    lent: tuple[tuple[str, Stage], ...] = ()
    steps: tuple[Step, ...] = _links("${out}")
    checks: tuple[Check, ...] = ()
    if lender:
        of, made = lender
        lent = (("lender", made),)
        steps = (*copied("${need.lender}", "${out}"), *_forget_lender("${out}"))
        if of.triple not in target.triple:
            checks = (ForbiddenText(root="${out}/build", texts=(of.triple,)),)
    return Stage(
        name=f"compiler-{target.name}",
        target=target.name,
        summary="GCC's own programs",
        needs=(("source", source), ("host-libs", host_libs), ("binutils", binutils), *lent),
        tools=tools,
        path=("${need.binutils}/bin",),
        steps=(
            *steps,
            Folder(path="${out}/sysroot/usr/include"),  # GCC's make insists that it is there
            Run(argv=_configure(target), cwd="${out}/build"),
            make("configure-gcc", shown_configuration(target), root="${out}"),
            # Debian's tarball has no manual to compare this stamp with, and make would stop.
            Touch(path="${out}/build/gcc/s-tm-texi", time=FAR_FUTURE),
            make("all-gcc", shown_configuration(target), root="${out}"),
            *precompiled_headers.emptied("${out}/build/gcc", time=LONG_AGO),
            Remove(root="${out}", patterns=(*SIBLINGS, "sysroot", "build/**/config.log")),
            # autoconf breaks long strings there, in the middle of a path that is to be found.
            Replace(
                root="${out}/build",
                pattern="**/config.status",
                old='"\\\n"',
                new="",
                may_lack=True,
            ),
            Rebase(root="${out}", old="${out}", new=HERE),
        ),
        runs_on="host",
        checks=(Present(paths=("build/gcc/xgcc", "build/gcc/cc1plus")), *checks),
        milestones=(
            ("out/build/config.status", "configured"),
            ("out/build/gcc/build/genrecog", "generators"),
            ("out/build/gcc/insn-recog.o", "back end"),
            ("out/build/gcc/cc1", "C compiler"),
        ),
        guess=120 if lender else 830,
        memory=900_000_000,
        peak=1_200_000_000,
        kept=500_000_000,
    )


def _links(root: str) -> tuple[Link, ...]:
    return tuple(
        Link(path=f"{root}/{name}", target=f"${{need.{need}}}") for name, need in SIBLINGS.items()
    )


def siblings(made: Stage) -> tuple[tuple[str, Stage], ...]:
    """The needs of a compiler that its tree does not do without."""
    return tuple((alias, need) for alias, need in made.needs if alias in SIBLINGS.values())


def copied(tree: str, root: str) -> tuple[Step, ...]:
    """A stage's tree, to be built in below another folder, in a stage that has its `siblings`."""
    return (
        Copy(source=tree, to=root),
        Rebase(root=root, old=HERE, new=root),
        *_links(root),
    )


def _forget_lender(root: str) -> tuple[Step, ...]:
    """Make what knows the lender's name unmade. Its configuration goes with the caches: configure
    removes every Makefile, and stops where a cache was made for another name."""
    return (
        Remove(
            root=root,
            patterns=(
                "build/**/config.cache",
                "build/**/liblto_plugin*",
                "build/lto-plugin/*.lo",
                "build/lto-plugin/.libs",
                "build/gcc/configargs.h",  # where it lies, configure adds "(reconfigured)" to it
                # Scripts that lead to the lender's assembler and linker; configure would ask them.
                *(f"build/gcc/{name}" for name in ("as", "collect-ld", "dsymutil", "nm")),
                *(f"build/gcc/{name}.o" for name in WITH_THE_TRIPLE),
            ),
        ),
    )


def _configure(target: Target) -> tuple[str, ...]:
    return (
        "../gcc/configure",  # by a relative path: it ends up in what is compiled
        f"--target={target.triple}",
        f"--with-sysroot=/{target.triple}",
        "--with-build-sysroot=${out}/sysroot",
        f"--with-build-time-tools=${{out}}/binutils/{target.triple}/bin",
        *(f"--with-{library}=${{out}}/host-libs" for library in ("gmp", "mpfr", "mpc")),
        *OPTIONS,
        *target.gcc.configure,
    )


def shown_configuration(target: Target) -> str:
    """What `gcc -v` shows as its configuration: the same without the build's folders."""
    words = (f"--target={target.triple}", *OPTIONS, *target.gcc.configure)
    return f"TOPLEVEL_CONFIGURE_ARGUMENTS=../gcc/configure {' '.join(words)}"


def target_flags(root: str) -> str:
    """What the target's libraries are compiled with below a folder."""
    return f"-O2 -g0 -ffile-prefix-map={root}=."


def make(*words: str, root: str, env: tuple[tuple[str, str], ...] = ()) -> Run:
    """GNU make in the tree below a folder, with everybody's flags."""
    flags, own = target_flags(root), " ".join((OPTIMISATION, *COSTLY))
    return Run(
        argv=(
            "make",
            *NO_MANUALS,
            f"CFLAGS={own}",
            f"CXXFLAGS={own}",
            # Its default has -g, and with it the folder in every generator.
            f"CFLAGS_FOR_BUILD={OPTIMISATION}",
            f"CXXFLAGS_FOR_BUILD={OPTIMISATION}",
            f"CFLAGS_FOR_TARGET={flags}",
            f"CXXFLAGS_FOR_TARGET={flags}",
            *words,
        ),
        cwd=f"{root}/build",
        env=env,
    )
