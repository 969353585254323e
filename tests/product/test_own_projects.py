"""Projects that were not written for Muslin, built unchanged: what real ones taught us, each trap
in a small one. Wants `nox -s build-all` first."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.process import errors as process_errors
from muslin.engine.process import landlock
from muslin.errors import PipelineError
from tests.product.shop import Shop, lay, package

# --- cargo ----------------------------------------------------------------------------------


@pytest.mark.once
def test_features_profile_binary_and_a_path_dependency_outside(shop: Shop) -> None:
    more = """
[features]
default = ["left-out"]
left-out = []
taken = []
[dependencies]
near = { path = "../near" }
[profile.small]
inherits = "release"
opt-level = "z"
[[bin]]
name = "renamed"
path = "src/main.rs"
"""
    main = """
#[cfg(feature = "left-out")]
compile_error!("default features are on");
fn main() { println!("{} {}", near::word(), cfg!(feature = "taken")); }
"""
    lay(shop.folder / "near", {"Cargo.toml": package("near")})
    lay(shop.folder / "near", {"src/lib.rs": 'pub fn word() -> &\'static str { "beside" }'})
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    table = '[cargo]\nfeatures = ["taken"]\ndefault-features = false\nprofile = "small"'
    shop.build("app", build="cargo", binary="renamed", more=table, expect="beside true")


@pytest.mark.once
def test_one_member_of_a_workspace_declared_in_its_manifest(shop: Shop) -> None:
    root = (
        '[workspace]\nmembers = ["app", "broken"]\ndefault-members = ["broken"]\nresolver = "2"\n'
    )
    metadata = """
[package.metadata.muslin]
summary = "declared in its own manifest"
image.entrypoint = ["/app"]
run = [{ expect = "readme" }]
"""
    main = '#![doc = include_str!("../../README.md")]\nfn main() { println!("readme"); }'
    lay(shop.folder, {"Cargo.toml": root, "README.md": "of the workspace"})
    lay(shop.folder / "app", {"Cargo.toml": package("app", metadata), "src/main.rs": main})
    lay(shop.folder / "broken", {"Cargo.toml": package("broken"), "src/lib.rs": "no Rust"})
    shop.cargo("app", "generate-lockfile")
    shop.run("app")
    assert (shop.folder / "checkout/dist" / shop.product.target.name / "app").is_file()


@pytest.mark.once
def test_a_dependency_from_git(shop: Shop) -> None:
    there = shop.folder / "far.git"
    lay(there, {"Cargo.toml": package("far")})
    lay(there, {"src/lib.rs": 'pub fn word() -> &\'static str { "from git" }'})
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q", "-b", "trunk"), ("add", "."), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", *identity, *words], cwd=there, check=True)
    depends = f'[dependencies]\nfar = {{ git = "file://{there}", branch = "trunk" }}\n'
    main = 'fn main() { println!("{}", far::word()); }'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    try:
        shop.cargo("app", "generate-lockfile")
    except subprocess.CalledProcessError as error:
        if b"git_proxy_options" in error.stderr:
            pytest.skip("Debian 12's cargo cannot clone: its libgit2 is older than it wants")
        raise
    shop.build("app", build="cargo", expect="from git")


@pytest.mark.once
def test_a_crate_from_a_registry_of_ones_own(
    shop: Shop, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path / "home", {"config.toml": f'[registries.corp]\nindex = "{registry}"\n'})
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "home"))
    depends = '[dependencies]\ncorp = { version = "0.1", registry = "corp" }\n'
    main = 'fn main() { println!("{}", corp::WORD); }'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", expect="private")


def test_sys_crates_link_the_libraries_of_the_recipes(shop: Shop) -> None:
    """Also where a crate would rather compile sources of its own: `vendored`, `bundled`."""
    depends = """
[dependencies]
libz-sys = { version = "1", default-features = false }
libsqlite3-sys = { version = "0.30", features = ["bundled"] }
openssl-sys = { version = "0.9", features = ["vendored"] }
"""
    main = """
