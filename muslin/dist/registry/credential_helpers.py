"""Programs that keep credentials: `docker-credential-NAME get`, a server's address on its standard
input, JSON on its standard output (docker-credential-helpers' protocol)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from muslin.dist.registry import errors
from muslin.dist.registry.credentials import IDENTITY_TOKEN, Credential
from muslin.engine.process import errors as process_errors
from muslin.engine.process.limits import Allowance
from muslin.engine.process.runner import Runner

PREFIX = "docker-credential-"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NONE_THERE = "credentials not found"
"""How a helper begins to say that it has none; it ends with code 1 then."""
ALLOWANCE = Allowance(seconds=60.0, printed=1 << 20, more_time="", more_room="")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    user: str = Field(alias="Username")
    secret: str = Field(alias="Secret")


@dataclass(frozen=True, kw_only=True)
class Helpers:
    """The helpers of this machine."""

    runner: Runner
    environment: Mapping[str, str]
    """A helper gets all of it: some ask a desktop's or a cloud's session."""

    def ask(self, name: str, server: str, declared: Path) -> Credential | None:
        """What a helper has for a server; None if it has nothing.

        Raises `HelperFailed`; nothing that the helper prints is in it.
        """
        program = f"{PREFIX}{name}"
        if not NAME.fullmatch(name):
            why = "is no name of a helper"
            raise errors.HelperFailed(program, server, declared, why)
        with tempfile.TemporaryDirectory() as folder:
            answer = self._answer(program, server, declared, Path(folder))
        if answer is None or not answer.secret:
            return None
        if answer.user == IDENTITY_TOKEN:
            return Credential(origin=program, identity_token=answer.secret)
        return Credential(origin=program, user=answer.user, password=answer.secret)

    def _answer(self, program: str, server: str, declared: Path, folder: Path) -> _Answer | None:
        question, output = folder / "question", folder / "answer"
        question.write_text(server, encoding="utf-8")
        why = ""
        try:
            self.runner.run(
                (program, "get"),
                what=program,
                cwd=folder,
                env=self.environment,
                log=folder / "log",
                output=output,
                stdin=question,
                allowance=ALLOWANCE,
            )
            return _Answer.model_validate_json(output.read_bytes())
        except process_errors.CommandMissing:
            why = "is not on PATH"
        except process_errors.TookTooLong:
            why = f"did not end in {ALLOWANCE.seconds:.0f} s"
        except process_errors.CommandFailed as error:
            if NONE_THERE in output.read_text(encoding="utf-8", errors="replace"):
                return None
            why = f"ended with code {error.code}"
        except (process_errors.BeyondLimit, ValidationError):
            why = "gave no answer that can be read"
        # Not as the cause of it: what it printed may be a secret.
        raise errors.HelperFailed(program, server, declared, why)
