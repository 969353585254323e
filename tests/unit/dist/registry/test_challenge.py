"""What registries ask for, from the header as it was seen in the wild and as it is not."""

from __future__ import annotations

import pytest

from muslin.dist.registry import challenge

HEADERS = {
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"': [
        ("bearer", {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"})
    ],
    'Bearer realm="https://a/t",scope="repository:a:pull,push",error="insufficient_scope"': [
        (
            "bearer",
            {
                "realm": "https://a/t",
                "scope": "repository:a:pull,push",
                "error": "insufficient_scope",
            },
        )
    ],
    'Basic realm="it, Bearer realm=x", BEARER realm=https://b , service="s"': [
        ("basic", {"realm": "it, Bearer realm=x"}),
        ("bearer", {"realm": "https://b", "service": "s"}),
    ],
    "Basic": [("basic", {})],
    "Negotiate, Basic realm=x": [("negotiate", {}), ("basic", {"realm": "x"})],
    r'Bearer realm = "a\"b\\c"': [("bearer", {"realm": r"a\"b\c".replace(r"\"", '"')})],
    "": [],
    "realm=x": [],
    '"': [],
}


@pytest.mark.parametrize("header", HEADERS)
def test_what_is_asked_for(header: str) -> None:
    read = [(one.scheme, dict(one.parameters)) for one in challenge.parse(header)]
    assert read == HEADERS[header]