use std::ffi::CStr;
fn main() {
    let zlib = unsafe { CStr::from_ptr(libz_sys::zlibVersion()) };
    let sqlite = unsafe { CStr::from_ptr(libsqlite3_sys::sqlite3_libversion()) };
    let ssl = unsafe { CStr::from_ptr(openssl_sys::OpenSSL_version(0)) };
    println!("{zlib:?} {sqlite:?} {ssl:?}");
}
"""
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    versions = {name: shop.product.pipeline.pins.pins[name].version for name in LIBRARIES}
    shop.build(
        "app",
        build="cargo",
        more=f"needs = {json.dumps(LIBRARIES)}",
        expect=(
            f'\\"{versions["zlib"]}\\" \\"{versions["sqlite3"]}\\" '
            f'\\"OpenSSL {versions["openssl"]} '
        ),
    )


LIBRARIES = ["zlib", "sqlite3", "openssl"]


# --- make -----------------------------------------------------------------------------------


@pytest.mark.once
def test_a_makefile_that_asks_for_nothing(shop: Shop) -> None:
    """Flags of its own, ar with its flags in the name, no goal `install`, a library by its name;
    and objects that the host's compiler left in the project's folder."""
    makefile = """
CC = gcc
CFLAGS = -O3 -Wall
LDFLAGS =
AR = ar rcu
prog: main.o libhalf.a
\t$(CC) $(LDFLAGS) -o prog main.o libhalf.a -lz
libhalf.a: half.o
\t$(AR) $@ half.o
"""
    main = "#include <stdio.h>\n#include <zlib.h>\nint half(int);\n"
    main += 'int main(void) { printf("%d %s\\n", half(84), zlibVersion()); return 0; }\n'
    half = "int half(int x) { return x / 2; }\n"
    lay(shop.folder / "plain", {"Makefile": makefile, "main.c": main, "half.c": half})
    subprocess.run(["gcc", "-c", "half.c"], cwd=shop.folder / "plain", check=True)
    table = 'needs = ["zlib"]\n[make]\narguments = ["prog"]\nprogram = "prog"'
    shop.build("plain", build="make", more=table, expect="42 1.3")


@pytest.mark.once
def test_a_makefile_installs_where_it_likes(shop: Shop) -> None:
    makefile = """
