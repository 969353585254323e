"""The texts of the driver `zig`: wrappers, clang's configuration, the makefile of its runtime."""

from __future__ import annotations

import re

from muslin.engine.vocabulary import Write, escaped
from muslin.models.target import Target

WRAPPER = """\
#!/bin/sh
# {what}
self=$0
test -L "$self" && self=$(readlink -f "$self")
exec "${{self%/*}}/../libexec/{program}" {words}"$@"
"""
LINKER = """\
#!/bin/sh
# LLVM's linker. compiler-rt is one object of 200 kB: what is not called of it is left out.
self=$0
test -L "$self" && self=$(readlink -f "$self")
unused="--gc-sections -z nostart-stop-gc"
for word; do
    case $word in
    -r | --relocatable | -v | --version) unused= ;;
    esac
done
exec "${self%/*}/../libexec/zig/zig" ld.lld $unused "$@"
"""
CONFIGURED = '--config="${self%/*}/../etc/clang.cfg" '
CONFIGURATION = """\
# Read by clang before all other options; <CFGDIR> is the directory of this file.
--target={triple}
{processor}
--sysroot=<CFGDIR>/../{triple}
-resource-dir=<CFGDIR>/../lib/clang
--ld-path=<CFGDIR>/../bin/{triple}-ld
--rtlib=compiler-rt
--unwindlib=libunwind
-stdlib=libc++
# GNU strip does not know the section.
-fno-addrsig
"""
GCC = re.compile(r"--with-(arch|cpu|fpu|float|mode|abi|tune)=(.+)")
SPELLED = {"float": "-mfloat-abi={}", "mode": "-m{}"}
"""How clang spells an option of GCC's configure, where it is not `-m<name>=<value>`."""
CONFIG_SITE = """\
/* What libc++'s own build would have configured. */
#define _LIBCPP_ABI_VERSION 1
#define _LIBCPP_ABI_NAMESPACE __1
#define _LIBCPP_ABI_FORCE_ITANIUM 0
#define _LIBCPP_ABI_FORCE_MICROSOFT 0
#define _LIBCPP_ASSERTION_SEMANTIC_DEFAULT _LIBCPP_ASSERTION_SEMANTIC_HARDENING_DEPENDENT
#define _LIBCPP_HARDENING_MODE_DEFAULT _LIBCPP_HARDENING_MODE_NONE
#define _LIBCPP_HAS_FILESYSTEM 1
#define _LIBCPP_HAS_LOCALIZATION 1
#define _LIBCPP_HAS_MONOTONIC_CLOCK 1
#define _LIBCPP_HAS_MUSL_LIBC 1
#define _LIBCPP_HAS_RANDOM_DEVICE 1
#define _LIBCPP_HAS_TERMINAL 1
#define _LIBCPP_HAS_THREADS 1
#define _LIBCPP_HAS_THREAD_API_C11 0
#define _LIBCPP_HAS_THREAD_API_EXTERNAL 0
#define _LIBCPP_HAS_THREAD_API_PTHREAD 1
#define _LIBCPP_HAS_THREAD_API_WIN32 0
#define _LIBCPP_HAS_TIME_ZONE_DATABASE 0
#define _LIBCPP_HAS_UNICODE 1
#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 0
#define _LIBCPP_HAS_WIDE_CHARACTERS 1
#define _LIBCPP_INSTRUMENTED_WITH_ASAN 0
#define _LIBCPP_PSTL_BACKEND_SERIAL
"""
RUNTIME = """\
# libunwind and libc++ from zig's copies of LLVM's sources. Left out is what its own build leaves
# out for musl: other systems, time zones, and operator new, which libc++ has.
LIB = ${work}/zig-lib
CC = ${out}/bin/{triple}-gcc
CXX = ${out}/bin/{triple}-g++
AR = ${out}/bin/{triple}-ar
COMMON = -O2 -fPIC -DNDEBUG -ffunction-sections -fdata-sections -fvisibility=hidden -w \\
    -ffile-prefix-map=$(LIB)=zig/lib -ffile-prefix-map=${out}=.
UNWIND = $(COMMON) -I$(LIB)/libunwind/include -D_LIBUNWIND_IS_NATIVE_ONLY -funwind-tables
PLUS = $(COMMON) -std=c++23 -nostdinc++ -fvisibility-inlines-hidden -faligned-allocation \\
    -D_LIBCPP_BUILDING_LIBRARY -D_LIBCXXABI_BUILDING_LIBRARY -DLIBCXX_BUILDING_LIBCXXABI \\
    -D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS -D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS \\
    -I$(LIB)/libcxx/include -I$(LIB)/libcxxabi/include -I$(LIB)/libcxx/src -I$(LIB)/libcxx/libc \\
    -I$(LIB)/libunwind/include

unwind = $(addprefix libunwind/src/,libunwind.cpp Unwind-EHABI.cpp Unwind-sjlj.c UnwindLevel1.c \\
    UnwindLevel1-gcc-ext.c gcc_personality_v0.c UnwindRegistersRestore.S UnwindRegistersSave.S)
abi = $(filter-out %/stdlib_new_delete.cpp %/cxa_noexception.cpp, \\
    $(sort $(wildcard $(LIB)/libcxxabi/src/*.cpp)))
plus = $(sort $(wildcard $(LIB)/libcxx/src/*.cpp $(LIB)/libcxx/src/filesystem/*.cpp \\
    $(LIB)/libcxx/src/ryu/*.cpp))
objects = $(patsubst $(LIB)/%,%.o,$(abi) $(plus))

all: libunwind.a libc++.a

libunwind.a: $(addsuffix .o,$(unwind))
	$(AR) rcsD $@ $^

libc++.a: $(objects)
	$(AR) rcsD $@ $^

libunwind/%.cpp.o: $(LIB)/libunwind/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNWIND) -std=c++17 -fno-exceptions -fno-rtti -nostdinc++ -c $< -o $@

libunwind/%.c.o: $(LIB)/libunwind/%.c
	@mkdir -p $(@D)
	$(CC) $(UNWIND) -fexceptions -c $< -o $@

libunwind/%.S.o: $(LIB)/libunwind/%.S
	@mkdir -p $(@D)
	$(CC) $(UNWIND) -c $< -o $@

libcxxabi/%.cpp.o: $(LIB)/libcxxabi/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(PLUS) -c $< -o $@

libcxx/%.cpp.o: $(LIB)/libcxx/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(PLUS) -c $< -o $@
"""
START = '__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;\n'
"""What musl does not have of GCC's `crtbegin.o`: the argument of `__cxa_atexit`."""
LOCALIZE = """\
set -e
"$0" --defined-only -g -P "$1" | cut -d' ' -f1 | sort -u >libc.names
"$0" --defined-only -g -P compiler_rt.o | cut -d' ' -f1 | sort -u >rt.names
comm -12 libc.names rt.names >both.names
test -s both.names
"$2" --localize-symbols=both.names compiler_rt.o
"""
"""compiler-rt brings memcpy, sqrt and others for systems without a C library; musl's are to be
taken, in whichever order both are linked."""
CLANG = "zig/zig"
BINUTILS = ("nm", "objcopy", "objdump", "readelf", "strip")


