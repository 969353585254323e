"""Reading TOML and JSON of others: whatever lies there, a table or a fault with file and key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import Field

from muslin.engine import errors
from muslin.engine.formats import documents
from muslin.models import cargo_manifest, declaration
from muslin.models.declaration import Declaration


class Small(Declaration):
    """A declaration with one key of each kind."""

    word: str
    words: tuple[str, ...] = ()
    table: dict[str, str] = Field(default_factory=dict)


def fault(path: Path) -> str:
    """What is said of a file, once its name was said."""
    with pytest.raises(errors.BadDeclaration) as caught:
        documents.toml(path)
    assert caught.value.path == path
    (said,) = caught.value.faults
    return said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = \xff", "line 1 is not UTF-8"),
        (b"a = 1\nb = '\xe9'\n", "line 2 is not UTF-8"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"a = " + b"[" * 70 + b"]" * 70, "it is nested more than 64 deep"),
        (b"a." * 100 + b"a = 1", "it is nested more than 64 deep"),
        (b"a." * 5000 + b"a = 1", "line 1 has more than 1000 dots"),
        (b"a = " + b"9" * 5000, "not TOML: Exceeds the limit"),
        (b"[b]\na = [0, 0x" + b"f" * 6000 + b"]", "b.a.1: the number has more than 64 bits"),
        (b"a = 9223372036854775808", "a: the number has more than 64 bits"),
        (b"a = 1\ra = 2", "not TOML: "),
        (b"\0", "not TOML: "),
    ],
)
def test_what_is_no_toml_is_said_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    assert words in fault(tmp_path / "a.toml")


def test_a_byte_order_mark_and_lines_of_windows_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = '''x\r\ny'''\r\n")
    assert documents.toml(tmp_path / "a.toml") == {"a": 1, "b": "x\ny"}


def test_what_is_no_file_is_said_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "nowhere").symlink_to("gone")
    assert "is a folder" in fault(tmp_path / "folder")
    assert "a pipe" in fault(tmp_path / "pipe")
    assert "a device" in fault(Path("/dev/zero"))
    assert "Too many levels of symbolic links" in fault(tmp_path / "circle")
    assert "No such file" in fault(tmp_path / "nowhere")
    assert "No such file" in fault(tmp_path / "gone")


def test_a_file_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.toml").open("wb") as file:
        file.truncate(documents.LARGEST + 1)
    assert fault(tmp_path / "a.toml") == "it has more than 16 MiB"


@pytest.mark.parametrize("content", ["[]", "3", "null", '"a"', "{", "[" * 100_000, "9" * 5000])
def test_json_that_is_no_table_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(errors.BadDeclaration) as caught:
        documents.json_table(tmp_path / "a.json")
    assert caught.value.path == tmp_path / "a.json"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('word = "a\\u0000b"', ("word: it holds the character NUL, which no text here can",)),
        (
            'word = ""\ntable = { "\\u0000" = "" }',
            ("table.'\\x00': it holds the character NUL, which no text here can",),
        ),
        ("word = 5", ("word: Input should be a valid string, not 5",)),
        ('word = ""\nwords = "a"', ("words: it should be a list, not 'a'",)),
        ('word = ""\ntable = []', ("table: it should be a table, not []",)),
        ("word = 2026-01-01", ("word: Input should be a valid string, not a date",)),
        ('word = ""\n"\\u001b[2J" = 1', ("'\\x1b[2J': there is no such key",)),
    ],
)
def test_a_fault_has_its_key_and_what_was_found(
    tmp_path: Path, text: str, faults: tuple[str, ...]
) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(errors.BadDeclaration) as caught:
        declaration.read(tmp_path / "a.toml", Small)
    assert caught.value.faults == faults


def test_a_date_is_no_table(tmp_path: Path) -> None:
    """Neither of texts in a declaration, nor in a file of which some keys are read."""
    (tmp_path / "a.toml").write_text('word = ""\ntable = 2026-01-01\n')
    with pytest.raises(errors.BadDeclaration, match="table"):
        declaration.read(tmp_path / "a.toml", Small)
    for text in (
        "workspace = 2026-01-01",
        "dependencies = 07:32:00",
        "[dependencies]\na = 2026-01-01",
    ):
        (tmp_path / "Cargo.toml").write_text(text)
        with pytest.raises(errors.BadDeclaration):
            cargo_manifest.manifest(tmp_path)


def test_of_very_many_faults_the_first_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("".join(f"key{at} = 1\n" for at in range(3000)))
    with pytest.raises(errors.BadDeclaration) as caught:
        declaration.read(tmp_path / "a.toml", Small)
    assert len(caught.value.faults) == 21
    assert caught.value.faults[-1] == "and 2981 more"