prefix = /usr/local
all: prog
prog: prog.c
\t$(CC) $$($(PKG_CONFIG) --cflags sqlite3) -o $@ $< $$($(PKG_CONFIG) --libs sqlite3)
install: all
\tinstall -D -s prog $(DESTDIR)$(prefix)/bin/prog
"""
    main = "#include <sqlite3.h>\n#include <stdio.h>\n"
    main += 'int main(void) { printf("SQLite %s\\n", sqlite3_libversion()); return 0; }\n'
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": main})
    shop.build("prog", build="make", more='needs = ["sqlite3"]', expect="SQLite 3.")


INSTALLS = {
    "DESTDIR alone": "install -D prog $(DESTDIR)/usr/local/bin/prog",
    "PREFIX alone": "install -D prog $(PREFIX)/bin/prog",
    "prefix alone": "install -D prog $(prefix)/bin/prog",
    "both": "install -D prog $(DESTDIR)$(PREFIX)/bin/prog",
    "sbin": "install -D prog $(DESTDIR)$(prefix)/sbin/prog",
    "bindir": "mkdir -p $(DESTDIR)$(bindir) && cp prog $(DESTDIR)$(bindir)/prog",
    "a stripped copy": "mkdir -p $(DESTDIR)/bin; strip -o $(DESTDIR)/bin/prog prog",
    "cp to no folder of bin": "mkdir -p $(DESTDIR)/opt/x; cp prog $(DESTDIR)/opt/x/prog",
}
PRINTS = '#include <stdio.h>\nint main(void) { puts("it runs"); return 0; }\n'


@pytest.mark.parametrize("line", INSTALLS.values(), ids=INSTALLS)
def test_an_install_ends_inside_the_stage(shop: Shop, line: str) -> None:
    makefile = f"bindir = $(prefix)/bin\nall: prog\ninstall:\n\t{line}\n"
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS})
    shop.build("prog", build="make", expect="it runs")


@pytest.mark.skipif(
    landlock.abi() < landlock.LEAST_ABI, reason="this kernel has no Landlock (Linux 5.19)"
)
@pytest.mark.parametrize("place", ["/usr/local/bin", "/bin", "/opt/muslin-test", "$(HOME)"])
def test_an_install_into_this_machine_is_refused(shop: Shop, place: str) -> None:
    makefile = f"all: prog\ninstall:\n\tinstall -D prog {place}/muslin-test-prog\n"
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS})
    with pytest.raises(
        process_errors.WroteOutside, match=r"below its own folders alone(.|\n)*\[make\]"
    ):
        shop.build("prog", build="make", expect="it runs")
    for folder in ("/usr/local/bin", "/bin", "/opt/muslin-test", "/nonexistent"):
        assert not Path(folder, "muslin-test-prog").exists()


@pytest.mark.once
def test_a_makefile_below_the_root(shop: Shop) -> None:
    makefile = "all: prog\ninstall:\n\tinstall -D prog $(DESTDIR)$(PREFIX)/bin/$(NAME)\n"
    lay(shop.folder / "deep", {"src/Makefile": makefile, "src/prog.c": PRINTS})
    table = '[make]\narguments = ["-C", "src", "all", "NAME=deep"]'
    shop.build("deep", build="make", more=table, expect="it runs")


FORGOTTEN = {
    "a header": (
        "make",
        "openssl",
        {"Makefile": "all: prog\n", "prog.c": "#include <openssl/ssl.h>\n" + PRINTS},
    ),
    "an archive": ("make", "zlib", {"Makefile": "LDLIBS = -lz\nall: prog\n", "prog.c": PRINTS}),
    "a name in pkg-config": (
        "make",
        "curl",
        {"Makefile": "all:\n\t$(PKG_CONFIG) --exists --print-errors libcurl\n"},
    ),
    "a package in CMake": (
        "cmake",
        "openssl",
        {
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(prog C)\n"
            "find_package(OpenSSL REQUIRED)\n"
        },
    ),
}


@pytest.mark.once
@pytest.mark.parametrize(("build", "library", "files"), FORGOTTEN.values(), ids=FORGOTTEN)
def test_a_library_that_was_not_declared_is_named(
    shop: Shop, build: str, library: str, files: dict[str, str]
) -> None:
    lay(shop.folder / "prog", files)
    says = rf"If it is {library} that it lacks: `needs = \[\"{library}\"\]` in .*service\.toml$"
    with pytest.raises(process_errors.CommandFailed, match=says):
        shop.build("prog", build=build, expect="it runs")


@pytest.mark.once
def test_a_lock_that_is_behind_is_named(shop: Shop) -> None:
    lay(shop.folder / "near", {"Cargo.toml": package("near"), "src/lib.rs": ""})
    lay(shop.folder / "app", {"Cargo.toml": package("app"), "src/main.rs": "fn main() {}"})
    shop.cargo("app", "generate-lockfile")
    more = '[dependencies]\nnear = { path = "../near" }\n'
    lay(shop.folder / "app", {"Cargo.toml": package("app", more)})
    with pytest.raises(
        process_errors.CommandFailed, match=r"/app: Cargo\.lock is behind .*--workspace"
    ):
        shop.build("app", build="cargo", expect="it runs")


@pytest.mark.once
def test_a_program_that_is_not_installed_is_named_with_what_is(shop: Shop) -> None:
    makefile = "all: prog\ninstall:\n\tinstall -D prog $(DESTDIR)/bin/other\n"
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS})
    with pytest.raises(
        engine_errors.StepFailed, match=r"no program prog was installed, but /bin/other\."
    ):
        shop.build("prog", build="make", expect="it runs")


@pytest.mark.once
def test_plain_names_are_the_targets(shop: Shop) -> None:
    """Whatever a makefile calls its tools, they are for the target and know nothing of the host."""
    makefile = """
