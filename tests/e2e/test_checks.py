"""Every check with a product that passes and one that does not, and the words for it."""

from __future__ import annotations

import dataclasses
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.checks import serves as serves_module
from muslin.engine.filesystem import content
from muslin.engine.process import errors as process_errors
from muslin.engine.stage import Check, Stage, Step
from muslin.engine.vocabulary import (
    CommandOutput,
    Elf,
    Folder,
    ForbiddenText,
    InputFile,
    Link,
    ListedName,
    Members,
    Present,
    Run,
    Serves,
    Size,
    Write,
)
from tests.e2e.bench import LONGER, Bench, shell, stage, text

MACHINE = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}.get(platform.machine(), "EM_ARM")


def findings(bench: Bench, goal: Stage, *checks: Check) -> str:
    """What a failed check said, whole."""
    with pytest.raises(engine_errors.CheckFailed) as caught:
        bench.build(dataclasses.replace(goal, checks=checks))
    return str(caught.value)


def passes(bench: Bench, goal: Stage, *checks: Check) -> None:
    bench.build(dataclasses.replace(goal, checks=checks))
    assert bench.said("built") == {goal.name}


# --- files ----------------------------------------------------------------------------------

COMPILED = stage(
    "goal",
    Write(path="main.c", text="int main(void) { return 0; }\n"),
    Folder(path="${out}/bin"),
    Run(argv=("gcc", "-o", "${out}/bin/dynamic", "main.c")),
    Run(argv=("gcc", "-static", "-o", "${out}/bin/static", "main.c")),
    Write(path="${out}/bin/script", text="#!/bin/sh\n"),
    Write(path="${out}/broken", text="\x7fELF and no more"),
)


def test_elf_passes(bench: Bench) -> None:
    passes(
        bench,
        COMPILED,
        Elf(patterns=("bin/*",), machine=MACHINE),
        Elf(patterns=("bin/static",), machine=MACHINE, static=True),
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Elf(patterns=("bin/dynamic",), machine="EM_68K"), f"dynamic: is for {MACHINE}"),
        (Elf(patterns=("bin/*",), machine=MACHINE, static=True), "dynamic: wants the interpreter"),
        (Elf(patterns=("bin/*",), machine=MACHINE, static=True), "dynamic: needs libc.so"),
        (Elf(patterns=("bin/script",), machine=MACHINE), "no ELF file matches bin/script"),
        (Elf(patterns=("nowhere/*",), machine=MACHINE), "no ELF file matches nowhere/*"),
        (Elf(patterns=("broken",), machine=MACHINE), "broken: not a sound ELF file: "),
    ],
)
def test_elf_finds(bench: Bench, rule: Elf, words: str) -> None:
    said = findings(bench, COMPILED, rule)
    assert f"goal: check failed: ELF files for {rule.machine}\n" in said
    assert words in said
    assert "static: " not in said


