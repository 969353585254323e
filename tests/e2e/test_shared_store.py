"""Two caches and a server between them: what one builds, the other takes, and looks at again."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.engine.cache.store import Entry
from muslin.engine.remote import errors, signing
from muslin.engine.remote.terms import Terms
from muslin.engine.stage import Check, Stage
from muslin.engine.vocabulary import CommandOutput, Folder, Link, Present, Run, Write
from tests.e2e import blob_server
from tests.e2e.bench import Bench, stage, text
from tests.e2e.blob_server import TOKEN, Asked, BlobServer, Mood

PHRASE = "a secret phrase"
GREETING = """\
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
"""


@pytest.fixture
def server() -> Iterator[BlobServer]:
    """An empty store."""
    with blob_server.running() as server:
        yield server


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A pair of keys."""
    signing.generate(tmp_path / "key", "")
    return tmp_path / "key"


def public(key: Path) -> Path:
    return key.with_name(f"{key.name}.pub")


def filling(cache: Path, server: BlobServer, key: Path) -> Bench:
    """Who builds and pushes."""
    terms = Terms(address=server.address, trusted=(public(key),), threshold=1, key=key, token=TOKEN)
    return Bench(cache=cache, terms=terms)


def taking(cache: Path, server: BlobServer, *keys: Path, threshold: int = 1) -> Bench:
    """Who takes from others."""
    trusted = tuple(map(public, keys))
    terms = Terms(address=server.address, trusted=trusted, threshold=threshold, key=None)
    return Bench(cache=cache, terms=terms)


def shared(made: Stage) -> Stage:
    return dataclasses.replace(made, shared=True)


def library(content: str = "text") -> Stage:
    return shared(text("library", content))


def program(*checks: Check, content: str = "text") -> Stage:
    """A C program, and things that are hard to pack."""
    steps = (
        Write(path="main.c", text=GREETING),
        Folder(path="${out}/bin"),
        Folder(path="${out}/empty"),
        Run(argv=("gcc", "-O1", "-o", "${out}/bin/say", "main.c")),
        Link(path="${out}/bin/hello", target="say"),
        Write(path="${out}/a name \u00e4", text=""),
    )
    return shared(stage("program", *steps, needs=(library(content),), checks=checks))


def saying(*checks: Check, content: str = "text") -> Stage:
    """What is made of the program, by nobody else."""
    step = Run(argv=("${need.program}/bin/hello",), output="${out}/said")
    return stage("saying", step, needs=(program(*checks, content=content),))


def tree(entry: Entry) -> dict[str, object]:
    """What a tree has, less times."""
    return {
        str(path.relative_to(entry.tree)): (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes(),
        )
        for path in entry.tree.rglob("*")
    }


def of(server: BlobServer, verb: str) -> list[str]:
    return [path for command, path in server.asked if command == verb]


