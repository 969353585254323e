"""What is built twice is compared, and what differs is found. Wants `nox -s build-all` first."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from muslin.cli import errors
from muslin.cli.context import Context
from muslin.engine.cache.store import remove
from muslin.engine.console import Report
from tests import opened
from tests.product.conftest import PROJECT, Product

SERVICE = """\
summary = "says a word"
build = "make"
binary = "prog"
[image]
entrypoint = ["/prog"]
[[run]]
expect = "it runs"
"""
MAIN = '#include <stdio.h>\nint main(void) { puts("it runs: " WORD); }\n'
MAKEFILE = """\
all: prog
prog: prog.c
\t$(CC) -DWORD='"{word}"' prog.c -o prog
install:
\tinstall -D prog $(DESTDIR)/bin/prog
"""
PARTS = ("boards", "muslin", "recipes", "toolchains", "pyproject.toml")
"""What a checkout holds for a run, and for the second one in a process of its own."""


def checkout(folder: Path, word: str, said: io.StringIO) -> Context:
    """One with a single service, whose program holds what make makes of a word."""
    for name in PARTS[:-1]:
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    (project := folder / "services" / "prog").mkdir(parents=True)
    (project / "service.toml").write_text(SERVICE)
    (project / "prog.c").write_text(MAIN)
    (project / "Makefile").write_text(MAKEFILE.format(word=word))
    return Context(folder, Report(said))


@pytest.mark.once
def test_stages_that_are_the_same_twice(product: Product, tmp_path: Path) -> None:
    name = product.target.name
    context = checkout(tmp_path, "$(shell umask) $(shell echo $$TZ $$LANG $$HOME)", io.StringIO())
    opened.session(context, "reproduce", [name, "--stages", f"prog-{name},image-prog-{name}"])


@pytest.mark.once
def test_a_stage_with_the_time_in_it_is_found(product: Product, tmp_path: Path) -> None:
    name = product.target.name
    stream = io.StringIO()
    context = checkout(tmp_path, "$(shell date +%s%N)", stream)
    with pytest.raises(errors.NotReproduced, match=f"prog-{name}") as found:
        opened.session(context, "reproduce", [name, "--stages", f"prog-{name}"])
    assert f"prog-{name} differs in 2 path(s)" in stream.getvalue()
    assert "bin/prog: content" in stream.getvalue()
    (place,) = (word for word in str(found.value).split() if "muslin-reproduce-" in word)
    remove(Path(place).parents[2])


@pytest.mark.once
def test_what_is_recorded_is_compared(product: Product, tmp_path: Path) -> None:
    name, stream = product.target.name, io.StringIO()
    context = checkout(tmp_path, "1", stream)
    words = [name, "--stages", f"prog-{name},image-prog-{name}"]
    record = tmp_path / "recipes" / "digests" / "debian.json"
    opened.session(context, "reproduce", [*words, "--recorded"])
    assert "2 stage(s) not compared, recorded for no such key" in stream.getvalue()
    opened.session(context, "reproduce", [*words, "--record"])
    opened.session(context, "reproduce", [*words, "--recorded"])
    assert "reproduce: 2 stage(s) are as recorded" in stream.getvalue()
    recorded = json.loads(record.read_text())
    recorded[f"prog-{name}"]["tree"] = "0" * 64
    record.write_text(json.dumps(recorded))
    with pytest.raises(errors.NotAsRecorded, match=f"1 stage.* differ .*: prog-{name}[.]"):
        opened.session(context, "reproduce", [*words, "--recorded"])