all: prog
prog: prog.c
\t$(CROSS_COMPILE)gcc -c prog.c -o main.o
\tld -r main.o -o joined.o
\tobjdump -f joined.o | grep -q '$(FORMAT)'
\t$(LD) -r joined.o -o again.o
\treadelf -h again.o >/dev/null && $(READELF) -h again.o >/dev/null
\tpkg-config --exists zlib && ! pkg-config --exists x11
\t$(HOSTCC) -x c -o here prog.c && ./here
\tgcc -c prog.c -o plain.o && objdump -f plain.o | grep -q '$(FORMAT)'
\t$(CC) again.o -o prog
install:
\tinstall -D prog $(DESTDIR)/bin/prog
"""
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS})
    triple = shop.product.target.triple
    form = {"arm": "elf32-littlearm", "aarch64": "elf64-littleaarch64", "x86_64": "elf64-x86-64"}
    wanted = next(value for name, value in form.items() if triple.startswith(name))
    table = f'needs = ["zlib"]\n[make]\narguments = ["all", "FORMAT={wanted}"]'
    shop.build("prog", build="make", more=table, expect="it runs")


@pytest.mark.once
def test_a_repository_above_the_cache_is_not_seen(shop: Shop) -> None:
    makefile = """
all: prog
prog: prog.c
\t! git rev-parse --show-toplevel
\t$(CC) prog.c -o prog
install:
\tinstall -D prog $(DESTDIR)/bin/prog
"""
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS})
    cache = shop.product.pipeline.context.settings.cache
    above = cache.parent / ".git"
    assert not above.exists()
    subprocess.run(["git", "init", "-q", str(cache.parent)], check=True)
    try:
        shop.build("prog", build="make", expect="it runs")
    finally:
        shutil.rmtree(above)


TALKS = """
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    char line[80] = "";
    fprintf(stderr, "version %s\\n", VERSION);
    if (fgets(line, sizeof line, stdin)) fprintf(stderr, "read %s", line);
    fprintf(stderr, "variable %s\\n", getenv("GIVEN") ? getenv("GIVEN") : "none");
    return line[0] ? 3 : 0;
}
"""


@pytest.mark.once
def test_what_a_run_is_given_and_what_it_gives_back(shop: Shop) -> None:
    makefile = """
all: prog
prog: prog.c
\t$(CC) -DVERSION='"$(MY_VERSION)"' prog.c -o prog
install:
\tinstall -D prog $(DESTDIR)/bin/prog
"""
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": TALKS})
    more = 'environment = { MY_VERSION = "1.2.3" }'
    runs = """
