"""Registries that misbehave: whatever they answer, the right image is there in the end or a clear
error, no tag leads to half of one, and no secret is told to anybody."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from muslin.dist.registry import errors
from muslin.dist.registry.retries import Limits
from muslin.engine.process import errors as process_errors
from muslin.errors import PipelineError
from tests.e2e import registry as registries
from tests.e2e.registry import SECRETS, Behaviour, Handler, Registry, digest
from tests.e2e.shelf import Project
from tests.e2e.test_push import BOTH, nobody

__all__ = ["nobody"]  # a fixture that every test here uses

TAG = r"/manifests/latest$"
PAGE = b"<html><body>Please log in, " + SECRETS[0].encode() + b"</body></html>"
OTHER = f"sha256:{'0' * 64}"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.fill("app", BOTH)
    return made


def is_whole(registry: Registry, repository: str = "app") -> bool:
    """Whether the tag leads to an index of which everything is there, as the registry checked."""
    return "latest" in registry.manifests.get(repository, {})


# --- what the registry does, and what comes of it ---------------------------------------------


def status(number: int, code: str = "", **headers: str) -> Behaviour:
    def behaviour(line: Handler) -> bool:
        line.body()
        return line.refuse(number, code, **headers)

    return behaviour


def page(number: int) -> Behaviour:
    def behaviour(line: Handler) -> bool:
        line.body()
        return line.answer(number, PAGE, Content_Type="text/html; charset=utf-8")

    return behaviour


def cut(line: Handler) -> bool:
    """Crash in the middle of an upload."""
    line.body(100)
    return line.reset()


def cut_answer(line: Handler) -> bool:
    """Store it, and crash in the middle of the answer."""
    line.body()
    line.answer(201, b"", Content_Length="100")
    return line.reset()


def other_digest(line: Handler) -> bool:
    line.other_digest = OTHER
    return False


def instead(line: Handler) -> bool:
    """Store something else than came."""
    line.body()
    return line.answer(201, b"", Docker_Content_Digest=OTHER)


def redirected(number: int, place: str) -> Behaviour:
    def behaviour(line: Handler) -> bool:
        line.body()
        return line.answer(number, b"", Location=place)

    return behaviour


def elsewhere(place: str) -> Behaviour:
    """Begin an upload somewhere else."""
    return redirected(202, place)


@dataclass(frozen=True)
class Case:
    """A misbehaviour that is no accident."""

    name: str
    method: str
    path: str
    behaviour: Behaviour
    error: type[PipelineError]
    words: str


LASTING = [
    Case("401", "HEAD", "blobs", status(401), errors.AccessDenied, "no credentials for it"),
    Case("403 at once", "HEAD", "blobs", status(403), errors.Forbidden, "no right to push"),
    Case("403 of an upload", "POST", "blobs", status(403), errors.Forbidden, "no right to push"),
    Case("403 of the tag", "PUT", TAG, status(403), errors.Forbidden, "no right to push"),
    Case("404", "POST", "blobs", status(404), errors.NoRepository, "no such repository"),
    Case("a page for 404", "POST", "blobs", page(404), errors.NotARegistry, "404 with an HTML"),
    Case("a page", "HEAD", "blobs", page(200), errors.NotARegistry, "200 with an HTML page"),
    Case("a page for an upload", "POST", "", page(200), errors.NotARegistry, "200 with an HTML"),
    Case("a page for a blob", "PUT", "blobs", page(200), errors.NotARegistry, "with an HTML page"),
    Case("a page for a tag", "PUT", TAG, page(200), errors.NotARegistry, "200 with an HTML page"),
    Case("no address", "POST", "", status(202), errors.NotARegistry, "an upload has no address"),
    Case("200", "POST", "", status(200), errors.NotARegistry, "status 200 for blob"),
    Case("405", "POST", "", status(405, "UNSUPPORTED"), errors.RegistryRefused, "405 UNSUPPORTED"),
    Case("400", "PUT", TAG, status(400, "TAG_INVALID"), errors.RegistryRefused, "TAG_INVALID"),
    Case(
        "a word of its own", "PUT", TAG, status(409, "HUNTER2"), errors.RegistryRefused, r"\(409\)"
    ),
    Case("413", "PUT", "blobs", status(413), errors.TooLargeForRegistry, "client_max_body_size"),
    Case("500", "HEAD", "blobs", status(500), errors.RegistryFailed, "answers 500"),
    Case("503 of a tag", "PUT", TAG, status(503), errors.RegistryFailed, "answers 503"),
    Case("429", "POST", "", status(429, Retry_After="3600"), errors.RegistryFailed, "wait 3600 s"),
    Case("a cut upload", "PUT", "blobs", cut, errors.RegistryFailed, "closed the connection"),
    Case(
        "a cut answer", "PUT", "blobs", cut_answer, errors.RegistryFailed, "closed the connection"
    ),
    Case("another stored blob", "PUT", "blobs", other_digest, errors.WrongAnswer, "another digest"),
    Case("another manifest", "PUT", "sha256", other_digest, errors.WrongAnswer, "another digest"),
    Case("another tag", "PUT", TAG, instead, errors.WrongAnswer, "another digest for tag"),
    Case("damage", "PUT", "blobs", status(400, "DIGEST_INVALID"), errors.RegistryFailed, "bytes"),
    Case("lost uploads", "PUT", "blobs", status(404), errors.RegistryFailed, "lost the upload"),
    Case("http", "POST", "", elsewhere("http://example.org/"), errors.BadRedirection, "not safe"),
    Case("ftp", "POST", "", elsewhere("ftp://127.0.0.1/"), errors.BadRedirection, "'ftp'"),
    Case("bad address", "POST", "", elsewhere("http://[/"), errors.BadRedirection, "redirects"),
    Case("a circle", "HEAD", "", redirected(307, "/v2/x"), errors.BadRedirection, "more than 5"),
    Case(
        "302", "POST", "", redirected(302, "/v2/x"), errors.BadRedirection, "as if it were a page"
    ),
    Case(
        "away", "HEAD", "", redirected(307, "http://example.org"), errors.BadRedirection, "unsafe"
    ),
]


@pytest.mark.parametrize("case", LASTING, ids=[case.name for case in LASTING])
def test_a_lasting_fault_is_an_error_and_tags_nothing(
    project: Project, registry: Registry, case: Case
) -> None:
    registry.fails(case.method, case.path, case.behaviour, times=1000)
    with pytest.raises(case.error, match=case.words) as caught:
        project.push(f"{registry.name}/app")
    assert not is_whole(registry)
    assert f"{registry.name}/app" in str(caught.value) or registry.name in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


PASSING = {
    "429": ("POST", "", status(429, "TOOMANYREQUESTS")),
    "429 with a pause": ("PUT", "blobs", status(429, Retry_After="0")),
    "429 with a date": ("PUT", TAG, status(429, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT")),
    "500": ("HEAD", "blobs", status(500)),
    "502 with a page": ("HEAD", TAG, page(502)),
    "503 of a manifest": ("PUT", "sha256", status(503)),
    "a crash": ("HEAD", "blobs", lambda line: line.reset()),
    "a cut upload": ("PUT", "blobs", cut),
    "a cut answer": ("PUT", "blobs", cut_answer),
    "a cut tag": ("PUT", TAG, cut_answer),
    "damaged on its way": ("PUT", "blobs", status(400, "DIGEST_INVALID")),
    "a lost upload": ("PUT", "blobs", status(404, "BLOB_UPLOAD_UNKNOWN")),
}


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("times", [1, 2])
def test_a_passing_fault_is_gone_on_from(
    project: Project, registry: Registry, name: str, times: int
) -> None:
    method, path, behaviour = PASSING[name]
    registry.fails(method, path, behaviour, times=times)
    (said,) = project.push(f"{registry.name}/app")
    assert is_whole(registry)
    assert said.endswith(digest(registry.manifests["app"]["latest"][1]))
    assert registry.faults[0].times == 0


def test_a_registry_that_says_no_digests_is_asked_for_what_it_serves(project: Project) -> None:
    with Registry(says_digests=False) as registry:
        project.push(f"{registry.name}/app")
        assert is_whole(registry)
        registry.asked.clear()
        project.push(f"{registry.name}/app")
        assert {one.method for one in registry.asked} == {"HEAD", "GET"}


def test_a_registry_that_says_no_digests_and_serves_something_else(project: Project) -> None:
    with Registry(says_digests=False) as registry:
        registry.fails("PUT", TAG, lambda line: bool(line.body()) and line.answer(201), times=9)
        registry.fails("GET", TAG, lambda line: line.answer(200, b"{}"), times=9)
        registry.fails("HEAD", TAG, lambda line: line.answer(200), times=9)
        with pytest.raises(errors.WrongAnswer, match="another digest for tag latest"):
            project.push(f"{registry.name}/app")


def test_a_blob_that_was_cut_off_is_uploaded_again(project: Project) -> None:
    with Registry(says_digests=False) as registry:
        registry.fails("HEAD", "blobs", lambda line: line.answer(200, Content_Length="7"))
        project.push(f"{registry.name}/app")
        assert is_whole(registry)
        assert len(registry.requests("PUT", "blobs")) == 4


def test_a_tag_that_others_have_is_moved_only_to_what_is_whole(
    project: Project, registry: Registry
) -> None:
    project.push(f"{registry.name}/app")
    before = registry.manifests["app"]["latest"]
    project.fill("app", {**BOTH, "armv6": b"\x7fELF newer"})
    registry.fails("PUT", "blobs", status(503), times=1000)
    with pytest.raises(errors.RegistryFailed):
        project.push(f"{registry.name}/app")
    assert registry.manifests["app"]["latest"] == before
    registry.faults.clear()
    project.push(f"{registry.name}/app")
    assert registry.manifests["app"]["latest"] != before


def test_a_port_where_nobody_listens(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(errors.RegistryFailed, match="cannot be reached"):
        project.push(f"{name}/app")


def test_https_goes_through_the_users_proxy_and_loopback_does_not(
    project: Project, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Registry() as proxy:
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        lines: list[str] = []
        monkeypatch.setattr(Handler, "do_CONNECT", lambda line: refuse(line, lines), raising=False)
        with pytest.raises(errors.RegistryFailed, match="through the proxy"):
            project.push("registry.example.org/app")
        assert {*lines} == {"registry.example.org:443"}
        project.push(f"{registry.name}/app")
        assert proxy.asked == []
        assert is_whole(registry)


def refuse(line: Handler, lines: list[str]) -> None:
    lines.append(line.path)
    line.answer(502)


def test_noise_instead_of_http(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def noise() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(b"SSH-2.0-noise\r\n\r\n")

        threading.Thread(target=noise, daemon=True).start()
        with pytest.raises(errors.RegistryFailed, match=r"invalid response|closed the connection"):
            project.push(f"127.0.0.1:{server.getsockname()[1]}/app")
        server.shutdown(socket.SHUT_RDWR)


def test_an_answer_without_end(project: Project, registry: Registry) -> None:
    """Each piece of it comes in time; all of it never does."""
    over = threading.Event()

    def endless(line: Handler) -> bool:
        line.send_response(202)
        line.end_headers()
        while not over.wait(0.01):
            try:
                line.wfile.write(b" ")
            except OSError:
                break
        return line.reset()

    registry.fails("POST", "", endless, times=9)
    limits = Limits(tries=2, pause=0.001, patience=1.0)
    try:
        with pytest.raises(errors.RegistryFailed, match="has not answered in 1 s"):
            project.push(f"{registry.name}/app", limits=limits)
    finally:
        over.set()


def test_a_stopped_run_waits_for_nothing(project: Project, registry: Registry) -> None:
    def stop(line: Handler) -> bool:
        project.context.runner.stopping.set()
        return line.refuse(503, "", Retry_After="100")

    registry.fails("HEAD", "blobs", stop, times=9)
    with pytest.raises(process_errors.Interrupted):
        project.push(f"{registry.name}/app")
    assert len(registry.asked) == 1


# --- who is let in ----------------------------------------------------------------------------


def log_in(home: Path, config: str) -> None:
    (home / ".docker").mkdir(parents=True, exist_ok=True)
    (home / ".docker" / "config.json").write_text(config)


@contextmanager
def guarded(way: registries.Ways) -> Iterator[Registry]:
    with Registry(way=way) as registry, Registry() as issuer:
        registry.issuer = issuer
        yield registry


def own_config(registry: Registry, **entry: str) -> str:
    inner = ", ".join(f'"{key}": "{text}"' for key, text in entry.items())
    return f'{{"auths": {{"{registry.name}": {{{inner}}}}}}}'


def password(registry: Registry) -> str:
    return own_config(registry, auth=SECRETS[3])


@pytest.mark.parametrize("way", ["basic", "bearer"])
def test_a_password(
    project: Project, tmp_path: Path, way: registries.Ways, capsys: pytest.CaptureFixture[str]
) -> None:
    with guarded(way) as registry:
        log_in(tmp_path / "home", password(registry))
        project.session(f"{registry.name}/app")
        assert is_whole(registry)
        assert len(registry.issuer.tokens if registry.issuer else []) == (way == "bearer")
    said = capsys.readouterr()
    assert not any(secret in said.out + said.err for secret in SECRETS)


def test_an_identity_token(project: Project, tmp_path: Path) -> None:
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", own_config(registry, identitytoken=registries.IDENTITY))
        project.push(f"{registry.name}/app")
        assert is_whole(registry)


def test_a_token_that_ends_in_the_middle_is_renewed(project: Project, tmp_path: Path) -> None:
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", password(registry))

        def end(_: Handler) -> bool:
            registry.accepted = "another-token"
            assert registry.issuer is not None
            registry.issuer.accepted = registry.accepted
            return False

        registry.fails("PUT", "blobs", end)
        project.push(f"{registry.name}/app")
        assert is_whole(registry)
        assert registry.issuer is not None
        assert len(registry.issuer.tokens) == 2


@pytest.mark.parametrize("way", ["basic", "bearer"])
def test_nobody_is_not_let_in(project: Project, way: registries.Ways) -> None:
    with guarded(way) as registry:
        with pytest.raises(errors.AccessDenied, match="`docker login 127"):
            project.push(f"{registry.name}/app")


def test_a_wrong_password(project: Project, tmp_path: Path) -> None:
    wrong = "bWU6d3JvbmctZG8tbm90LXRlbGw="
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", own_config(registry, auth=wrong))
        with pytest.raises(errors.TokenRefused, match="does not accept the credentials") as caught:
            project.push(f"{registry.name}/app")
        assert "config.json" in str(caught.value)
        assert "wrong-do-not-tell" not in str(caught.value)
    with guarded("basic") as registry:
        log_in(tmp_path / "home", own_config(registry, auth=wrong))
        with pytest.raises(errors.AccessDenied, match="are not accepted"):
            project.push(f"{registry.name}/app")


TOKENS: dict[str, tuple[Callable[[Handler], bool], str]] = {
    "a page": (page(200), "answers without a token"),
    "no table": (lambda line: line.answer(200, b"[]"), "answers without a token"),
    "no token": (lambda line: line.answer(200, b'{"token": 7}'), "answers without a token"),
    "a header more": (
        lambda line: line.answer(200, b'{"token": "a\\r\\nX-More: b"}'),
        "answers without a token",
    ),
    "404": (status(404), "answers 404"),
    "a redirection": (redirected(307, "https://example.org/"), "answers 307"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_server_for_tokens_that_misbehaves(project: Project, tmp_path: Path, name: str) -> None:
    behaviour, words = TOKENS[name]
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", password(registry))
        assert registry.issuer is not None
        registry.issuer.fails("GET", "/token", behaviour, times=9)
        with pytest.raises(errors.TokenRefused, match=words) as caught:
            project.push(f"{registry.name}/app")
        assert not any(secret in str(caught.value) for secret in SECRETS)


def test_a_server_for_tokens_that_is_busy(project: Project, tmp_path: Path) -> None:
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", password(registry))
        assert registry.issuer is not None
        registry.issuer.fails("GET", "/token", status(503))
        project.push(f"{registry.name}/app")
        assert is_whole(registry)


def test_credentials_go_to_no_unsafe_server_for_tokens(project: Project, tmp_path: Path) -> None:
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", password(registry))
        realm = 'Bearer realm="http://example.org/token"'
        registry.fails("HEAD", "", status(401, WWW_Authenticate=realm), times=9)
        with pytest.raises(errors.TokenRefused, match="neither https nor"):
            project.push(f"{registry.name}/app")


@pytest.mark.parametrize("way", ["basic", "bearer"])
def test_redirections_to_storage_carry_no_authorization(
    project: Project, tmp_path: Path, way: registries.Ways
) -> None:
    with guarded(way) as registry, Registry() as storage:
        log_in(tmp_path / "home", password(registry))
        project.push(f"{registry.name}/app")

        def stored(line: Handler) -> bool:
            return line.answer(307, b"", Location=f"{storage.origin}{line.path}?signature=x")

        storage.blobs = registry.blobs
        registry.fails("HEAD", "blobs", stored, times=9)
        project.push(f"{registry.name}/app")
        assert len(storage.asked) == 4
        assert {one.authorization for one in storage.asked} == {""}


@pytest.mark.parametrize("way", ["basic", "bearer"])
def test_uploads_to_another_host_carry_no_authorization(
    project: Project, tmp_path: Path, way: registries.Ways
) -> None:
    with guarded(way) as registry, Registry() as storage:
        log_in(tmp_path / "home", password(registry))
        storage.blobs = registry.blobs
        place = f"{storage.origin}/v2/app/blobs/uploads/7?_state=of-the-upload"

        def begun(line: Handler) -> bool:
            if not line.headers.get("Authorization"):
                return False
            return line.answer(202, b"", Location=place)

        def again(line: Handler) -> bool:
            line.body()
            return line.answer(307, b"", Location=line.path + "&again=1")

        registry.fails("POST", "", begun, times=9)
        storage.fails("PUT", r"digest=sha256%3A[0-9a-f]*$", again, times=2)
        project.push(f"{registry.name}/app")
        assert is_whole(registry)
        assert len(storage.requests("PUT")) == 6  # two of them twice, with all bytes
        assert {one.authorization for one in storage.asked} == {""}


def test_a_netrc_is_not_for_registries(
    project: Project, tmp_path: Path, registry: Registry
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login me password in-netrc\n")
    project.push(f"{registry.name}/app")
    assert {one.authorization for one in registry.asked} == {""}


# --- credential helpers -----------------------------------------------------------------------

HELPER = """#!/bin/sh
test "$1" = get || exit 9
read server
case $server in
    NAME) printf '{"ServerURL": "NAME", "Username": "me", "Secret": "PASSWORD"}' ;;
    *) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


