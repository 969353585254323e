"""The crates of a lock file, fetched once by cargo itself, with the user's own registries."""

from __future__ import annotations

from muslin.engine.vocabulary import RegistrySettings, Run, Stage, Write, escaped
from muslin.models.cargo_workspaces import Workspace

STALE = "lock file .* needs to be updated|cannot update the lock file"
UPDATE = (
    "Cargo.lock is behind a Cargo.toml. `cargo update --workspace` there brings it up to date; "
    "commit what it changes"
)
LIBRARY = "${need.rust}/lib/rustlib/src/rust/library"


def stage(name: str, *, workspace: Workspace, rust: Stage) -> Stage:
    """A folder of vendored crates. The lock's checksums decide its content, so cargo is no part
    of the key, and neither is the registry."""
    return Stage(
        name=f"crates-{name}",
        summary="crates of the lock file",
        trees=(("workspace", workspace.files),),
        tools=(("rust", rust),),
        env=(
            ("CARGO_HOME", "${work}/cargo-home"),
            ("RUSTC", "${tool.rust}/bin/rustc"),
        ),
        network=True,
        steps=(
            RegistrySettings(path="${work}/cargo-home/config.toml"),
            *(
                Write(path=path, text=text)
                for path, text in settings(workspace, tree="${tree.workspace}").items()
            ),
            _vendor(
                "${tool.rust}/bin/cargo",
                f"${{tree.workspace}}/{workspace.manifest}",
                *(f"--config={path}" for path in settings(workspace)),
                remedies=((STALE, f"{workspace.root}: {UPDATE}"),),
            ),
        ),
        runs_on="nowhere",
        guess=20,
    )


def settings(workspace: Workspace, tree: str = "") -> dict[str, str]:
    """The file with what the project itself says of where its crates are fetched, if it does."""
    if not workspace.settings:
        return {}
    return {"${work}/project.toml": escaped(workspace.settings).replace("{tree}", tree)}


def of_std(*, rust: Stage) -> Stage:
    """What std depends on, where rust-src does not bring it: by std's own lock."""
    return Stage(
        name="crates-std",
        summary="crates that Rust's std depends on",
        needs=(("rust", rust),),
        env=(
            ("CARGO_HOME", "${work}/cargo-home"),
            ("RUSTC", "${need.rust}/bin/rustc"),
            ("RUSTC_BOOTSTRAP", "1"),  # std's manifests use features of cargo's nightly channel
        ),
        network=True,
        steps=(
            RegistrySettings(path="${work}/cargo-home/config.toml"),
            _vendor("${need.rust}/bin/cargo", f"{LIBRARY}/Cargo.toml"),
        ),
        runs_on="nowhere",
        guess=20,
    )


def _vendor(
    cargo: str, manifest: str, *options: str, remedies: tuple[tuple[str, str], ...] = ()
) -> Run:
    return Run(
        argv=(
            cargo,
            *options,
            *("vendor", "--locked", "--versioned-dirs", "--respect-source-config"),
            f"--manifest-path={manifest}",
            "${out}",
        ),
        cwd="/",  # cargo looks for configuration in every folder above this one
        output="${work}/config",
        remedies=remedies,
    )
