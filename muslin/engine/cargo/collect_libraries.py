"""Copy the libraries that cargo built."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step
from muslin.engine.steps.copy import Copy


@dataclass(frozen=True, kw_only=True)
class CollectLibraries(Step):
    """Copy the libraries that `cargo build --message-format=json` reported."""

    revision: ClassVar[int] = 1
    messages: str
    into: str

    def perform(self, sandbox: Sandbox) -> None:
        into = sandbox.own(self.into)
        into.mkdir(parents=True, exist_ok=True)
        found = 0
        with walk.opened(sandbox.path(self.messages)) as messages:
            for line in messages:
                message = json.loads(line)
                if message.get("reason") != "compiler-artifact":
                    continue
                for name in message["filenames"]:
                    if name.endswith(".rlib"):
                        Copy(source=name, to=str(into / Path(name).name)).perform(sandbox)
                        found += 1
        if not found:
            raise errors.StepFailed(
                sandbox.stage, "collect", "cargo reported no library", sandbox.log
            )