def processor(target: Target) -> tuple[str, ...]:
    """What clang is told of the processor: GCC's options in its spelling, and its own."""
    assert target.zig is not None, target.name
    found = (GCC.fullmatch(option) for option in target.gcc.configure)
    words = tuple(
        SPELLED.get(match[1], f"-m{match[1]}={{}}").format(match[2]) for match in found if match
    )
    return (*words, *target.zig.flags)


def programs(target: Target) -> tuple[Write, ...]:
    """`bin/<triple>-gcc` and the others, and the configuration that they share."""
    compiler = "clang, with the options of etc/clang.cfg"
    made = {
        "gcc": (CLANG, f"clang {CONFIGURED}", compiler),
        "g++": (CLANG, f"clang --driver-mode=g++ {CONFIGURED}", compiler),
        "c++": (CLANG, f"clang --driver-mode=g++ {CONFIGURED}", compiler),
        "cpp": (CLANG, f"clang --driver-mode=cpp {CONFIGURED}", compiler),
        "as": (CLANG, f"clang {CONFIGURED}-c -x assembler ", "clang's assembler"),
        "ar": (CLANG, "ar ", "LLVM's archiver"),
        "ranlib": (CLANG, "ranlib ", "LLVM's archiver"),
        **{name: (f"binutils/bin/{name}", "", "GNU binutils") for name in BINUTILS},
    }
    return (
        *(
            Write(
                path=f"${{out}}/bin/{target.triple}-{name}",
                text=escaped(WRAPPER.format(what=what, program=program, words=words)),
                executable=True,
            )
            for name, (program, words, what) in made.items()
        ),
        Write(path=f"${{out}}/bin/{target.triple}-ld", text=escaped(LINKER), executable=True),
        Write(
            path="${out}/etc/clang.cfg",
            text=CONFIGURATION.format(triple=target.triple, processor="\n".join(processor(target))),
        ),
    )
