"""Keys: equal where the output is, different where it can be; golden for a small graph."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muslin.engine import key, source
from muslin.engine.formats import canonical_json
from muslin.engine.key import Keys
from muslin.engine.source import ArchiveFile, File, Source, Tree, Url
from muslin.engine.stage import Host, Stage
from muslin.engine.vocabulary import Elf, Present, Run, Unpack, Write

HOST = Host(machine="x86_64", libc="glibc 2.36")
OTHER_HOST = Host(machine="x86_64", libc="glibc 2.41")
TARBALL = Source(
    name="a.tar.xz", sha256="a" * 64, size=1, origins=(Url(address="https://example.org/a"),)
)
TREE = Tree(root=Path("/project"), files=(File(path="main.c", sha256="b" * 64),))
COMPILER = Stage(
    name="compiler",
    sources=(("tarball", TARBALL),),
    steps=(
        Unpack(archive="${source.tarball}", strip=1),
        Run(argv=("./configure", "--prefix=${out}"), env=(("CFLAGS", "-O2"),)),
    ),
    runs_on="host",
)
PROGRAM = Stage(
    name="program",
    trees=(("source", TREE),),
    needs=(("compiler", COMPILER),),
    env=(("A", "1"), ("B", "2")),
    steps=(
        Run(argv=("${need.compiler}/bin/cc",)),
        Write(path="${out}/note", text="ü", executable=True),
    ),
    checks=(Present(paths=("note",)),),
    runs_on="target",
)
IMAGE = Stage(
    name="image",
    needs=(("program", PROGRAM),),
    steps=(Write(path="x", text=""),),
    runs_on="nowhere",
)
GOLDEN = {
    "compiler": "dd08dd2626da046ccf069d2acdc16ff62eef4c9c920299f31686bd0a0ae47315",
    "program": "f4e4b2a2345dc16c306be726f4ea9d459b984a1544452fedb509c8780f1baf08",
    "image": "eb83609b543b8b72930349b0b9524102b51a845f34714faff4ee4d42b123221b",
}
"""A difference here means that everybody rebuilds everything. Then `key.FORMAT` is to be raised."""


def of(one: Stage, host: Host = HOST) -> str:
    return Keys(host).of(one)


def test_the_keys_of_a_small_graph_stay() -> None:
    keys = Keys(HOST)
    assert {one.name: keys.of(one) for one in (COMPILER, PROGRAM, IMAGE)} == GOLDEN


def test_a_key_is_the_digest_of_canonical_json() -> None:
    assert canonical_json.digest({"b": [1, True, None], "a": {"ü": ""}}) == canonical_json.digest(
        {"a": {"ü": ""}, "b": [1, True, None]}
    )
    assert (
        canonical_json.digest({})
        == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_the_document_holds_all_that_is_in_the_key() -> None:
    assert Keys(HOST).document(COMPILER) == {
        "format": 3,
        "steps": [
            {"type": "Unpack", "revision": 1, "archive": "${source.tarball}", "strip": 1},
            {
                "type": "Run",
                "revision": 1,
                "argv": ["./configure", "--prefix=${out}"],
                "env": [["CFLAGS", "-O2"]],
            },
        ],
        "sources": {"tarball": "a" * 64},
        "trees": {},
        "needs": {},
        "env": {},
        "path": [],
        "runs_on": "host",
        "host": {"machine": "x86_64", "libc": "glibc 2.36"},
    }


def test_a_field_at_its_default_leaves_the_key_alone() -> None:
    said = dataclasses.replace(COMPILER, steps=(Unpack(archive="a", into="${work}", only=()),))
    unsaid = dataclasses.replace(COMPILER, steps=(Unpack(archive="a"),))
    assert of(said) == of(unsaid)
    (document,) = Keys(HOST).document(said)["steps"]
    assert set(document) == {"type", "revision", "archive"}


def test_a_new_field_of_a_step_type_leaves_old_keys_alone() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Wider(Write):
        fresh: str = ""

    Wider.__name__ = "Write"
    before = dataclasses.replace(COMPILER, steps=(Write(path="a", text="b"),))
    after = dataclasses.replace(COMPILER, steps=(Wider(path="a", text="b"),))
    used = dataclasses.replace(COMPILER, steps=(Wider(path="a", text="b", fresh="c"),))
    assert of(before) == of(after) != of(used)


def test_a_new_revision_is_a_new_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(PROGRAM)
    monkeypatch.setattr(Write, "revision", 2)
    assert of(PROGRAM) != before


STEP = Write(path="p", text="t")
UNKEYED = {
    "name": "another",
    "checks": (Elf(patterns=("*",), machine="EM_ARM"),),
    "judges": (("judge", COMPILER),),
    "blames": (COMPILER,),
    "tools": (("tool", COMPILER),),
    "scratch": ("compiler",),
    "network": True,
    "shared": True,
    "target": "armv6",
    "summary": "words",
    "milestones": (("a", "b"),),
    "guess": 99.0,
    "memory": 99,
    "peak": 99,
    "kept": 99,
    "most": 99,
}
KEYED = {
    "steps": (STEP,),
    "sources": (("tarball", TARBALL),),
    "trees": (),
    "needs": (),
    "env": (("A", "1"), ("B", "3")),
    "path": ("${need.compiler}/bin",),
    "runs_on": "nowhere",
}


def test_every_field_is_either_keyed_or_not() -> None:
    names = {field.name for field in dataclasses.fields(Stage)}
    assert names == KEYED.keys() | UNKEYED.keys()
    assert {f.name for f in dataclasses.fields(Stage) if f.metadata == source.UNKEYED} == set(
        UNKEYED
    )


@pytest.mark.parametrize("name", UNKEYED)
def test_an_unkeyed_field_leaves_the_key_alone(name: str) -> None:
    assert of(dataclasses.replace(PROGRAM, **{name: UNKEYED[name]})) == of(PROGRAM)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", KEYED)
def test_a_keyed_field_changes_the_key_and_that_of_its_dependents(name: str) -> None:
    changed = dataclasses.replace(PROGRAM, **{name: KEYED[name]})  # type: ignore[arg-type]
    assert of(changed) != of(PROGRAM)
    dependent = dataclasses.replace(IMAGE, needs=(("program", changed),))
    assert of(dependent) != of(IMAGE)


def test_where_a_source_comes_from_is_not_keyed() -> None:
    moved = dataclasses.replace(
        TARBALL,
        name="b.tar.xz",
        size=2,
        origins=(ArchiveFile(suite="s", package="p", version="1", kind="source"),),
    )
    again = dataclasses.replace(COMPILER, sources=(("tarball", moved),))
    other = dataclasses.replace(
        COMPILER, sources=(("tarball", dataclasses.replace(TARBALL, sha256="c" * 64)),)
    )
    assert of(again) == of(COMPILER) != of(other)


def test_where_a_tree_lies_is_not_keyed_and_what_it_holds_is() -> None:
    def with_tree(tree: Tree) -> str:
        return of(dataclasses.replace(PROGRAM, trees=(("source", tree),)))

    extra = (File(path="x", sha256="0" * 64),)
    assert with_tree(dataclasses.replace(TREE, root=Path("/other"), also=extra)) == of(PROGRAM)
    assert with_tree(dataclasses.replace(TREE, files=(*TREE.files, *extra))) != of(PROGRAM)
    program = dataclasses.replace(TREE.files[0], executable=True)
    assert with_tree(dataclasses.replace(TREE, files=(program,))) != of(PROGRAM)


def test_the_host_is_keyed_where_the_output_runs_on_it() -> None:
    assert of(COMPILER) != of(COMPILER, OTHER_HOST)
    alone = dataclasses.replace(PROGRAM, needs=())
    assert of(alone) == of(alone, OTHER_HOST)
    # ... and reaches what was built with a compiler of that host.
    assert of(PROGRAM) != of(PROGRAM, OTHER_HOST)


def test_checks_have_a_key_of_their_own() -> None:
    keys = Keys(HOST)
    stricter = dataclasses.replace(PROGRAM, checks=(Present(paths=("note", "more")),))
    judged = dataclasses.replace(PROGRAM, judges=(("judge", COMPILER),))
    rebuilt = dataclasses.replace(PROGRAM, env=())
    all_ = [keys.checks_of(one) for one in (PROGRAM, stricter, judged, rebuilt)]
    assert len(set(all_)) == 4
    assert keys.checks_of(dataclasses.replace(PROGRAM, summary="x")) == all_[0]
    assert keys.of(stricter) == keys.of(judged) == keys.of(PROGRAM)


def test_a_proof_hangs_on_the_checks_of_all_that_it_was_made_from() -> None:
    keys = Keys(HOST)
    stricter = dataclasses.replace(COMPILER, checks=(Present(paths=("bin/cc",)),))
    program = dataclasses.replace(PROGRAM, needs=(("compiler", stricter),))
    image = dataclasses.replace(IMAGE, needs=(("program", program),))
    assert keys.of(image) == keys.of(IMAGE)
    assert keys.checks_of(image) == keys.checks_of(IMAGE)
    assert keys.proof_of(image) != keys.proof_of(IMAGE)


WORDS = st.text(max_size=5)
PAIRS = st.lists(st.tuples(WORDS, WORDS), unique_by=lambda pair: pair[0], max_size=5)


@given(PAIRS, st.randoms())
def test_the_order_of_what_has_names_does_not_matter(
    pairs: list[tuple[str, str]], chance: object
) -> None:
    shuffled = list(pairs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = (dataclasses.replace(PROGRAM, env=tuple(env)) for env in (pairs, shuffled))
    assert of(one) == of(two)


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4))
def test_commands_have_equal_keys_only_if_they_are_equal(one: list[str], two: list[str]) -> None:
    def command(words: list[str]) -> str:
        return of(dataclasses.replace(PROGRAM, steps=(Run(argv=tuple(words)),)))

    assert (command(one) == command(two)) == (one == two)


def test_a_shared_need_is_looked_at_once() -> None:
    """Else the time grows with the number of paths through the graph: here two to the 60th."""
    one = COMPILER
    for _ in range(60):
        one = dataclasses.replace(PROGRAM, needs=(("left", one), ("right", one)))
    assert len(of(one)) == 64


def test_why_two_documents_differ_can_be_told_by_field() -> None:
    keys = Keys(HOST)
    changed = dataclasses.replace(
        COMPILER, steps=(COMPILER.steps[0], Run(argv=("./configure", "--prefix=/usr")))
    )
    before, after = key.flat(keys.document(COMPILER)), key.flat(keys.document(changed))
    assert dict(after.items() - before.items()) == {"steps.1.argv.1": "--prefix=/usr"}
    assert dict(before.items() - after.items()) == {
        "steps.1.argv.1": "--prefix=${out}",
        "steps.1.env.0.0": "CFLAGS",
        "steps.1.env.0.1": "-O2",
    }
