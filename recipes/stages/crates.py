"""The crates of a lock file, fetched once by cargo itself, with the user's own registries."""

from __future__ import annotations

from recipes.engine.stage import RegistrySettings, Run, Stage
from recipes.workspaces import Workspace


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
            Run(
                argv=(
                    "${tool.rust}/bin/cargo",
                    "vendor",
                    "--locked",
                    "--versioned-dirs",
                    "--respect-source-config",
                    f"--manifest-path=${{tree.workspace}}/{workspace.manifest}",
                    "${out}",
                ),
                cwd="/",  # cargo looks for configuration in every folder above this one
                output="${work}/config",
            ),
        ),
        runs_on="nowhere",
        guess=20,
    )
