"""What lies in `dist/` is static, for the right machine, runs on the baseline, and answers."""

from __future__ import annotations

import http.server
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from tests.product.conftest import PROJECT, Product, output

SERVICES = ("hello-c", "hello-cpp", "hello-fetch", "hello-http", "hello-tls")
START_SECONDS = 30.0


@contextmanager
def served(argv: list[str]) -> Iterator[int]:
    """A server on a free port of loopback; must end with 0 on SIGTERM."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(argv, env={"PORT": str(port)}, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    assert code == 0


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the port takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended by itself"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server takes no connection")


@pytest.mark.parametrize("service", SERVICES)
def test_program_is_static_and_for_the_machine(product: Product, service: str) -> None:
    with product.program(service).open("rb") as file:
        elf = ELFFile(file)
        assert elf.header.e_machine == product.target.machine
        kinds = {segment.header.p_type for segment in elf.iter_segments()}
        assert "PT_INTERP" not in kinds
        needed = [
            tag
            for segment in elf.iter_segments()
            if isinstance(segment, DynamicSegment)
            for tag in segment.iter_tags("DT_NEEDED")
        ]
        assert needed == []


@pytest.mark.parametrize("service", ["hello-c", "hello-cpp"])
def test_hello_prints_what_it_should(product: Product, service: str) -> None:
    printed = output(product.emulated(product.program(service)))
    expected = (PROJECT / "services" / service / "tests" / "expected.txt").read_text()
    assert printed.splitlines()[-1] == f"{service}: ok"
    # The architecture's name is the program's own business; every other line is the same anywhere.
    assert len(printed.splitlines()) == len(expected.splitlines())
    differing = set(printed.splitlines()) - set(expected.splitlines())
    assert all(line.startswith("architecture: ") for line in differing), differing


def test_hello_http_answers(product: Product) -> None:
    with served(product.emulated(product.program("hello-http"))) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            said = json.load(answer)
    assert said["service"] == "hello-http"
    assert product.target.rust.triple.startswith(said["arch"])


def test_hello_tls_answers_over_tls_1_3(product: Product) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it made its own certificate
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with served(product.emulated(product.program("hello-tls"))) as port:
        address = f"https://127.0.0.1:{port}/"
        with urllib.request.urlopen(address, timeout=30, context=context) as answer:
            said = json.load(answer)
    assert said["service"] == "hello-tls"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the host has no openssl program")
def test_openssl_completes_a_handshake(product: Product) -> None:
    with served(product.emulated(product.program("hello-tls"))) as port:
        seen = subprocess.run(
            ["openssl", "s_client", "-tls1_3", "-connect", f"127.0.0.1:{port}"],
            input="",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert "New, TLSv1.3" in seen.stdout, seen.stdout + seen.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="the host has no curl")
def test_curl_gets_an_answer(product: Product) -> None:
    with served(product.emulated(product.program("hello-tls"))) as port:
        said = output(
            ["curl", "--silent", "--insecure", "--tlsv1.3", f"https://127.0.0.1:{port}/healthz"]
        )
    assert "ok" in said


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's side of TLS for localhost; `<name>.pem` vouches for it."""
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    output(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", pem),
        ]
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the host has no openssl program")
def test_hello_fetch_trusts_whom_it_should(product: Product, tmp_path: Path) -> None:
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = certificate(tmp_path, "ours").wrap_socket(server.socket, server_side=True)
    certificate(tmp_path, "stranger")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    url = f"https://localhost:{server.server_port}/ours.pem"
    try:
        codes = {
            name: subprocess.run(
                product.emulated(product.program("hello-fetch"), url),
                env={"SSL_CERT_FILE": str(tmp_path / f"{name}.pem"), "SSL_CERT_DIR": "/none"},
                check=False,
                timeout=120,
            ).returncode
            for name in ("ours", "stranger")
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert codes == {"ours": 0, "stranger": 4}


def test_sums_and_manifest_agree_with_the_files(product: Product) -> None:
    dist = PROJECT / "dist"
    output(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=dist)
    listed = {row["path"] for row in json.loads((dist / "manifest.json").read_text())["artefacts"]}
    assert {f"{product.target.name}/{service}" for service in SERVICES} <= listed


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no Docker on this machine")
@pytest.mark.parametrize("service", SERVICES)
def test_image_loads(product: Product, service: str) -> None:
    tar = PROJECT / "dist" / "images" / f"{service}-{product.target.name}.tar"
    reference = f"muslin/{service}:{product.target.name}"
    assert reference in output(["docker", "load", "--input", tar])
    (image,) = json.loads(output(["docker", "image", "inspect", reference]))
    assert image["Architecture"] == product.target.image.architecture
    assert image.get("Variant", "") == product.target.image.variant
    assert image["Config"]["User"] == "65532:65532"


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no Docker on this machine")
@pytest.mark.native  # foreign ones run only where binfmt is registered; they do load, see above
def test_native_images_run(product: Product) -> None:
    for service in SERVICES:
        tar = PROJECT / f"dist/images/{service}-{product.target.name}.tar"
        output(["docker", "load", "--input", tar])
    for service, expect in (("hello-c", ": ok"), ("hello-cpp", ": ok"), ("hello-fetch", " 0.")):
        words = ("--version",) if service == "hello-fetch" else ()
        printed = output(["docker", "run", "--rm", f"muslin/{service}:x86_64", *words])
        assert f"{service}{expect}" in printed
    name = "muslin-test-http"
    output(["docker", "run", "--rm", "--detach", f"--name={name}", "muslin/hello-http:x86_64"])
    try:
        address = output(
            ["docker", "inspect", "--format={{.NetworkSettings.IPAddress}}", name]
        ).strip()
        said = ""
        deadline = time.monotonic() + START_SECONDS
        while "hello-http" not in said and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://{address}:8080/", timeout=5) as answer:
                    said = answer.read().decode()
            except OSError:
                time.sleep(0.1)
        assert '"service":"hello-http"' in said
    finally:
        output(["docker", "stop", "--time=10", name])


@pytest.mark.native  # what is around the checkout is the same for every target
def test_hostile_configuration_changes_nothing(product: Product, tmp_path: Path) -> None:
    """The same checkout below a folder with a hostile cargo configuration, RUSTFLAGS set.

    What lies above the cache, where cargo runs, is test_rust's matter.
    """
    hostile = tmp_path / "hostile"
    (hostile / ".cargo").mkdir(parents=True)
    (hostile / ".cargo" / "config.toml").write_text(
        '[build]\nrustc = "/bin/false"\nrustflags = ["--cfg", "hostile"]\n'
        '[profile.release]\nopt-level = 0\n[source.crates-io]\nreplace-with = "nowhere"\n'
        '[source.nowhere]\ndirectory = "/nonexistent"\n'
    )
    checkout = hostile / "a checkout"
    output(["git", "clone", "--quiet", PROJECT, checkout])
    # A changed byte in a comment: everything but this program is found.
    main = checkout / "services" / "hello-http" / "src" / "main.rs"
    main.write_text(main.read_text() + "// hostile surroundings\n")
    output(
        ["nox", "-s", "build-all", "--", "x86_64"],
        cwd=checkout,
        PATH=f"{Path(shutil.which('nox') or '/').parent}:/usr/local/bin:/usr/bin:/bin",
        HOME=str(Path.home()),
        MUSLIN_CACHE=str(product.pipeline.context.settings.cache),
        RUSTFLAGS="--cfg hostile -Ctarget-cpu=native",
        CFLAGS="-march=native",
    )
    ours, theirs = (
        (folder / "dist" / "x86_64" / "hello-http").read_bytes() for folder in (PROJECT, checkout)
    )
    assert ours == theirs