def helper(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential helper `test` on PATH."""
    program = folder / "bin" / "docker-credential-test"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.mark.parametrize("config", ['{"credsStore": "test"}', '{"credHelpers": {"NAME": "test"}}'])
def test_a_helper_gives_the_password(
    project: Project, tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded("bearer") as registry:
        text = HELPER.replace("NAME", registry.name).replace("PASSWORD", SECRETS[0])
        helper(tmp_path, text, monkeypatch)
        log_in(tmp_path / "home", config.replace("NAME", registry.name))
        project.push(f"{registry.name}/app")
        assert is_whole(registry)
    left = [one for one in tmp_path.rglob("*") if one.is_file() and one.parent.name != "bin"]
    assert left
    assert not any(SECRETS[0].encode() in one.read_bytes() for one in left)


def test_a_helper_that_knows_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, HELPER, monkeypatch)
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", '{"credsStore": "test"}')
        with pytest.raises(errors.AccessDenied, match="no credentials for it"):
            project.push(f"{registry.name}/app")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not on PATH"),
        ("#!/bin/sh\necho hunter2-do-not-tell; exit 3", "ended with code 3"),
        ("#!/bin/sh\necho hunter2-do-not-tell", "gave no answer that can be read"),
        ("#!/bin/sh\nhead -c 9000000 /dev/zero; sleep 9", "gave no answer that can be read"),
    ],
)
def test_a_helper_that_fails(
    project: Project, tmp_path: Path, text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text:
        helper(tmp_path, text, monkeypatch)
    with guarded("bearer") as registry:
        log_in(tmp_path / "home", '{"credsStore": "test"}')
        with pytest.raises(errors.HelperFailed, match=words) as caught:
            project.push(f"{registry.name}/app")
        assert "docker-credential-test" in str(caught.value)
        assert not any(secret in str(caught.value) for secret in SECRETS)


# --- HTTPS ------------------------------------------------------------------------------------


def certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("this machine has no openssl, which makes the certificate")
    return certificate, key


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Registry, Path]]:
    """A registry with TLS, and the authority that vouches for it."""
    authority, key = certificate(tmp_path)
    registry = Registry()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    registry.socket = context.wrap_socket(registry.socket, server_side=True)
    with registry:
        yield registry, authority


def test_https_with_an_authority_of_the_users(
    project: Project, secure: tuple[Registry, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, authority = secure
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    project.push(f"https://{registry.name}/app")
    assert is_whole(registry)


def test_https_without_one(project: Project, secure: tuple[Registry, Path]) -> None:
    registry, _ = secure
    with pytest.raises(errors.RegistryFailed, match="is not trusted"):
        project.push(f"https://{registry.name}/app")


def test_https_does_not_lead_to_http(
    project: Project,
    secure: tuple[Registry, Path],
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a registry behind a proxy does that is not told of it."""
    guard, authority = secure
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    guard.fails("POST", "", elsewhere(f"{registry.origin}/v2/app/blobs/uploads/1"), times=9)
    with pytest.raises(errors.BadRedirection, match="X-Forwarded-Proto"):
        project.push(f"https://{guard.name}/app")
    assert registry.asked == []