[[run]]
expect = "read a line"
code = 3
input = "a line\\n"
[[run]]
expect = "variable of ${ours}"
environment = { GIVEN = "of ${ours}" }
"""
    shop.build("prog", build="make", more=more, expect="version 1.2.3", tail=runs)


@pytest.mark.once
@pytest.mark.parametrize(
    ("run", "fault"),
    [
        ('expect = "version"\ncode = 4', "ended with code 0, not 4"),
        ('expect = "version"\ninput = "x"', "ended with code 3"),
        ('expect = "read x"\ncode = 3\ninput = "y"', "printed no 'read x' but"),
    ],
)
def test_another_end_than_was_declared_is_found(shop: Shop, run: str, fault: str) -> None:
    makefile = "all: prog\ninstall:\n\tinstall -D prog $(DESTDIR)/bin/prog\n"
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": TALKS.replace("VERSION", '"1"')})
    with pytest.raises((engine_errors.CheckFailed, process_errors.CommandFailed), match=fault):
        shop.build("prog", build="make", expect="version 1", tail=f"\n[[run]]\n{run}\n")


BEYOND = {
    "aarch64": ".arch armv8.1-a\\n ldadd w0, w1, [x2]",
    "armv6": ".arch armv7-a\\n movw r0, #513",
    "armv7": ".fpu neon-vfpv4\\n vfma.f32 q0, q1, q2",
    "x86_64": "vpaddd %ymm0, %ymm1, %ymm2",
}


@pytest.mark.once
def test_code_that_was_refused_is_allowed_by_what_the_refusal_prints(shop: Shop) -> None:
    makefile = "all: prog\ninstall:\n\tinstall -D prog $(DESTDIR)/bin/prog\n"
    made = [
        f'__attribute__((noinline)) void f{at}(void) {{ __asm__("{BEYOND[shop.target]}"); }}\n'
        for at in range(20)
    ]
    calls = "".join(f"if (count > 9) f{at}();\n" for at in range(20))
    text = "#include <stdio.h>\nint main(int count, char **words)\n{\n(void)words;\n"
    text += f'{calls}puts("it runs");\n}}\n'
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": "".join(made) + text})
    with pytest.raises(process_errors.SaidNo) as refused:
        shop.build("prog", build="make", expect="it runs")
    lines = [line.removeprefix("  ") for line in str(refused.value).splitlines()]
    entries = lines[lines.index("[[allowed]]") : -1]
    assert all(f'    "f{at}",' in entries for at in range(20))
    more = "\n".join(entries).replace('reason = ""', 'reason = "main looks at its arguments"')
    shop.build("prog", build="make", expect="it runs", tail=f"\n{more}\n")


# --- the allocator ---------------------------------------------------------------------------

MIMALLOC = 'allocator = "mimalloc"'


@pytest.mark.parametrize(("more", "served"), [("", "musl"), (MIMALLOC, "mimalloc")])
def test_an_allocator_without_a_change_of_code(shop: Shop, more: str, served: str) -> None:
    """C's malloc, C++'s new and what threads give back; a program that says -static too."""
    makefile = """
all: prog
prog: prog.cc
\t$(CXX) -static -pthread -o $@ $<
install: all
\tinstall -D prog $(DESTDIR)$(PREFIX)/bin/prog
"""
    main = """
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
extern "C" bool mi_is_in_heap_region(const void *) __attribute__((weak));
static bool ours(const void *place) { return mi_is_in_heap_region && mi_is_in_heap_region(place); }
int main() {
    void *plain = std::malloc(100), *aligned = nullptr;
    int *one = new int(1);
    bool all = ours(plain) && ours(one) && !posix_memalign(&aligned, 64, 640) && ours(aligned);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([] {
            for (int j = 1; j < 20000; j++) std::free(std::realloc(std::malloc(j % 700), j % 1900));
        });
    for (auto &thread : threads) thread.join();
    std::free(plain);
    std::free(aligned);
    delete one;
    std::printf("served by %s.\\n", all ? "mimalloc" : "musl");
}
"""
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.cc": main})
    shop.build("prog", build="make", more=more, expect=f"served by {served}.")


def test_an_allocator_for_rust(shop: Shop) -> None:
    main = """
unsafe extern "C" {
    fn mi_is_in_heap_region(place: *const u8) -> bool;
}
fn main() {
    let text = String::from("served by ");
    let ours = unsafe { mi_is_in_heap_region(text.as_ptr()) };
    println!("{text}{}.", if ours { "mimalloc" } else { "musl" });
}
"""
    lay(shop.folder / "app", {"Cargo.toml": package("app", ""), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", more=MIMALLOC, expect="served by mimalloc.")


@pytest.mark.once
def test_lto_and_panic_of_the_declaration_win(shop: Shop) -> None:
    """A panic that is caught needs an unwinder; with `abort` the program dies of SIGABRT."""
    main = """