def test_free(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # The text lies across the border of two pieces that are read one after the other.
    monkeypatch.setattr(content, "CHUNK", 16)
    goal = stage("goal", Write(path="${out}/a/file", text="0123456789ab/secret/place"))
    passes(bench, goal, ForbiddenText(texts=("/other", "${cache}")))
    said = findings(bench, goal, ForbiddenText(texts=("/secret/place", "/other")))
    assert "goal: check failed: no trace of the build's place\n" in said
    assert "    a/file holds /secret/place\n" in said


@pytest.mark.parametrize(
    "step",
    [
        Write(path="${out}/name", text="built in ${cache}/work"),
        Link(path="${out}/name", target="${cache}/somewhere"),
    ],
)
def test_free_finds_the_cache(bench: Bench, step: Step) -> None:
    said = findings(bench, stage("goal", step), ForbiddenText(texts=("${cache}",)))
    assert f"name holds {bench.cache}\n" in said


def test_size(bench: Bench) -> None:
    goal = stage("goal", Write(path="${out}/one", text="1234"), Write(path="${out}/a/b", text="5"))
    passes(bench, goal, Size(at_most=5))
    said = findings(bench, goal, Size(at_most=3))
    assert "goal: check failed: at most 3 bytes\n    it has 5 bytes, 2 too many\n" in said


def test_present(bench: Bench) -> None:
    goal = stage("goal", Write(path="${out}/here", text="x"), Write(path="${out}/void", text=""))
    passes(bench, goal, Present(paths=("here", ".")))
    said = findings(bench, goal, Present(paths=("here", "gone", "void")))
    assert "all files are there\n    gone is missing\n    void is empty\n" in said


ARCHIVE = stage(
    "goal",
    Write(path="one.o", text="1"),
    Write(path="two.o", text="2"),
    Folder(path="${out}/lib"),
    Run(argv=("ar", "rcD", "${out}/lib/libx.a", "one.o", "two.o")),
)


def test_members(bench: Bench) -> None:
    rule = Members(pattern="lib/*.a", exactly=("two.o", "one.o"), lacks=("three.o",))
    passes(bench, ARCHIVE, rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Members(pattern="lib/*.a", exactly=("one.o",)), "lib/libx.a also has two.o"),
        (
            Members(pattern="lib/*.a", exactly=("one.o", "two.o", "three.o")),
            "lib/libx.a lacks three.o",
        ),
        (Members(pattern="lib/*.a", lacks=("two.o",)), "lib/libx.a must not have two.o"),
        (Members(pattern="lib/*.so"), "no file matches lib/*.so"),
    ],
)
def test_members_finds(bench: Bench, rule: Members, words: str) -> None:
    assert words in findings(bench, ARCHIVE, rule)


def test_many_findings_are_counted(bench: Bench) -> None:
    paths = tuple(f"path-{number}" for number in range(13))
    said = findings(bench, text("goal"), Present(paths=paths))
    assert "    path-9 is missing\n    … and 3 more\n" in said


def test_the_log_is_named(bench: Bench) -> None:
    said = findings(bench, text("goal"), Size(at_most=0))
    assert f"\n  log: {bench.cache / 'logs' / 'host' / 'goal.log'}\n" in said


# --- programs -------------------------------------------------------------------------------

SAYING = stage(
    "goal", Write(path="${out}/say", text="#!/bin/sh\necho hello $1\nexit $2\n", executable=True)
)


def say(*words: str) -> Run:
    return Run(argv=("${out}/say", *words))


def test_does(bench: Bench) -> None:
    passes(
        bench,
        SAYING,
        CommandOutput(run=say("you", "0"), expect="hello you"),
        CommandOutput(run=say("", "0")),
    )
    assert "hello you" in bench.log("goal")


def test_does_finds_other_words(bench: Bench) -> None:
    said = findings(bench, SAYING, CommandOutput(run=say("them", "0"), expect="hello you"))
    assert "goal: check failed: it runs\n    `say them 0` printed no 'hello you' but:\n" in said
    assert "    hello them\n" in said


def test_does_finds_a_failure_and_shows_what_was_printed(bench: Bench) -> None:
    goal = dataclasses.replace(
        SAYING, checks=(CommandOutput(run=say("them", "7"), expect="hello"),)
    )
    with pytest.raises(process_errors.CommandFailed, match=r"ended with code 7(.|\n)*hello them"):
        bench.build(goal)


def lists(name: str) -> ListedName:
    return ListedName(run=say("arm1176", "0"), name=name, what="qemu.cpu of armv6.toml", by="QEMU")


def test_lists(bench: Bench) -> None:
    passes(bench, SAYING, lists("arm1176"), lists("hello"))


@pytest.mark.parametrize("name", ["arm117", "arm1176 ", "lo arm"])
def test_lists_takes_no_part_of_a_name(bench: Bench, name: str) -> None:
    said = findings(bench, SAYING, lists(name))
    assert f"qemu.cpu of armv6.toml: QEMU knows no {name!r}" in said


