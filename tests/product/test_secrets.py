"""Credentials of many kinds, planted where people have them, and looked for in all that is left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.errors import PipelineError
from tests.product.shop import Shop, lay, package

TOLD = "told-to-nobody"
VARIABLES = {
    "MUSLIN_MIRROR": f"https://me:{TOLD}-1@127.0.0.1:9/files",
    "CARGO_REGISTRIES_CORP_TOKEN": f"{TOLD}-2",
    "https_proxy": f"http://me:{TOLD}-3@127.0.0.1:9",
    "CARGO_HTTP_PROXY": f"http://me:{TOLD}-4@127.0.0.1:9",
    "GITHUB_TOKEN": f"{TOLD}-5",
    "AWS_SECRET_ACCESS_KEY": f"{TOLD}-6",
}
CONFIGURATION = f"""\
[registry]
token = "{TOLD}-7"
[registries.our-own]
index = "sparse+https://h.example/"
token = "{TOLD}-8"
[http]
proxy = "http://me:{TOLD}-9@127.0.0.1:9"
"""
CREDENTIALS = f'[registries.corp]\ntoken = "{TOLD}-10"\n'
NETRC = f"machine h.example login me password {TOLD}-11\n"

CURIOUS = """\
use std::{env, fs, path::Path};

fn read(folder: &Path, said: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            read(&entry.path(), said);
        } else {
            said.push_str(&fs::read_to_string(entry.path()).unwrap_or_default());
        }
    }
}

fn main() {
    let mut said = String::new();
    for (name, value) in env::vars() {
        said.push_str(&format!("{name}={value}\\n"));
    }
    for name in ["CARGO_HOME", "HOME"] {
        read(Path::new(&env::var(name).unwrap_or("/nowhere".into())), &mut said);
    }
    let out = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&out).join("said"), &said).unwrap();
    let planted = ["told", "to", "nobody"].join("-");
    let told: Vec<&str> = said.lines().filter(|line| line.contains(&planted)).collect();
    fs::write(Path::new(&out).join("told"), told.join(" ")).unwrap();
    println!("cargo:warning={}", said.replace('\\n', " "));
    eprintln!("{said}");
    if Path::new("fails").exists() {
        panic!("as it was asked to");
    }
}
"""
MAIN = 'fn main() { println!("told: <{}>", include_str!(concat!(env!("OUT_DIR"), "/told"))); }\n'


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose every program knows a way in somewhere."""
    home = tmp_path / "home"
    lay(
        home,
        {
            ".cargo/config.toml": CONFIGURATION,
            ".cargo/credentials.toml": CREDENTIALS,
            ".netrc": NETRC,
        },
    )
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    # The cache is the one that the toolchain is in.
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CARGO_HOME", raising=False)


def holding(root: Path, since: float) -> Iterator[Path]:
    """Files written since a moment that hold anything planted."""
    for here, _, names in os.walk(root):
        for path in (Path(here, name) for name in names):
            if (
                path.is_file()
                and not path.is_symlink()
                and max(path.stat().st_mtime, path.stat().st_ctime) >= since
                and TOLD.encode() in path.read_bytes()
            ):
                yield path


@pytest.mark.usefixtures("planted")
def test_credentials_are_left_nowhere(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    began = time.time()
    lay(
        shop.folder / "curious",
        {
            "Cargo.toml": package("curious", 'build = "build.rs"\n'),
            "Cargo.lock": 'version = 3\n\n[[package]]\nname = "curious"\nversion = "0.1.0"\n',
            "build.rs": CURIOUS,
            "src/main.rs": MAIN,
            "fails": "",
        },
    )
    with pytest.raises(PipelineError, match="as it was asked to") as caught:
        shop.build("curious", build="cargo", expect="CARGO_HOME=")
    cache = shop.product.pipeline.context.settings.cache
    kept = [path for path in (cache / "scratch").rglob("said") if path.stat().st_mtime >= began]
    assert kept, "what a failed build wrote is kept"
    (shop.folder / "curious" / "fails").unlink()
    shop.build("curious", build="cargo", expect="told: <>")
    said = capfd.readouterr()
    assert TOLD not in str(caught.value) + said.out + said.err
    left = [*holding(cache, began), *holding(shop.folder / "checkout", began)]
    assert left == []