fn main() {
    let caught = std::panic::catch_unwind(|| panic!("once")).is_err();
    println!("caught: {caught}");
}
"""
    depends = '[profile.release]\npanic = "abort"\nlto = "fat"\n'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    more = '[cargo]\nlto = "off"\npanic = "unwind"'
    shop.build("app", build="cargo", more=more, expect="caught: true")


# --- CMake ----------------------------------------------------------------------------------


@pytest.mark.once
def test_a_cmake_project_with_options_and_a_program_that_nothing_installs(shop: Shop) -> None:
    cmake = """
cmake_minimum_required(VERSION 3.16)
project(tool CXX)
option(GREETING "" OFF)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
include(CheckCXXSourceRuns)
check_cxx_source_runs("int main() { return sizeof(void *) == 0; }" RUNS_HERE)
if(NOT GREETING OR NOT RUNS_HERE)
  message(FATAL_ERROR "not configured")
endif()
add_executable(tool tool.cc)
target_link_libraries(tool PkgConfig::ZLIB)
set_target_properties(tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY out)
"""
    main = "#include <iostream>\n#include <zlib.h>\n"
    main += 'int main() { std::cout << "zlib " << zlibVersion() << std::endl; }\n'
    lay(shop.folder / "tool", {"CMakeLists.txt": cmake, "tool.cc": main})
    table = 'needs = ["zlib"]\n[cmake]\noptions = ["-DGREETING=ON"]\nprogram = "out/tool"'
    shop.build("tool", build="cmake", more=table, expect="zlib 1.3")


# --- text of a user's -----------------------------------------------------------------------


@pytest.mark.once
def test_a_placeholder_of_anybody_elses_is_text(shop: Shop) -> None:
    """`${…}` means something to make, CMake and shells, and nothing to the engine."""
    makefile = """
all: prog
prog: prog.c
\t$(CC) -DWORD='"$(WORD)"' prog.c -o prog
install:
\tinstall -D prog $(DESTDIR)/bin/prog
"""
    source = '#include <stdio.h>\nint main(int c, char **v) { printf(WORD "%s\\n", v[c > 1]); }\n'
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": source})
    table = '[make]\narguments = ["all", "WORD=${CC} said "]'
    arguments, expect = '["${HOME} ${out}"]', "-gcc said ${HOME} ${out}"
    shop.build("prog", build="make", more=table, arguments=arguments, expect=expect)
    cmake = """
cmake_minimum_required(VERSION 3.16)
project(c C)
add_executable(c c.c)
target_compile_definitions(c PRIVATE WHERE="${WHERE}")
install(TARGETS c)
"""
    source = "#include <stdio.h>\nint main(void) { puts(WHERE); }\n"
    lay(shop.folder / "c", {"CMakeLists.txt": cmake, "c.c": source})
    shop.build("c", build="cmake", more='[cmake]\noptions = ["-DWHERE=a${b}"]', expect="a${b}")


def in_image(path: Path) -> dict[str, int]:
    """The files of an image with their modes."""
    found: dict[str, int] = {}
    with tarfile.open(path) as layout:
        manifest = layout.extractfile("manifest.json")
        assert manifest is not None
        for name in json.load(manifest)[0]["Layers"]:
            with tarfile.open(fileobj=layout.extractfile(name)) as layer:
                found |= {one.name: one.mode for one in layer.getmembers() if one.isfile()}
    return found


@pytest.mark.once
def test_files_of_the_project_in_its_image(shop: Shop) -> None:
    makefile = "all: prog\nprog: prog.c\ninstall:\n\tinstall -D prog $(DESTDIR)/bin/prog\n"
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS, "conf/a.toml": "a = 1\n"})
    lay(shop.folder / "prog", {"web/index.html": "<p>", "web/deep/b.js": "1", "run.sh": "#!\n"})
    (shop.folder / "prog/run.sh").chmod(0o755)
    tail = '[image.files]\n"/etc/prog.toml" = "conf/a.toml"\n"/srv/web" = "web"\n'
    shop.build("prog", build="make", expect="it runs", tail=f'{tail}"/run.sh" = "run.sh"\n')
    found = in_image(shop.folder / "checkout/dist/images" / f"prog-{shop.target}.tar")
    wanted = {"etc/prog.toml": 0o644, "srv/web/index.html": 0o644, "run.sh": 0o755}
    assert wanted.items() <= found.items()
    assert "srv/web/deep/b.js" in found


@pytest.mark.once
def test_machine_code_that_nobody_looked_at_is_no_file_of_an_image(shop: Shop) -> None:
    makefile = "all: prog\nprog: prog.c\ninstall:\n\tinstall -D prog $(DESTDIR)/bin/prog\n"
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": PRINTS})
    shutil.copy("/bin/true", shop.folder / "prog" / "tool")
    with pytest.raises(engine_errors.BadDeclaration, match=r"image\.files: tool is machine code"):
        shop.build("prog", build="make", expect="it runs", tail='[image.files]\n"/t" = "tool"\n')


@pytest.mark.once
def test_a_makefile_that_is_right_for_one_job_alone(shop: Shop) -> None:
    makefile = """
