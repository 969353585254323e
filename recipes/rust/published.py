"""Programs of the crates registry: which release a requirement means, its sources, its lock.

Cargo itself asks the registry, with this machine's own configuration, as for the crates of a lock.
What a registry has changes; so stages that ask it have the time of the question in their keys.
"""

from __future__ import annotations

from muslin.engine.vocabulary import (
    Copy,
    File,
    RegistrySettings,
    Run,
    Stage,
    TakeCrate,
    Tree,
    Write,
)
from muslin.models.cargo_manifest import LOCK, MANIFEST
from muslin.models.published import Release, Request

HOME = "${work}/cargo-home"
QUESTION = "${work}/question"
ASKING = """\
[package]
name = "muslin-question"
version = "0.0.0"
edition = "2021"

[dependencies]
answer = {{ package = "{name}", version = "{requirement}" }}
"""
NO_SUCH_CRATE = "`cargo search WORD` finds the names of crates"
NO_SUCH_RELEASE = "`cargo info NAME` shows the newest release, and the registry's page all of them"
NO_ANSWER = (
    "Where the network is missing, name a release in full, such as {name}@1.2.3: if this cache has "
    "it, no registry is asked"
)


def release(request: Request, *, rust: Stage, asked: str) -> Stage:
    """`Cargo.lock`, which names the newest release that fits, as cargo chooses it, and the digest
    of its archive: yanked ones and those that require a newer rustc are left out, if there is
    another. `asked` is when, or, of a release that is named in full and never changes, whom."""
    text = ASKING.format(name=request.name, requirement=request.requirement)
    return Stage(
        name=f"release-{request.name}",
        summary="the release that a requirement means",
        tools=(("rust", rust),),
        env=(*_environment(), ("ASKED", asked)),
        network=True,
        steps=(
            RegistrySettings(path=f"{HOME}/config.toml"),
            Write(path=f"{QUESTION}/{MANIFEST}", text=text),
            Write(path=f"{QUESTION}/src/lib.rs", text=""),
            _locked(
                f"{QUESTION}/{MANIFEST}",
                ("no matching package named", NO_SUCH_CRATE),
                ("failed to select a version", NO_SUCH_RELEASE),
                ("download|resolve host", NO_ANSWER.format(name=request.name)),
            ),
            Copy(source=f"{QUESTION}/{LOCK}", to=f"${{out}}/{LOCK}"),
        ),
        runs_on="nowhere",
        guess=3,
        kept=100_000,
    )


def sources(release: Release, *, rust: Stage) -> Stage:
    """`<name>-<version>/`, as it was published."""
    return Stage(
        name=f"crate-{release.folder}",
        summary="sources of a published crate",
        tools=(("rust", rust),),
        env=_environment(),
        network=True,
        steps=(
            RegistrySettings(path=f"{HOME}/config.toml"),
            Run(
                argv=(
                    *("${tool.rust}/bin/cargo", "info", "--registry=crates-io"),
                    f"{release.name}@{release.version}",
                ),
                cwd="/",  # cargo looks for configuration in every folder above this one
            ),
            TakeCrate(
                home=HOME,
                name=release.name,
                version=release.version,
                sha256=release.sha256,
                into=f"${{out}}/{release.folder}",
            ),
        ),
        runs_on="nowhere",
        guess=3,
    )


def lock(release: Release, *, crate: Stage, rust: Stage, asked: str) -> Stage:
    """`Cargo.lock` for a crate that was published without, as cargo makes it now."""
    source, copy = f"${{need.crate}}/{release.folder}", "${work}/crate"
    return Stage(
        name=f"lock-{release.folder}",
        summary="dependencies of a published crate, resolved",
        needs=(("crate", crate),),
        tools=(("rust", rust),),
        env=(*_environment(), ("ASKED", asked)),
        network=True,
        steps=(
            Copy(source=source, to=copy),
            RegistrySettings(path=f"{HOME}/config.toml"),
            _locked(f"{copy}/{MANIFEST}"),
            Copy(source=f"{copy}/{LOCK}", to=f"${{out}}/{LOCK}"),
        ),
        runs_on="nowhere",
        guess=5,
        kept=100_000,
    )


def locked(release: Release, *, crate: Stage, project: Tree, file: File) -> Stage:
    """The sources with a lock that the project keeps."""
    folder = f"${{out}}/{release.folder}"
    return Stage(
        name=f"locked-{release.folder}",
        summary="sources of a published crate, with the project's lock",
        needs=(("crate", crate),),
        trees=(("project", project),),
        steps=(
            Copy(source=f"${{need.crate}}/{release.folder}", to=folder),
            Copy(source=f"${{tree.project}}/{file.path}", to=f"{folder}/{LOCK}"),
        ),
        runs_on="nowhere",
        guess=1,
    )


def _environment() -> tuple[tuple[str, str], ...]:
    return (
        ("CARGO_HOME", HOME),
        ("RUSTC", "${tool.rust}/bin/rustc"),
        ("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback"),
    )


def _locked(manifest: str, *remedies: tuple[str, str]) -> Run:
    return Run(
        argv=("${tool.rust}/bin/cargo", "generate-lockfile", f"--manifest-path={manifest}"),
        cwd="/",  # as above
        remedies=remedies,
    )
