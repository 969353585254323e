"""What most of GCC's own files begin with, compiled once.

336 of the 499 files in gcc/ begin with the same headers and are preprocessed to some 100,000 lines
each (three of them for armv6, `g++ -E | wc -l`: 96,007 to 121,906). g++ reads a header that it has
compiled before from memory, where a file wants it first (`-include`) and with the same flags.
"""

from __future__ import annotations

from muslin.engine.vocabulary import Replace, Step, Touch, Write

HEADER = "precompiled.h"
LEVELS = ("O1", "O0")
"""g++ looks through `precompiled.h.gch/` and takes the one whose flags are those of the file."""
CONTAINERS = (
    "ALGORITHM",
    "ARRAY",
    "FUNCTIONAL",
    "LIST",
    "MAP",
    "MEMORY",
    "SET",
    "STRING",
    "VECTOR",
)
"""Of the standard library, that files ask system.h for with INCLUDE_*: all, for it comes once."""
FIRST = (
    *("config", "system", "coretypes", "memmodel", "backend", "target", "rtl", "tree", "gimple"),
    *("cfghooks", "tree-pass", "ssa", "cgraph", "gimple-pretty-print"),
    "vec-perm-indices",  # before fold-const: what matches trees wants what is declared there then
    *("fold-const", "gimple-iterator", "cfganal", "tree-cfg", "cfgloop"),
)
"""The order in which GCC's files include them. Each has a guard, so they may include it again."""

OBJECTS = "$(ALL_HOST_OBJS) : | $(generated_files)\n"
"""The line of gcc/Makefile.in below which every list of objects is complete."""
RULES = f"""
BEGIN_ALIKE := $(filter-out $(ALL_HOST_FRONTEND_OBJS), $(patsubst $(srcdir)/%.cc,%.o, \\
  $(shell grep -l '^#include "backend.h"' $(srcdir)/*.cc | xargs grep -L IN_TARGET_CODE))) \\
  $(GIMPLE_MATCH_PD_SEQ_O) $(GENERIC_MATCH_PD_SEQ_O)
$(BEGIN_ALIKE): private INTERNAL_CFLAGS += -include {HEADER}
$(BEGIN_ALIKE): | s-precompiled
s-precompiled: $(srcdir)/{HEADER} | $(generated_files)
\tmkdir -p {HEADER}.gch
\t$(COMPILER) -x c++-header $(ALL_COMPILERFLAGS) $(ALL_CPPFLAGS) -o {HEADER}.gch/O1 $<
\t$(COMPILER) -x c++-header $(ALL_COMPILERFLAGS) -O0 $(ALL_CPPFLAGS) -o {HEADER}.gch/O0 $<
\techo timestamp > $@
"""
"""Without front ends' objects, which have flags of their own, and without what says IN_TARGET_CODE,
by which headers declare other things."""


def in_sources(root: str, *, makefile: str, time: int) -> tuple[Step, ...]:
    """Mend GCC's sources below a folder."""
    asked = "".join(f"#define INCLUDE_{name}\n" for name in CONTAINERS)
    included = "".join(f'#include "{name}.h"\n' for name in FIRST)
    header = f"{root}/gcc/{HEADER}"
    return (
        Write(path=header, text=asked + included),
        Touch(path=header, time=time),
        Replace(root=root, pattern=makefile, old=OBJECTS, new=OBJECTS + RULES),
    )


def emptied(build: str, *, time: int) -> tuple[Step, ...]:
    """Take 200 MB from gcc's build folder, where all that wants them is made.

    Names stay, since make was told that objects depend on them, and g++ passes over what is no
    precompiled header.
    """
    return tuple(
        step
        for level in LEVELS
        for path in (f"{build}/{HEADER}.gch/{level}",)
        for step in (Write(path=path, text=""), Touch(path=path, time=time))
    )
