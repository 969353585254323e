"""Cargo projects that were not written for Muslin: what they expect beside them, around them and on
this machine. Wants `nox -s build-all` first."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from muslin.engine.process import errors
from tests.product.shop import Shop, lay, package

ASKS = """
use std::process::Command;
fn main() {
    let named = |name: &str| {
        let out = Command::new(name).arg("-dumpmachine").output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_string()
    };
    let set = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo:rustc-env=PLAIN_CC={}", named("cc"));
    println!("cargo:rustc-env=SET_CC={}", named(&set("CC_FOR_BUILD")));
    println!("cargo:rustc-env=SET_LD={}", set("LD"));
    let found = Command::new("pkg-config").args(["--exists", "zlib"]).status();
    println!("cargo:rustc-env=PKG_CONFIG={}", found.is_ok_and(|status| status.success()));
    println!("cargo:rustc-env=OURS={}", set("LIBSQLITE3_SYS_USE_PKG_CONFIG"));
}
"""
SHOWS = 'concat!(env!("PLAIN_CC"), " ", env!("SET_LD"), " ", env!("PKG_CONFIG"), " ", env!("OURS"))'
MACRO = """
use proc_macro::TokenStream;
#[proc_macro]
pub fn said(_: TokenStream) -> TokenStream { format!("{:?}", SHOWS).parse().unwrap() }
"""


def test_build_scripts_are_told_of_whom_they_are_for(shop: Shop) -> None:
    """Plain names are the target's for the target's crates; nothing of the target's reaches what
    runs while it builds."""
    lay(
        shop.folder / "macro",
        {
            "Cargo.toml": package("said", "[lib]\nproc-macro = true\n"),
            "src/lib.rs": MACRO.replace("SHOWS", SHOWS),
            "build.rs": ASKS,
        },
    )
    depends = '[dependencies]\nsaid = { path = "../macro" }\n'
    main = f'fn main() {{ println!("[{{}}] [{{}}]", {SHOWS}, said::said!()); }}'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "build.rs": ASKS})
    lay(shop.folder / "app", {"src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    triple = shop.product.target.triple
    host = subprocess.run(["cc", "-dumpmachine"], check=True, capture_output=True, text=True)
    shop.build(
        "app",
        build="cargo",
        more='needs = ["sqlite3", "zlib"]',
        expect=f"[{triple} {triple}-ld true 1] [{host.stdout.strip()}  ",
    )


def test_a_procedural_macro_has_a_bundled_library_of_its_own(shop: Shop) -> None:
    """As the macros of sqlx do: the same crate for this machine and for the target."""
    sqlite = 'libsqlite3-sys = { version = "0.30", features = ["bundled"] }'
    version = "unsafe { std::ffi::CStr::from_ptr(libsqlite3_sys::sqlite3_libversion()) }"
    lib = (
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn version(_: TokenStream) -> TokenStream"
        f' {{ format!("{{:?}}", {version}.to_str().unwrap()).parse().unwrap() }}'
    )
    more = f"[lib]\nproc-macro = true\n[dependencies]\n{sqlite}\n"
    lay(shop.folder / "macro", {"Cargo.toml": package("theirs", more), "src/lib.rs": lib})
    depends = f'[dependencies]\ntheirs = {{ path = "../macro" }}\n{sqlite}\n'
    main = f'fn main() {{ println!("{{:?}} {{}}", {version}, theirs::version!()); }}'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    ours = shop.product.pipeline.pins.pins["sqlite3"].version
    shop.build("app", build="cargo", more='needs = ["sqlite3"]', expect=f'\\"{ours}\\" 3.46.0')


@pytest.mark.once
def test_a_library_of_this_machine_is_refused_with_a_word(shop: Shop) -> None:
    depends = '[build-dependencies]\npkg-config = "0.3"\n'
    script = 'fn main() { pkg_config::probe_library("zlib").unwrap(); }'
    macro = {"Cargo.toml": package("theirs", f"[lib]\nproc-macro = true\n{depends}")}
    lay(shop.folder / "macro", {**macro, "build.rs": script, "src/lib.rs": ""})
    more = '[dependencies]\ntheirs = { path = "../macro" }\n'
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": "fn main() {}"})
    shop.cargo("app", "generate-lockfile")
    with pytest.raises(errors.CommandFailed, match="there are libraries for the target alone"):
        shop.build("app", build="cargo", more='needs = ["zlib"]', expect="x")


PASSES = """
use std::time::{Duration, SystemTime, UNIX_EPOCH};
extern "C" { fn seen(time: *const libc::timeval, wait: *const libc::timespec) -> i64; }
fn main() {
    let time = libc::timeval { tv_sec: 5, tv_usec: 7 };
    let mut wait: libc::timespec = unsafe { std::mem::zeroed() };
    wait.tv_sec = 1 << 33;
    wait.tv_nsec = 9;
    let sum = unsafe { seen(&time, &wait) };
    let far = UNIX_EPOCH + Duration::from_secs(1 << 33);
    let file = std::fs::File::create(std::env::temp_dir().join(format!("f{}", std::process::id())));
    let written = file.and_then(|file| file.set_modified(far).and_then(|()| file.metadata()));
    let kept = written.and_then(|found| found.modified()).map_or(0, |time| {
        time.duration_since(UNIX_EPOCH).unwrap().as_secs()
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() > 1 << 30;
    println!("{sum} {} {now} {kept}", std::mem::size_of::<libc::time_t>());
}
"""
SEEN = """
#include <sys/time.h>
#include <time.h>
long long seen(const struct timeval *time, const struct timespec *wait)
{
    return time->tv_sec * 1000 + time->tv_usec * 100 + wait->tv_nsec + (wait->tv_sec >> 33);
}
"""


def test_times_have_one_shape_in_rust_and_in_c(shop: Shop) -> None:
    """And reach beyond 2038, std's own too."""
    more = '[dependencies]\nlibc = "0.2"\n[build-dependencies]\ncc = "1"\n'
    script = 'fn main() { cc::Build::new().file("seen.c").compile("seen"); }'
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": PASSES})
    lay(shop.folder / "app", {"build.rs": script, "seen.c": SEEN})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", expect=f"5710 8 true {1 << 33}")


@pytest.mark.once
def test_what_lies_beside_the_members_of_a_workspace(shop: Shop) -> None:
    root = '[workspace]\nmembers = ["app", "other"]\nresolver = "2"\n'
    main = 'fn main() { print!("{} {}", include_str!("../../proto/a.proto"), env!("SCHEMA")); }'
    script = 'fn main() { println!("cargo:rustc-env=SCHEMA={}", ' + (
        'std::fs::read_to_string("../.sqlx/query.json").unwrap()); }'
    )
    lay(shop.folder, {"Cargo.toml": root, "proto/a.proto": "syntax", ".sqlx/query.json": "schema"})
    lay(shop.folder / "app", {"Cargo.toml": package("app"), "src/main.rs": main})
    lay(shop.folder / "app", {"build.rs": script})
    lay(shop.folder / "other", {"Cargo.toml": package("other"), "src/lib.rs": "no Rust"})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", expect="syntax schema")


@pytest.mark.once
def test_a_dependency_that_belongs_to_another_workspace(shop: Shop) -> None:
    """It has its version, edition and dependencies from there."""
    common = """
[workspace]
members = ["near", "deep", "unasked"]
resolver = "2"
[workspace.package]
version = "4.5.6"
edition = "2021"
[workspace.dependencies]
deep = { path = "deep" }
"""
    inherits = '[package]\nname = "{}"\nversion.workspace = true\nedition.workspace = true\n'
    near = inherits.format("near") + "[dependencies]\ndeep.workspace = true\n"
    lay(shop.folder / "common", {"Cargo.toml": common})
    lay(shop.folder / "common/near", {"Cargo.toml": near, "src/lib.rs": "pub use deep::VERSION;"})
    lay(shop.folder / "common/deep", {"Cargo.toml": inherits.format("deep")})
    lay(
        shop.folder / "common/deep",
        {"src/lib.rs": 'pub const VERSION: &str = env!("CARGO_PKG_VERSION");'},
    )
    lay(shop.folder / "common/unasked", {"Cargo.toml": inherits.format("unasked")})
    lay(shop.folder / "common/unasked", {"src/lib.rs": "no Rust"})
    depends = '[dependencies]\nnear = { path = "../common/near" }\n'
    main = 'fn main() { println!("version {}", near::VERSION); }'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", expect="version 4.5.6")


@pytest.mark.once
def test_vendored_crates_need_no_registry(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = '[dependencies]\nitoa = "1"\n'
    main = 'fn main() { println!("number {}", itoa::Buffer::new().format(7)); }'
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    shop.cargo("app", "vendor", "third-party/crates")
    said = '[source.crates-io]\nreplace-with = "ours"\n'
    said += '[source.ours]\ndirectory = "third-party/crates"\n'
    lay(shop.folder / "app", {".cargo/config.toml": said})
    nowhere = '[source.crates-io]\nreplace-with = "nowhere"\n'
    nowhere += '[source.nowhere]\nregistry = "sparse+http://127.0.0.1:1/"\n'
    lay(tmp_path / "home", {"config.toml": nowhere})
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "home"))
    shop.build("app", build="cargo", expect="number 7")


@pytest.mark.once
def test_a_registry_that_the_project_names_itself(shop: Shop, registry: str) -> None:
    lay(shop.folder / "app", {".cargo/config.toml": f'[registries.corp]\nindex = "{registry}"\n'})
    depends = '[dependencies]\ncorp = { version = "0.1", registry = "corp" }\n'
    main = 'fn main() { println!("{}", corp::WORD); }'
    lay(shop.folder / "app", {"Cargo.toml": package("app", depends), "src/main.rs": main})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", expect="private")


@pytest.mark.once
def test_the_stack_of_a_thread_that_c_starts(shop: Shop) -> None:
    more = '[build-dependencies]\ncc = "1"\n'
    script = 'fn main() { cc::Build::new().file("deep.c").compile("deep"); }'
    main = 'extern "C" { fn deep() -> i32; }\nfn main() { println!("deep {}", unsafe { deep() }); }'
    source = """
#include <pthread.h>
static int down(int level)
{
    volatile char page[4096];
    page[level % 4096] = 1;
    return level ? down(level - 1) + page[level % 4096] : 0;
}
static void *run(void *given) { *(int *)given = down(100); return given; }
int deep(void)
{
    int found = 0;
    pthread_t thread;
    pthread_create(&thread, 0, run, &found);
    pthread_join(thread, 0);
    return found;
}
"""
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": main})
    lay(shop.folder / "app", {"build.rs": script, "deep.c": source})
    shop.cargo("app", "generate-lockfile")
    with pytest.raises(errors.Crashed, match="stack = 1048576"):
        shop.build("app", build="cargo", expect="deep 100")
    shop.build("app", build="cargo", more="stack = 1048576", expect="deep 100")


def has_libclang() -> bool:
    """bindgen loads this machine's; the pipeline brings none along."""
    return any(Path("/usr/lib").glob("llvm-*/lib/libclang[.-][s0-9]*"))  # not libclang-cpp


@pytest.mark.skipif(not has_libclang(), reason="bindgen wants a libclang of this machine")
def test_bindgen_reads_the_targets_headers(shop: Shop) -> None:
    more = '[build-dependencies]\nbindgen = "0.72"\n'
    script = """
fn main() {
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap()).join("bound.rs");
    let bound = bindgen::Builder::default().header("all.h").allowlist_type("z_stream");
    bound.allowlist_type("time_t").generate().unwrap().write_to_file(out).unwrap();
}
"""
    main = """
#![allow(non_camel_case_types)]
include!(concat!(env!("OUT_DIR"), "/bound.rs"));
fn main() {
    println!("{} {}", size_of::<time_t>(), size_of::<z_stream>() == 14 * size_of::<usize>());
}
"""
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": main})
    lay(
        shop.folder / "app", {"build.rs": script, "all.h": "#include <time.h>\n#include <zlib.h>\n"}
    )
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", more='needs = ["zlib"]', expect="8 true")


COMMON = """
use sha2::Digest;
use std::io::{Read, Write};
fn main() {
    let text = std::env::args().collect::<Vec<_>>().join(" ");
    let data = text.as_bytes();
    let words = regex::Regex::new("(?i)app|one|other").unwrap().find_iter(&text).count();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(data).unwrap();
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(&packer.finish().unwrap()[..]).read_to_end(&mut out).unwrap();
    let same = zstd::decode_all(&zstd::encode_all(data, 3).unwrap()[..]).unwrap() == out;
    let digest = sha2::Sha256::digest(data)[0] ^ sha2::Sha512::digest(data)[0];
    let number: u64 = rand::Rng::random(&mut rand::rng());
    println!("{} {same} {}", words > 0, u64::from(digest) ^ number != 0);
}
"""


@pytest.mark.native
def test_common_crates_with_code_for_newer_processors_are_known(shop: Shop) -> None:
    """Each looks before it runs such code, and muslin/audit/allowed.toml says where."""
    more = """
[dependencies]
flate2 = "1"
rand = "0.9"
regex = "1"
sha2 = "0.10"
zstd = { version = "0.13", default-features = false }
"""
    lay(shop.folder / "app", {"Cargo.toml": package("app", more), "src/main.rs": COMMON})
    shop.cargo("app", "generate-lockfile")
    shop.build("app", build="cargo", expect="true true true")
