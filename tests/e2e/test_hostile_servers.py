"""Every answer of a server is data: whatever it does, the right file comes or words for why not
that name file and server, in time; the next mirror is asked, and nobody is got a secret."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from muslin.engine.fetch import errors
from muslin.engine.fetch.fetcher import Fetcher
from muslin.engine.fetch.http import Limits
from muslin.engine.process.runner import Runner
from muslin.engine.source import Source, Url
from tests.archive import archive
from tests.e2e import hostile
from tests.e2e.hostile import BODY, HALF, PLANTED, SIZE, Case, Server
from tests.e2e.test_fetch import Silent

AMPLE = 120.0
"""Seconds within which this machine does what takes a few, whatever else it does."""
SHORT = Limits(tries=2, pause=0.01, connect=6.0, silence=6.0, patience=15.0, slowest=10_000_000)
"""For servers that are waited for; a sound one has time enough."""
LONG = Limits(tries=2, pause=0.01, connect=AMPLE, silence=AMPLE, patience=AMPLE)
AT_ONCE = 64
"""Downloads; most of them wait."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a download, and what was said of it."""

    content: bytes
    words: str
    """Everything that a person reads."""
    asked: list[str]
    """Ranges that the second mirror was asked for."""
    is_left: bool
    """Whether the servers were left alone afterwards."""
    sizes: Mapping[str, int]
    place: str


def source(*places: str, size: int = SIZE) -> Source:
    """The pinned file at these addresses."""
    return Source(
        name="file.tar",
        sha256=hashlib.sha256(BODY).hexdigest(),
        size=size,
        origins=tuple(Url(address=place) for place in places),
    )


def download(folder: Path, case: Case, *, sound: bool, begun: int = 0, size: int = SIZE) -> Outcome:
    """Fetch the file from a server of the table, and perhaps a sound one after it."""
    starter, progress = Runner(1), Silent()
    wanted = source(size=size)
    fetcher = Fetcher(
        folder,
        archive=archive(folder / "archive"),
        progress=progress,
        cancelled=starter.stopping,
        limits=SHORT if case.outcome == hostile.SLOW else LONG,
    )
    part = folder / wanted.sha256 / ".part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:begun])
    content, words = b"", ""
    with Server(case.behaviour, reads=case.reads) as first, Server(hostile.sound) as second:
        places = [first.address(case.scheme), *([second.address()] if sound else [])]
        try:
            content = fetcher.fetch(source(*places, size=size)).read_bytes()
        except (errors.NoNetwork, errors.WrongDigest) as error:
            words = str(error)
        is_left = first.is_left(AMPLE) and second.is_left(AMPLE)
        starter.close()
        return Outcome(
            content=content,
            words="\n".join((*progress.notes, words)),
            asked=second.asked,
            is_left=is_left,
            sizes=progress.sizes,
            place=first.place,
        )


class Lines(logging.Handler):
    """What libraries log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


Table = dict[tuple[str, bool], Future[Outcome]]


def all_of(table: Mapping[str, Case], folder: Path, begun: int = 0) -> Iterator[Table]:
    """What comes of each row, with a sound mirror and without: several at a time, for most wait."""
    lines = Lines()
    logging.getLogger().addHandler(lines)
    with ThreadPoolExecutor(AT_ONCE) as executor:
        yield {
            (name, sound): executor.submit(
                download, folder / f"{number}-{sound}", case, sound=sound, begun=begun
            )
            for number, (name, case) in enumerate(table.items())
            for sound in (True, False)
        }
    logging.getLogger().removeHandler(lines)
    assert lines.heard == [], "libraries say nothing: nox would let it through to the terminal"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """What comes of every server."""
    yield from all_of(hostile.TABLE, tmp_path_factory.mktemp("table"))


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """What comes of every server that is asked for the rest of a file."""
    yield from all_of(hostile.UPON_RESUME, tmp_path_factory.mktemp("resumed"), begun=HALF)


def judge(future: Future[Outcome], case: Case, *, sound: bool, begun: int = 0) -> None:
    """Hold what came of a server to its row."""
    got = future.result(AMPLE)
    assert got.is_left, "connections that nobody waits for are given up"
    assert PLANTED not in got.words
    if case.outcome == hostile.FILE:
        assert (got.content, got.asked, got.words.strip()) == (BODY, [], "")
        return
    assert got.place in got.words
    assert "file.tar" in got.words
    assert re.search(case.outcome, got.words), got.words
    if not sound:
        assert got.content == b""
        return
    assert got.content == BODY
    assert got.sizes == {"file.tar": SIZE}, "what was shown adds up"
    first, *more = got.asked
    assert len(more) == ("fetching it whole" in got.words)
    few = re.search(r"only (\d+) bytes received", got.words)
    if case.kept is None:
        assert few is None or bool(first) == (few[1] != "0")
        return
    # A busy machine may have received fewer bytes in time than the server sent.
    kept = min(case.kept, int(few[1])) if few and not begun else case.kept
    assert first == (f"bytes={kept}-" if kept else "")


@pytest.mark.parametrize("name", hostile.TABLE)
def test_the_next_mirror_makes_up_for_a_server_that(name: str, table: Table) -> None:
    judge(table[name, True], hostile.TABLE[name], sound=True)


@pytest.mark.parametrize("name", hostile.TABLE)
def test_words_for_a_server_that(name: str, table: Table) -> None:
    judge(table[name, False], hostile.TABLE[name], sound=False)


@pytest.mark.parametrize("name", hostile.UPON_RESUME)
def test_what_had_arrived_outlives_a_server_that_answers(name: str, resumed: Table) -> None:
    judge(resumed[name, True], hostile.UPON_RESUME[name], sound=True, begun=HALF)


@pytest.mark.parametrize("name", hostile.UPON_RESUME)
def test_words_for_a_server_that_answers(name: str, resumed: Table) -> None:
    judge(resumed[name, False], hostile.UPON_RESUME[name], sound=False, begun=HALF)