def test_lists_names_what_is_near(bench: Bench) -> None:
    assert "'arm1167'; near it are arm1176" in findings(bench, SAYING, lists("arm1167"))


def test_a_check_has_its_judge_and_no_path_of_the_build(bench: Bench) -> None:
    judge = stage(
        "judge", Write(path="${out}/ok", text="#!/bin/sh\necho $1 $PATH", executable=True)
    )
    goal = dataclasses.replace(
        text("goal"),
        path=("/odd",),
        judges=(("judge", judge),),
        checks=(
            InputFile(path="${work}/note", text="written for the judge"),
            CommandOutput(
                run=Run(argv=("${judge.judge}/ok", "fine")), expect="fine /usr/local/bin:"
            ),
            CommandOutput(run=Run(argv=("cat", "note")), expect="written for"),
        ),
    )
    bench.build(goal)


# --- servers --------------------------------------------------------------------------------

SERVER = """\
import http.server, os, signal, ssl, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"at your service")

mode = sys.argv[1]
ends = {"deaf": lambda *_: None, "unaware": signal.SIG_DFL}
signal.signal(signal.SIGTERM, ends.get(mode, lambda *_: os._exit(mode == "rude")))
if mode == "broken":
    sys.exit(5)
port = 0 if mode == "elsewhere" else int(os.environ["PORT"])
server = http.server.HTTPServer(("127.0.0.1", port), Answer)
if mode == "tls":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
if mode == "babble":
    Answer.handle = lambda self: self.wfile.write(b"SSH-2.0-no-web\\r\\n")
server.serve_forever()
"""
SERVING = stage("goal", Write(path="${out}/server.py", text=SERVER))


def serves(mode: str, *words: str, path: str = "/", expect: str = "service") -> Serves:
    run = Run(argv=(sys.executable, "${out}/server.py", mode, *words))
    return Serves(run=run, scheme="https" if mode == "tls" else "http", path=path, expect=expect)


INSTEAD = "instead of 200 with 'service'"


def test_serves(bench: Bench) -> None:
    passes(bench, SERVING, serves("well"))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            serves("well", expect="dinner"),
            "http / answered 'at your service' instead of 200 with 'dinner'",
        ),
        (serves("well", path="/no"), f"http /no answered '404 at your service' {INSTEAD}"),
        (serves("broken"), f"http / answered '(nothing: it ended with code 5)' {INSTEAD}"),
        (serves("rude"), "ended with code 1 on SIGTERM"),
        (serves("deaf"), "still runs 1 s after SIGTERM"),
        (
            serves("unaware"),
            "does nothing about SIGTERM: as process 1 of a container it would go on, and be "
            "killed 10 s after `docker stop` with all that it was at. It ends with code 0 where "
            "it handles the signal",
        ),
    ],
    ids=["answer", "status", "broken", "rude", "deaf", "unaware"],
)
def test_serves_finds(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, rule: Serves, words: str
) -> None:
    monkeypatch.setattr(serves_module, "END_SECONDS", 1.0)
    said = findings(bench, SERVING, rule)
    assert "goal: check failed: it serves\n" in said
    assert f"    {words}\n" in said


def test_a_server_that_never_answers(bench: Bench) -> None:
    run = Run(argv=("sleep", "1000"), seconds=0.2)
    silent = Serves(run=run, scheme="http", path="/", expect="x")
    said = findings(bench, SERVING, silent)
    assert "http / answered '(nothing in 0 s, which `seconds` in the [[run]] or [[serve]]" in said
    assert ": [Errno 111] Connection refused; the environment" in said
    assert "it listens on no port of TCP" in said


def found_in_time(bench: Bench, rule: Serves, words: str) -> bool:
    """Whether a finding has the words once the server had the time to start."""
    rules = (
        dataclasses.replace(rule, run=dataclasses.replace(rule.run, seconds=seconds))
        for seconds in LONGER
    )
    return any(re.search(words, findings(bench, SERVING, rule)) for rule in rules)


