"""The digests of trees, as `recipes/digests/` records them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from muslin.dist import stage_digests


def test_a_tree_has_the_same_digest_at_another_time_and_no_other(tmp_path: Path) -> None:
    def digest(size: int, time: int) -> str:
        manifest = {"usr": ["dir", 0o555], "usr/file": [size, time, 0o444, "a" * 64]}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return stage_digests.of_entry(tmp_path)

    recorded = {"usr": ["dir", 0o555], "usr/file": [7, 0o444, "a" * 64]}
    wanted = hashlib.sha256(json.dumps(recorded, sort_keys=True).encode()).hexdigest()
    assert digest(7, 1) == digest(7, 2) == wanted
    assert digest(8, 1) != wanted
