"""Programs that this machine's gcc links by the recipe of services, and what is said of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from muslin import installation
from muslin.engine.cache.store import Entry
from muslin.engine.source import Source
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Write
from muslin.models import service, source_trees, target
from muslin.models.pins import Component
from muslin.models.service import Service
from recipes import sbom
from recipes.cross import Kit
from recipes.programs import evidence, make
from recipes.sbom import Ingredient
from tests.bills import valid
from tests.e2e.bench import Bench, shell, stage

TARGET = target.load(installation.ROOT / "toolchains")["x86_64"]
SERVICE = """\
summary = "a program"
build = "make"
binary = "program"
needs = ["zlib", "openssl"]
[image]
entrypoint = ["/program"]
"""
MAKEFILE = """\
all: program
program: main.o other.o
\t$(CC) {options} -o $@ main.o other.o $(LDLIBS)
install: program
\tinstall -D program $(DESTDIR)/usr/bin/program
"""
MAIN = """\
int inflated(int);
int other(void);
int main(int count, char **words) { (void)words; return inflated(count) + other(); }
"""
LIBRARIES = {
    "zlib": {"inflate": "int inflated(int n) { return n + 1; }", "gzwrite": "int gz = 3;"},
    "openssl": {"aes": "int encrypted(int n) { return n ^ 5; }"},
}
"""What each library's objects are made of."""
PROGRAMS = ("gcc", "g++", "cc", "c++", "ar", "strip")
PLACE = {"cc": "gcc", "c++": "g++"}


def machine_program(name: str) -> str:
    """By its path: its name alone would find the target's compiler, which calls this."""
    path = shutil.which(PLACE.get(name, name))
    assert path is not None
    return path


def toolchain() -> Stage:
    """This machine's own, by the names of the target's."""
    return stage(
        "toolchain",
        *(
            Write(
                path=f"${{out}}/bin/{TARGET.triple}-{name}",
                text=f'#!/bin/sh\nexec {machine_program(name)} "$@"\n',
                executable=True,
            )
            for name in PROGRAMS
        ),
    )


def library(name: str) -> Stage:
    """`usr/lib/lib<name>.a` of a library's objects."""
    objects = LIBRARIES[name]
    return stage(
        name,
        *(Write(path=f"${{work}}/{one}.c", text=f"{text}\n") for one, text in objects.items()),
        shell(
            f"gcc -c {' '.join(f'{one}.c' for one in objects)}; mkdir -p $OUT/usr/lib;"
            f"ar rcsD $OUT/usr/lib/lib{name}.a *.o",
            OUT="${out}",
        ),
    )


def kit() -> Kit:
    names = tuple(LIBRARIES)
    return Kit(
        toolchain=toolchain(),
        libraries=tuple((name, library(name)) for name in names),
        link=tuple(f"-l{name}" for name in names),
        tools=(("pkgconf", stage("pkgconf")), ("emulator", stage("emulator"))),
    )


def declared(folder: Path, *, options: str = "", main: str = MAIN) -> Service:
    folder.mkdir(exist_ok=True)
    (folder / "service.toml").write_text(SERVICE)
    (folder / "Makefile").write_text(MAKEFILE.format(options=options))
    (folder / "main.c").write_text(main)
    (folder / "other.c").write_text("int other(void) { return 2; }\n")
    return service.load((folder,))[folder.name]


def program(one: Service) -> Stage:
    source = source_trees.of_project(one.root)
    made = make.stage(one, TARGET, source=source, kit=kit(), qemu=stage("qemu"))
    return replace(made, checks=())  # those ask for musl, and are tested with it


def component(name: str, version: str, licence: str) -> Component:
    digest = hashlib.sha256(name.encode()).hexdigest()
    source = Source(name=f"{name}-{version}.tar.gz", sha256=digest, size=1, origins=())
    return Component(name=name, version=version, release=version, source=source, licence=licence)


def bill(one: Service, made: Stage) -> Stage:
    ingredients = (
        Ingredient(component=component("zlib", "1.3.1", "Zlib"), notices=None, cpe="zlib:zlib"),
        Ingredient(component=component("openssl", "3.5.7", "Apache-2.0"), notices=None),
        Ingredient(component=component("musl", "1.2.5", "MIT"), notices=None),
    )
    tools = (sbom.tool(component("gcc", "14.2.0", "GPL-3.0-or-later")),)
    return sbom.stage(
        one,
        TARGET,
        generator=source_trees.tree(installation.ROOT, sbom.CODE),
        program=made,
        ingredients=ingredients,
        rust=None,
        tools=tools,
    )


def read(entry: Entry, file: str) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    return json.loads((entry.tree / file).read_text())