def test_one_cache_is_filled_from_the_other(
    tmp_path: Path, server: BlobServer, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = filling(tmp_path / "one", server, key)
    made = one.build(saying(Present(paths=("bin/say",))), program(Present(paths=("bin/say",))))
    assert one.said("built") == {"library", "program", "saying"}
    assert len(server.held["ac"]) == 2
    two = taking(tmp_path / "two", server, key)
    taken = two.build(saying(Present(paths=("bin/say",))), program(Present(paths=("bin/say",))))
    assert two.said("restored") == {"program"}
    assert two.said("checked") == {"program"}
    assert two.said("built") == {"saying"}  # and the library, which nothing asks for, is not made
    assert tree(taken["program"]) == tree(made["program"])
    assert (taken["saying"].tree / "said").read_text() == "hello\n"
    assert taken["program"].record.restored_from == server.address
    assert capsys.readouterr().err == ""


def test_a_file_address_is_a_store_too(tmp_path: Path, key: Path) -> None:
    (tmp_path / "store").mkdir()
    address = f"file://{tmp_path}/store"
    terms = Terms(address=address, trusted=(public(key),), threshold=1, key=key)
    Bench(cache=tmp_path / "one", terms=terms).build(saying())
    two = Bench(cache=tmp_path / "two", terms=dataclasses.replace(terms, key=None))
    two.build(saying())
    assert two.said("restored") == {"program"}


def test_what_is_missing_is_built_and_what_it_is_made_from_is_asked_for(
    tmp_path: Path, server: BlobServer, key: Path
) -> None:
    filling(tmp_path / "one", server, key).build(library())
    server.asked.clear()
    two = taking(tmp_path / "two", server, key)
    two.build(saying())
    assert two.said("restored") == {"library"}
    assert two.said("built") == {"program", "saying"}
    assert len([path for path in of(server, "GET") if path.startswith("/ac/")]) == 2


def test_a_run_with_nothing_to_do_asks_nothing(
    tmp_path: Path, server: BlobServer, key: Path
) -> None:
    one = filling(tmp_path / "one", server, key)
    one.build(saying())
    server.asked.clear()
    one.build(saying())
    assert server.asked == []
    assert one.said("found") == {"saying"}


def test_blob_before_record_before_action(tmp_path: Path, server: BlobServer, key: Path) -> None:
    filling(tmp_path / "one", server, key).build(library())
    *blobs, last = of(server, "PUT")
    (action,) = server.held["ac"].values()
    entry, record = (f"/cas/{one['digest']['hash']}" for one in json.loads(action)["outputFiles"])
    assert [*blobs, last] == [entry, record, f"/ac/{next(iter(server.held['ac']))}"]


def test_only_what_passed_its_checks_is_pushed(
    tmp_path: Path, server: BlobServer, key: Path
) -> None:
    one = filling(tmp_path / "one", server, key)
    bad = dataclasses.replace(library(), checks=(Present(paths=("absent",)),))
    faults: list[tuple[Exception, list[str]]] = []
    one.build(bad, shared(text("other", "other")), faults=faults)
    assert len(faults) == 1
    assert len(server.held["ac"]) == 1
    with one.builder() as builder:
        assert list(server.held["ac"]) == [builder.keys.of(text("other", "other"))]


def test_stages_that_are_not_shared_are_neither_pushed_nor_asked_for(
    tmp_path: Path, server: BlobServer, key: Path
) -> None:
    filling(tmp_path / "one", server, key).build(text("alone"))
    assert server.asked == []


def test_what_an_entry_is_made_from_is_asked_for_where_its_checks_are_others_today(
    tmp_path: Path, server: BlobServer, key: Path
) -> None:
    """The signer vouches for checks by their key: stricter ones run here, on all of it."""
    filling(tmp_path / "one", server, key).build(saying())
    strict = dataclasses.replace(library(), checks=(Present(paths=("text",)),))
    made = dataclasses.replace(program(), needs=(("library", strict),))
    two = taking(tmp_path / "two", server, key)
    two.build(made)
    assert two.said("restored") == {"program", "library"}
    assert two.said("checked") == {"library"}
    assert not two.said("built")


def test_an_entry_that_fails_its_checks_here_is_built_here(
    tmp_path: Path, server: BlobServer, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trusted builder may have signed what is not right."""
    mark = tmp_path / "mark"
    step = Run(argv=("cp", str(mark), "${out}/word"))
    check = CommandOutput(run=Run(argv=("cat", "${out}/word")), expect="good")
    mark.write_text("bad")
    odd = shared(stage("odd", step, needs=(library(),)))
    filling(tmp_path / "one", server, key).build(odd)
    mark.write_text("good")
    two = taking(tmp_path / "two", server, key)
    goal = stage(
        "goal",
        Run(argv=("cat", "${need.odd}/word"), output="${out}/said"),
        needs=(dataclasses.replace(odd, checks=(check,)),),
    )
    entries = two.build(goal)
    assert (entries["goal"].tree / "said").read_text() == "good"
    assert {"odd", "goal"} <= two.said("built")
    assert "failed its checks here" in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 2])
def test_so_many_trusted_keys_must_have_signed(
    tmp_path: Path, server: BlobServer, key: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    signing.generate(other, "")
    for at, signer in enumerate((key, other)[:count]):
        filling(tmp_path / f"one{at}", server, signer).build(library())
    entries = [path for path in server.held["cas"].values() if path[:4] == b"\x28\xb5\x2f\xfd"]
    assert len(entries) == 1  # the second one only signs
    two = taking(tmp_path / "two", server, key, other, threshold=2)
    two.build(library())
    assert two.said("restored") == ({"library"} if count == 2 else set())
    said = "1 trusted key(s) signed it and 2 must"
    assert (said in capsys.readouterr().err) == (count == 1)


def test_too_few_keys_for_the_threshold_are_an_error(
    tmp_path: Path, server: BlobServer, key: Path
) -> None:
    """Before anything is asked or built; one key in two files is one key."""
    twin = tmp_path / "twin"
    public(twin).write_bytes(public(key).read_bytes())
    for threshold, keys in ((1, ()), (2, (key,)), (2, (key, twin))):
        two = taking(tmp_path / "two", server, *keys, threshold=threshold)
        with pytest.raises(errors.TooFewKeys, match=f"requires {threshold} signature"):
            two.build(library())
    assert server.asked == []


def test_a_key_that_is_not_trusted_is_not_believed(
    tmp_path: Path, server: BlobServer, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    signing.generate(other, "")
    filling(tmp_path / "one", server, key).build(library())
    two = taking(tmp_path / "two", server, other)
    two.build(library())
    assert two.said("built") == {"library"}
    assert "not trusted" in capsys.readouterr().err


def test_another_tree_under_one_key_is_reported_and_kept(
    tmp_path: Path, server: BlobServer, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "mark"
    mark.write_text("theirs")
    odd = shared(stage("odd", Run(argv=("cp", str(mark), "${out}/word"))))
    theirs = filling(tmp_path / "one", server, key).build(odd)["odd"]
    held = dict(server.held["ac"])
    mark.write_text("ours")
    two = filling(tmp_path / "two", server, key)
    assert two.terms is not None
    two.terms = dataclasses.replace(two.terms, trusted=())  # which builds, and compares
    ours = two.build(odd)["odd"]
    said = capsys.readouterr().err
    assert "odd is not reproducible" in said
    kept = two.cache / "differing" / ours.key / "tree"
    assert (kept / "word").read_text() == "theirs"
    assert str(kept) in said
    assert server.held["ac"] == held
    assert theirs.key == ours.key


@pytest.mark.parametrize("place", ["cache", "home", "link"])
def test_what_names_this_machine_is_not_pushed(
    tmp_path: Path, server: BlobServer, key: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = {
        "cache": Write(path="${out}/lib/some.la", text="libdir='${cache}/store'"),
        "home": Write(path="${out}/lib/some.la", text="/a/home/of/somebody"),
        "link": Link(path="${out}/lib/some.la", target="/usr/lib/some.la"),
    }
    tied = shared(stage("tied", Folder(path="${out}/lib"), steps[place]))
    filling(tmp_path / "one", server, key).build(tied, library())
    said = capsys.readouterr().err
    assert "tied is not shared: lib/some.la" in said
    assert len(server.held["ac"]) == 1


# --- servers on a bad day ---


def hang(asked: Asked) -> None:
    """No answer, until the client leaves."""
    asked.rfile.read(1)


def status(number: int) -> Mood:
    return lambda asked: asked.answer(number)


def web_page(asked: Asked) -> None:
    asked.answer(200, b"<html>log in</html>", "text/html")


def redirect(asked: Asked) -> None:
    asked.send_response(302)
    asked.send_header("Location", "http://127.0.0.1:9/")
    asked.send_header("Content-Length", "0")
    asked.end_headers()


@pytest.mark.parametrize("mood", [hang, status(500), status(403), web_page, redirect])
def test_a_server_that_fails_is_left_alone(
    tmp_path: Path,
    server: BlobServer,
    key: Path,
    mood: Mood,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filling(tmp_path / "one", server, key).build(saying())
    server.mood = lambda _: mood
    server.asked.clear()
    two = filling(tmp_path / "two", server, key)
    two.patience = 0.5
    two.build(saying())
    assert two.said("built") == {"library", "program", "saying"}
    assert len(server.asked) == 1
    assert capsys.readouterr().err.count("this run goes on without it") == 1


def test_no_redirection_is_followed(
    tmp_path: Path, server: BlobServer, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could lead credentials to another server."""
    with blob_server.running() as other:

        def away(asked: Asked) -> None:
            asked.send_response(307)
            asked.send_header("Location", f"{other.address}{asked.path}")
            asked.send_header("Content-Length", "0")
            asked.end_headers()

        server.mood = lambda _: away
        filling(tmp_path / "two", server, key).build(library())
        assert other.asked == []
    assert "redirects, which is not followed" in capsys.readouterr().err


def test_no_server_at_all(
    tmp_path: Path, server: BlobServer, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = filling(tmp_path / "two", server, key)
    assert two.terms is not None
    two.terms = dataclasses.replace(two.terms, address="http://127.0.0.1:9")
    two.build(saying())
    assert two.said("built") == {"library", "program", "saying"}
    assert capsys.readouterr().err.count("cannot be reached") == 1


@pytest.mark.parametrize("ends", ["closes", "hangs"])
def test_a_server_that_dies_in_the_middle(
    tmp_path: Path, server: BlobServer, key: Path, ends: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filling(tmp_path / "one", server, key).build(saying())

    def half(asked: Asked) -> None:
        content = server.held["cas"][asked.path.rpartition("/")[2]]
        asked.send_response(200)
        asked.send_header("Content-Length", str(len(content)))
        asked.end_headers()
        asked.wfile.write(content[: len(content) // 2])
        asked.wfile.flush()
        if ends == "hangs":
            hang(asked)
        asked.close_connection = True

    server.mood = lambda asked: half if asked.path.startswith("/cas/") else None
    two = taking(tmp_path / "two", server, key)
    two.patience = 0.5
    two.build(saying())
    assert two.said("built") == {"library", "program", "saying"}
    assert capsys.readouterr().err.count("this run goes on without it") == 1
    assert not list((two.cache / "work").iterdir())


@pytest.mark.parametrize("number", [401, 403, 405])
def test_a_server_that_does_not_let_us_write(
    tmp_path: Path, server: BlobServer, key: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    filling(tmp_path / "one", server, key).build(library())
    server.mood = lambda asked: status(number) if asked.command == "PUT" else None
    two = filling(tmp_path / "two", server, key)
    two.jobs = 1
    two.build(saying(), shared(text("other", "1")), shared(text("another", "2")))
    assert two.said("restored") == {"library"}
    assert {"saying", "other", "another"} <= two.said("built")
    assert 1 <= capsys.readouterr().err.count("does not let this run write") <= 2


def test_a_push_without_credentials_is_not_begun(
    tmp_path: Path,
    server: BlobServer,
    key: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NETRC", os.devnull)
    one = filling(tmp_path / "one", server, key)
    assert one.terms is not None
    one.terms = dataclasses.replace(one.terms, token="")
    one.build(saying())
    assert of(server, "PUT") == []
    assert capsys.readouterr().err.count("there are no credentials") == 1


def test_netrc_has_credentials_too(
    tmp_path: Path, server: BlobServer, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {TOKEN}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    sent = list[str | None]()
    server.mood = lambda asked: sent.append(asked.headers.get("Authorization"))
    one = filling(tmp_path / "one", server, key)
    assert one.terms is not None
    one.terms = dataclasses.replace(one.terms, token="")
    one.build(library())
    assert set(sent) == {"Basic bWU6dG9sZC10by1ub2JvZHk="}


def test_no_secret_is_left_anywhere(
    tmp_path: Path, server: BlobServer, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "keys" / "key"
    key.parent.mkdir()
    signing.generate(key, PHRASE)
    one = filling(tmp_path / "one", server, key)
    assert one.terms is not None
    one.terms = dataclasses.replace(one.terms, passphrase=PHRASE)
    one.build(saying())
    assert len(server.held["ac"]) == 2
    server.mood = lambda _: status(403)
    two = filling(tmp_path / "two", server, key)
    two.terms = one.terms
    two.build(saying())
    said = capsys.readouterr()
    left = [said.out, said.err, one.text, two.text, repr(one.terms)]
    for cache in (one.cache, two.cache):
        left += [
            path.read_bytes().decode(errors="replace")
            for path in cache.rglob("*")
            if path.is_file()
        ]
    left += [
        blob.decode(errors="replace") for kind in server.held.values() for blob in kind.values()
    ]
    assert "403" in said.err
    assert not [text for text in left if TOKEN in text or PHRASE in text]


def test_two_pushers_at_once(tmp_path: Path, server: BlobServer, key: Path) -> None:
    benches = [filling(tmp_path / name, server, key) for name in ("one", "two")]
    threads = [threading.Thread(target=bench.build, args=(saying(),)) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    three = taking(tmp_path / "three", server, key)
    three.build(saying())
    assert three.said("restored") == {"program"}