def test_a_server_that_takes_no_notice_of_port(bench: Bench) -> None:
    words = r"the environment variable PORT says \d+, and it listens on \d+\)"
    assert found_in_time(bench, serves("elsewhere"), words)


def test_a_program_that_crashes_is_told_of_stacks(bench: Bench) -> None:
    crash = CommandOutput(run=Run(argv=("sh", "-c", "kill -SEGV $$")), upon_sigill="--file x")
    with pytest.raises(process_errors.Crashed, match=r"`stack = 1048576` in service\.toml"):
        bench.build(dataclasses.replace(text("goal"), checks=(crash,)))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A throw-away certificate and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("this machine has no openssl program to make a certificate with")
    names = str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        [
            *"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(),
            *f"-days 2 -subj /CN=localhost -out {names[0]} -keyout {names[1]}".split(),
        ],
        check=True,
        capture_output=True,
    )
    return names


def test_serves_with_tls(bench: Bench, certificate: tuple[str, str]) -> None:
    passes(bench, SERVING, serves("tls", *certificate))
    said = findings(bench, SERVING, serves("tls", *certificate, path="/no"))
    assert "https /no answered '404 at your service'" in said


def test_a_server_of_another_protocol_is_no_traceback(bench: Bench) -> None:
    words = r"http / answered .\(nothing in \d+ s, [^:]*: SSH-2.0-no-web"
    assert found_in_time(bench, serves("babble"), words)


def test_a_server_of_the_other_scheme_is_no_traceback(
    bench: Bench, certificate: tuple[str, str]
) -> None:
    for scheme, mode in (("https", "well"), ("http", "tls")):
        rule = dataclasses.replace(serves(mode, *certificate), scheme=scheme)  # type: ignore[arg-type]
        assert found_in_time(bench, rule, rf"{scheme} / answered .\(nothing in \d+ s, ")


def test_a_check_that_waits_can_be_stopped_by_a_failure(bench: Bench) -> None:
    silent = Serves(run=Run(argv=("sleep", "1000")), scheme="http", path="/", expect="x")
    waiting = dataclasses.replace(SERVING, name="waiting", checks=(silent,))
    failing = stage("failing", shell("exit 3"), needs=(text("first"),))
    with pytest.raises(process_errors.CommandFailed, match="failing"):
        bench.build(waiting, failing)


ILLEGAL = stage(
    "goal",
    Write(path="main.c", text="int main(void) { __builtin_trap(); }\n"),
    Run(argv=("gcc", "-o", "${out}/dies", "main.c")),
)
"""x86's and ARM's compilers make an illegal instruction of it."""


@pytest.mark.parametrize(
    "dies",
    [
        CommandOutput(run=Run(argv=("${out}/dies",)), upon_sigill="--file ${out}/dies"),
        Serves(
            run=Run(argv=("${out}/dies",)),
            scheme="http",
            path="/",
            expect="x",
            upon_sigill="--file ${out}/dies",
        ),
    ],
    ids=["run", "serve"],
)
def test_an_illegal_instruction_is_called_that(bench: Bench, dies: Check) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("elsewhere a trap may be another signal")
    with pytest.raises(process_errors.IllegalInstruction) as caught:
        bench.build(dataclasses.replace(ILLEGAL, checks=(dies,)))
    said = str(caught.value)
    assert said.startswith("goal: died of SIGILL: it has an instruction that its processor lacks:")
    assert "\n  which one: nox -s verify -- --file /" in said


def test_another_end_is_no_illegal_instruction(bench: Bench) -> None:
    ends = CommandOutput(run=Run(argv=("sh", "-c", "kill -TERM $$")), upon_sigill="look")
    with pytest.raises(process_errors.CommandFailed, match="ended by signal 15"):
        bench.build(dataclasses.replace(ILLEGAL, checks=(ends,)))
