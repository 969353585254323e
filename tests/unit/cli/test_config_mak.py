"""A config.mak of musl-cross-make becomes a target file, and every line is accounted for."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from muslin.cli import config_mak
from muslin.cli import errors as cli_errors
from muslin.engine import errors as engine_errors
from muslin.models import declaration, target
from muslin.models.target import Target

PROJECT = Path(__file__).resolve().parents[3]
TARGETS = target.load(PROJECT / "toolchains")
ARMV6 = """\
# for the first Raspberry Pi
TARGET = arm-linux-musleabihf
OUTPUT ?= /opt/cross  # where it goes
GCC_VER=9.4.0
LINUX_VER =
DL_CMD = curl -L -o
GNU_SITE = https://mirror.example.org/gnu
ARCH = armv6
COMMON_CONFIG += --disable-nls CFLAGS="-g0 -Os" \\
    LDFLAGS="-s"
GCC_CONFIG += --enable-languages=c,c++,fortran
GCC_CONFIG += --with-arch=$(ARCH) --with-fpu=vfp --disable-libquadmath --enable-default-ssp
GCC_CONFIG += --prefix=/opt/cross --target=arm-linux-musleabihf
GCC_CONFIG += --with-pkgversion=$(shell date)
MUSL_CONFIG += --enable-debug
ifneq ($(V),)
SHELL = sh -x
endif
"""


def imported(tmp_path: Path, text: str) -> config_mak.Imported:
    path = tmp_path / "config.mak"
    path.write_text(text)
    return config_mak.imported(path, TARGETS)


def test_a_target_file_comes_out(tmp_path: Path) -> None:
    made = imported(tmp_path, ARMV6)
    assert made.model == "armv6"
    (tmp_path / "mine.toml").write_text(made.text)
    mine = declaration.read(tmp_path / "mine.toml", Target, name="mine")
    assert mine.gcc.configure == (
        *("--with-float=hard", "--with-arch=armv6", "--with-fpu=vfp", "--enable-default-ssp"),
    )
    assert mine.triple == "arm-linux-musleabihf"
    assert (mine.rust, mine.qemu, mine.openssl, mine.image) == (
        *(TARGETS["armv6"].rust, TARGETS["armv6"].qemu),
        *(TARGETS["armv6"].openssl, TARGETS["armv6"].image),
    )


def test_every_variable_and_line_is_accounted_for(tmp_path: Path) -> None:
    account = dict(imported(tmp_path, ARMV6).account)
    assert account["TARGET"] == "taken as triple"
    assert "dist/" in account["OUTPUT"]
    assert account["GCC_VER"].startswith("not taken: 9.4.0 there")
    assert account["LINUX_VER"].startswith("not taken: none there")
    assert account["ARCH"] == "not understood: ARCH = armv6"
    assert account["COMMON_CONFIG: --disable-nls"] == "the pipeline says it already"
    assert account["COMMON_CONFIG: CFLAGS=-g0 -Os"].startswith("not taken: how the compiler itself")
    assert "LDFLAGS" in " ".join(account)
    assert account["GCC_CONFIG: --enable-languages=c,c++,fortran"].startswith("not taken")
    assert account["GCC_CONFIG: --with-arch=armv6"] == "taken into gcc.configure"
    for word in ("--prefix=/opt/cross", "--target=arm-linux-musleabihf"):
        assert account[f"GCC_CONFIG: {word}"].startswith("not taken: the pipeline says")
    assert account["MUSL_CONFIG"].startswith("not taken")
    assert account["line 16"] == "not understood: ifneq ($(V),)"
    assert account["SHELL"] == "not understood: SHELL = sh -x"
    for name in ("DL_CMD", "GNU_SITE", "line 18"):
        assert name in account
    assert any("refers to what this file does not set" in fate for fate in account.values())


@pytest.mark.parametrize(
    ("triple", "words", "model"),
    [
        ("arm-linux-musleabihf", "--with-arch=armv7-a --with-fpu=vfpv3-d16", "armv7"),
        ("armv7l-linux-musleabihf", "--with-arch=armv7-a --with-fpu=vfpv3-d16", "armv7"),
        ("arm-linux-musleabi", "--with-arch=armv5te --with-float=soft", "armv5"),
        ("i486-linux-musl", "", "i686"),
        ("x86_64-linux-musl", "", "x86_64"),
        ("aarch64-linux-musl", "", "aarch64"),
        ("powerpc64le-linux-musl", "--with-abi=elfv2", "ppc64le"),
    ],
)
def test_the_model_is_of_the_same_processor(
    tmp_path: Path, triple: str, words: str, model: str
) -> None:
    made = imported(tmp_path, f"TARGET={triple}\nGCC_CONFIG={words}\n")
    assert made.model == model
    assert tomllib.loads(made.text)["triple"] == triple


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("OUTPUT = /opt\n", "it sets no TARGET"),
        ("TARGET = sh2eb-linux-muslfdpic\n", "no target in toolchains/ is for a sh2eb processor"),
        ('TARGET = x86_64-linux-musl\nGCC_CONFIG = "--open\n', "GCC_CONFIG is no list of words"),
    ],
)
def test_what_cannot_be_imported(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(cli_errors.NotImported, match=why):
        imported(tmp_path, text)


def test_a_variable_that_grows_with_each_look_ends(tmp_path: Path) -> None:
    text = f"TARGET = x86_64-linux-musl\nA = {'$(A)' * 50}\n"
    with pytest.raises(cli_errors.NotImported, match="A has more than 10000 characters"):
        imported(tmp_path, text)


def test_bytes_of_another_encoding_are_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "config.mak"
    path.write_bytes(b"# gr\xf6\xdfer\r\nTARGET = x86_64-linux-musl\r\n")
    assert config_mak.imported(path, TARGETS).model == "x86_64"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.mak")
    with pytest.raises(engine_errors.BadDeclaration, match="it is a device or a pipe"):
        config_mak.imported(tmp_path / "config.mak", TARGETS)
