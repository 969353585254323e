"""Security fixes are in what is built: each program here behaves otherwise without its fix.

The libraries are those that services get, on the emulated baseline processor of every target.
"""

from __future__ import annotations

import http.server
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from muslin.graph.libraries import LIBRARIES, with_their_needs
from muslin.models.service import Service
from tests.product.conftest import Product, output

MUSL = r"""
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
/* Prints what a text in an encoding is in UTF-8, in hexadecimal, or why it is none. */
static void show(const char *encoding, const char *text)
{
    char in[16], out[64];
    char *from = strcpy(in, text), *to = out;
    size_t left = strlen(in), room = sizeof out;
    iconv_t converter = iconv_open("UTF-8", encoding);
    size_t result = iconv(converter, &from, &left, &to, &room);
    printf("%s:", encoding);
    if (result == (size_t)-1) printf(" %s", errno == EILSEQ ? "EILSEQ" : "another error");
    for (char *one = out; one < to; one++) printf(" %02x", (unsigned char)*one);
    puts("");
    iconv_close(converter);
}
int main(void)
{
    show("EUC-KR", "\xc8\x41");            /* CVE-2025-26519: read outside of a table */
    show("GB18030", "\x94\x39\xfc\x36");   /* CVE-2026-6042: wrong, after a second of search */
    show("GB18030", "\x84\x31\xa4\x37");
}
"""
MUSL_SAYS = """\
EUC-KR: EILSEQ
GB18030: f0 9f 98 80
GB18030: ef bf bd
"""
OPENSSL = r"""
#include <openssl/evp.h>
#include <stdio.h>
/* CVE-2026-75803: EVP_Cipher() took any tag for right where there was no ciphertext. */
int main(void)
{
    unsigned char key[32] = {1}, iv[12] = {2}, tag[16], out[16];
    int length;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), NULL, key, iv);
    EVP_EncryptFinal_ex(context, out, &length);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag);
    for (int forged = 0; forged < 2; forged++) {
        tag[0] ^= forged;
        EVP_DecryptInit_ex(context, EVP_chacha20_poly1305(), NULL, key, iv);
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag);
        puts(EVP_Cipher(context, out, NULL, 0) < 0 ? "refused" : "accepted");
    }
    EVP_CIPHER_CTX_free(context);
}
"""
SQLITE = r"""
#include <sqlite3.h>
#include <stdio.h>
/* CVE-2025-6965: more aggregate terms than columns that there may be overran memory. */
int main(void)
{
    sqlite3 *db;
    sqlite3_open(":memory:", &db);
    sqlite3_exec(db, "CREATE TABLE t (a, b, c, d)", 0, 0, 0);
    sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 2);
    sqlite3_exec(db, "SELECT sum(a) + sum(b) + sum(c) + sum(d) FROM t", 0, 0, 0);
    puts(sqlite3_errmsg(db));
    sqlite3_close(db);
}
"""
CURL = r"""
#include <curl/curl.h>
/* CVE-2026-3783: a bearer token went on to the host that was redirected to. */
int main(int count, char **words)
{
    CURL *handle = curl_easy_init();
    (void)count;
    curl_easy_setopt(handle, CURLOPT_URL, words[1]);
    curl_easy_setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    curl_easy_setopt(handle, CURLOPT_NETRC_FILE, words[2]);
    curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, "secret");
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, 60L);
    CURLcode code = curl_easy_perform(handle);
    curl_easy_cleanup(handle);
    return (int)code;
}
"""


def compiled(product: Product, folder: Path, text: str, *libraries: str) -> list[str]:
    """The command line of a program that is linked with libraries, emulated."""
    catalog, target = product.pipeline.catalog(), product.target
    names = with_their_needs(libraries)
    trees = [product.tree(catalog.libraries.library(name, target)) for name in names]
    (folder / "x.c").write_text(text)
    compiler = product.toolchain / "bin" / f"{target.triple}-gcc"
    command: list[str | Path] = [compiler, "-O2", "-Wall", "-Werror", "-static-pie"]
    for tree in trees:
        command += [f"-I{tree}/usr/include", f"-L{tree}/usr/lib"]
    command += [folder / "x.c", "-o", folder / "x"]
    output([*command, *(word for name in names for word in LIBRARIES[name].link)])
    return product.emulated(folder / "x")


def test_musl(product: Product, tmp_path: Path) -> None:
    assert output(compiled(product, tmp_path, MUSL)) == MUSL_SAYS


def test_openssl(product: Product, tmp_path: Path) -> None:
    said = output(compiled(product, tmp_path, OPENSSL, "openssl"))
    assert said == "accepted\nrefused\n"


def test_sqlite(product: Product, tmp_path: Path) -> None:
    said = output(compiled(product, tmp_path, SQLITE, "sqlite3"))
    assert said == "more than 2 aggregate terms\n"


@contextmanager
def server(answers: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server on loopback; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), answers) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made.server_port
        finally:
            made.shutdown()
            thread.join()


def test_curl(product: Product, tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    elsewhere: list[str] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(302 if self.path == "/first" else 200)
            if self.path == "/first":
                self.send_header("Location", elsewhere[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "netrc").write_text("default login somebody password word\n")
    command = compiled(product, tmp_path, CURL, "curl")
    with server(Answers) as first, server(Answers) as second:
        elsewhere.append(f"http://localhost:{second}/second")
        words = (f"http://127.0.0.1:{first}/first", str(tmp_path / "netrc"))
        done = subprocess.run([*command, *words], check=False, timeout=120)
    assert done.returncode == 0
    assert seen[0] == ("/first", "Bearer secret")
    assert seen[1][0] == "/second"
    assert "secret" not in seen[1][1]


def test_reports_name_the_fixes(product: Product) -> None:
    """What a build says of itself is what its pins say."""
    catalog = product.pipeline.catalog()
    service: Service = product.pipeline.selection.services["hello-tls"]
    stage = catalog.verifications.of_service(service, product.target)["hello-tls"]
    text = (product.tree(stage) / "report.txt").read_text()
    openssl = catalog.pins.component("openssl")
    assert openssl.fixes
    assert f"contains: openssl {openssl.version}, with the fixes of {openssl.fixes[0]}" in text
    assert f"contains: musl {catalog.pins.component('musl').version}" in text


@pytest.mark.once
def test_every_library_that_has_fixes_has_a_test_here(product: Product) -> None:
    pins = product.pipeline.pins.pins
    fixed = {name for name, pin in pins.items() if pin.fixes}
    assert fixed == {name for name in pins if f"test_{name.removesuffix('3')}" in globals()}
