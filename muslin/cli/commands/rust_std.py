"""4. Build Rust's std for exactly the target's processor."""

from muslin.cli.build import building

parser, run = building("rust-std", "rust-std", __doc__, examples=("armv6",))