all: first prog
first:
\tsleep 1; echo '#define WORD "it runs"' >word.h
prog:
\t$(CC) prog.c -o prog
install:
\tinstall -D prog $(DESTDIR)/bin/prog
"""
    source = '#include <stdio.h>\n#include "word.h"\nint main(void) { puts(WORD); }\n'
    lay(shop.folder / "prog", {"Makefile": makefile, "prog.c": source})
    with pytest.raises(process_errors.CommandFailed, match=r"word\.h"):
        shop.build("prog", build="make", expect="it runs")
    shop.build("prog", build="make", more="[make]\nparallel = false", expect="it runs")


@pytest.mark.once
def test_a_cmake_project_below_its_root_with_sources_in_build(shop: Shop) -> None:
    cmake = """
cmake_minimum_required(VERSION 3.16)
project(low C)
add_executable(low ../main.c ../../src/say.c)
install(TARGETS low)
"""
    main = "const char *say(void);\n#include <stdio.h>\nint main(void) { puts(say()); }\n"
    lay(shop.folder / "low", {"build/cmake/CMakeLists.txt": cmake, "build/main.c": main})
    lay(shop.folder / "low", {"src/say.c": 'const char *say(void) { return "from below"; }\n'})
    lay(shop.folder / "low", {"build/CMakeFiles.txt": "", "CMakeLists.txt": "no CMake"})
    table = '[cmake]\ndirectory = "build/cmake"'
    shop.build("low", build="cmake", more=table, expect="from below")


@pytest.mark.once
@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("native", "-march=native"),
        ("shared", "shared"),
        ("dlopen", "Dynamic loading not supported"),
    ],
)
def test_what_no_static_program_for_another_machine_can_have(
    shop: Shop, build: str, said: str
) -> None:
    make = {
        "native": "\t$(CC) -march=native prog.c -o prog\n",
        "shared": "\t$(CC) -shared -fPIC lib.c -o libx.so\n\t$(CC) prog.c -L. -lx -o prog\n",
        "dlopen": "\t$(CC) dl.c -o prog\n",
    }
    text = f"all:\n{make[build]}install:\n\tinstall -D prog $(DESTDIR)/bin/prog\n"
    lay(shop.folder / "prog", {"Makefile": text, "prog.c": PRINTS, "lib.c": "int x;\n"})
    dl = "#include <dlfcn.h>\n#include <stdio.h>\n"
    dl += 'int main(void) { puts(dlopen("x.so", 1) ? "no" : dlerror()); return 1; }\n'
    lay(shop.folder / "prog", {"dl.c": dl})
    with pytest.raises(PipelineError) as caught:
        shop.build("prog", build="make", expect="it runs")
    assert said in str(caught.value)
