"""Names to push to: what each of them means, and what is wrong with others."""

from __future__ import annotations

import pytest

from muslin.dist.registry import errors, reference

MEANT = {
    "ghcr.io/me/app": ("https://ghcr.io", "me/app", ("latest",)),
    "ghcr.io/me/app:1.0": ("https://ghcr.io", "me/app", ("1.0",)),
    "ghcr.io/me/": ("https://ghcr.io", "me/hello", ("latest",)),
    "ghcr.io/me/:2": ("https://ghcr.io", "me/hello", ("2",)),
    "ghcr.io/": ("https://ghcr.io", "hello", ("latest",)),
    "localhost/app": ("http://localhost", "app", ("latest",)),
    "localhost:5000/app": ("http://localhost:5000", "app", ("latest",)),
    "127.0.0.1:5000/app": ("http://127.0.0.1:5000", "app", ("latest",)),
    "127.9.9.9/app": ("http://127.9.9.9", "app", ("latest",)),
    "[::1]:5000/a/b:1": ("http://[::1]:5000", "a/b", ("1",)),
    "https://localhost:5000/app": ("https://localhost:5000", "app", ("latest",)),
    "192.168.1.2:5000/app": ("https://192.168.1.2:5000", "app", ("latest",)),
    "Registry.Example.org/app": ("https://registry.example.org", "app", ("latest",)),
    "docker.io/me/app": ("https://registry-1.docker.io", "me/app", ("latest",)),
    "index.docker.io/me/app": ("https://registry-1.docker.io", "me/app", ("latest",)),
    "docker.io/app": ("https://registry-1.docker.io", "library/app", ("latest",)),
    "docker.io/me/a__b-c--d.e": ("https://registry-1.docker.io", "me/a__b-c--d.e", ("latest",)),
}


@pytest.mark.parametrize("text", MEANT)
def test_what_a_name_means(text: str) -> None:
    read = reference.parse(text)
    assert (read.registry.origin, read.repository("hello"), read.tags) == MEANT[text]


REFUSED = {
    "me/app": "it should begin with a registry, such as docker.io/me/app",
    "app": "it should begin with a registry",
    "ghcr.io": "it should begin with a registry",
    "http://ghcr.io/me/app": "`--plain-http` is for a registry without TLS",
    "gh_cr.io/app": "is no host",
    "ghcr.io:port/app": "is no host",
    "ghcr.io/Me/App": "did you mean me/app?",
    "ghcr.io/a//b": "should consist of small letters",
    "ghcr.io/a/../b": "should consist of small letters",
    "ghcr.io/a?b": "should consist of small letters",
    "ghcr.io/app:": "the tag '' should have",
    "ghcr.io/app:-1": "begin with none of",
    "ghcr.io/app:a/b": "the tag 'a/b'",
    "ghcr.io/app@sha256:0": "leave users and digests out",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_with_a_name(text: str) -> None:
    with pytest.raises(errors.BadReference) as caught:
        reference.parse(text)
    assert REFUSED[text] in str(caught.value)


def test_a_password_in_a_name_is_not_repeated() -> None:
    with pytest.raises(errors.BadReference) as caught:
        reference.parse("me:hunter2@ghcr.io/app")
    assert "hunter2" not in str(caught.value)


def test_more_tags_and_plain_http() -> None:
    read = reference.parse("192.168.1.2/app:1", tags=["2", "1"], plain_http=True)
    assert (read.registry.origin, read.tags) == ("http://192.168.1.2", ("1", "2"))


def test_a_name_that_is_too_long() -> None:
    with pytest.raises(errors.BadReference, match="more than 255 characters"):
        reference.parse(f"ghcr.io/{'a/' * 120}").repository("service-name")