def objects(entry: Entry) -> set[tuple[str, str]]:
    rows = read(entry, evidence.LINK)["objects"]
    return {(row["file"], row["member"]) for row in rows}


def test_a_map_tells_the_object_that_is_linked_from_the_one_that_is_not(
    bench: Bench, tmp_path: Path
) -> None:
    made = program(declared(tmp_path / "project"))
    found = objects(bench.build(made)[made.name])
    assert ("zlib/usr/lib/libzlib.a", "inflate.o") in found
    assert ("own", "") in found
    names = {file for file, _ in found}
    assert "openssl/usr/lib/libopenssl.a" not in names
    assert ("zlib/usr/lib/libzlib.a", "gzwrite.o") not in found


def test_a_map_costs_no_byte(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = declared(tmp_path / "project")
    with_map = bench.build(program(one))[f"{one.name}-{TARGET.name}"]
    monkeypatch.setattr("recipes.cross.MAP", "")
    without = bench.build(program(one))[f"{one.name}-{TARGET.name}"]
    assert with_map.key != without.key
    assert read(without, evidence.LINK)["known_by"] == "symbols"
    file = "unstripped/program"
    assert (with_map.tree / file).read_bytes() == (without.tree / file).read_bytes()


def test_what_is_recorded_is_the_same_in_every_build(bench: Bench, tmp_path: Path) -> None:
    one = declared(tmp_path / "project")
    other = Bench(cache=tmp_path / "another-cache-with-a-longer-name")
    files = (evidence.LINK, "unstripped/program")
    first, second = (place.build(program(one))[f"{one.name}-x86_64"] for place in (bench, other))
    for file in files:
        assert (first.tree / file).read_bytes() == (second.tree / file).read_bytes()


def test_a_project_that_links_a_program_twice_and_another_beside_it(
    bench: Bench, tmp_path: Path
) -> None:
    one = declared(tmp_path / "project")
    text = (one.root / "Makefile").read_text()
    again = "\trm -f program\n\t$(CC) -o helper other.o -Wl,-e,other -nostartfiles $(LDLIBS)\n"
    relinked = "\t$(CC) -o $@ main.o other.o $(LDLIBS)\n"
    (one.root / "Makefile").write_text(
        text.replace("install:", f"{again}{relinked}install:").replace("\tinstall", "\tinstall -s")
    )
    made = program(one)
    found = objects(bench.build(made)[made.name])
    assert ("zlib/usr/lib/libzlib.a", "inflate.o") in found


def test_a_bill_has_what_is_linked_and_not_what_is_declared(bench: Bench, tmp_path: Path) -> None:
    one = declared(tmp_path / "project")
    made = bill(one, program(one))
    entry = bench.build(made)[made.name]
    document = read(entry, sbom.BILL)
    valid(document)
    names = {row["name"]: row for row in document["components"]}
    assert set(names) == {"zlib"}
    assert names["zlib"]["purl"] == "pkg:generic/zlib@1.3.1"
    assert names["zlib"]["cpe"] == "cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*"
    occurrences = names["zlib"]["evidence"]["occurrences"]
    assert occurrences == [{"location": "usr/lib/libzlib.a(inflate.o)"}]
    # This machine's C library is none of the pipeline's, and the bill does not hide it.
    assert document["compositions"][0]["aggregate"] == "incomplete"
    built = bench.build(program(one))[f"{one.name}-x86_64"].tree / "bin/program"
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    assert document["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert [tool["name"] for tool in document["formulation"][0]["components"]] == ["gcc"]


def test_without_a_map_libraries_are_known_by_symbols(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipes.cross.MAP", "")
    one = declared(tmp_path / "project")
    made = bill(one, program(one))
    document = read(bench.build(made)[made.name], sbom.BILL)
    valid(document)
    rows = {row["name"]: row["evidence"] for row in document["components"]}
    assert set(rows) == {"zlib", "musl"}
    assert rows["zlib"]["occurrences"] == [{"location": "usr/lib/libzlib.a(inflate.o)"}]
    assert rows["musl"]["identity"]["confidence"] < rows["zlib"]["identity"]["confidence"]
    assert document["compositions"][0]["aggregate"] == "incomplete"


def test_of_a_program_without_map_and_symbols_all_that_is_declared_is_listed(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipes.cross.MAP", "")
    one = declared(tmp_path / "project")
    # By its path: the pipeline's own `strip` leaves symbols for the audit.
    with (one.root / "Makefile").open("a") as makefile:
        makefile.write(f"\t{machine_program('strip')} -s $(DESTDIR)/usr/bin/program\n")
    made = bill(one, program(one))
    document = read(bench.build(made)[made.name], sbom.BILL)
    assert {row["name"] for row in document["components"]} == {"zlib", "openssl", "musl"}
    assert document["compositions"][0]["aggregate"] == "incomplete"
