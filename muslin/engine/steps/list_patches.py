"""List the patches that are applied to sources."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats import patch_series
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step

CVE = re.compile(r"CVE-\d{4}-\d{4,}")


@dataclass(frozen=True, kw_only=True)
class ListPatches(Step):
    """Write a JSON document with what `Patch` applies with the same fields: a list of `{"name",
    "sha256", "cves"}` in order; `cves` are those that a patch's name or text names."""

    revision: ClassVar[int] = 1
    folder: str
    names: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    to: str

    def perform(self, sandbox: Sandbox) -> None:
        folder = sandbox.path(self.folder)
        try:
            names = patch_series.ordered(folder, names=self.names, omit=self.omit)
        except patch_series.Unexplained as error:
            raise errors.StepFailed(sandbox.stage, "patches", str(error), sandbox.log) from error
        rows = []
        for name in names:
            text = f"{name}\n{walk.text(folder / name).decode('utf-8', 'replace')}"
            cves = sorted(set(CVE.findall(text)))
            rows.append({"name": name, "sha256": file_digest(folder / name), "cves": cves})
        to = sandbox.own(self.to)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
