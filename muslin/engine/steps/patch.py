"""Apply a series of patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.formats import patch_series
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step
from muslin.engine.steps.run import Run


@dataclass(frozen=True, kw_only=True)
class Patch(Step):
    """Apply the patches of a folder in order; one that does not apply without fuzz is an error.

    The order is that of the folder's quilt `series`, or of `names`; then every patch file of the
    folder has to be in `names` or `omit`. One that is applied already is an error, too.
    """

    revision: ClassVar[int] = 2
    folder: str
    into: str
    names: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    """Glob patterns of those that are not applied; each matches at least one."""
    strip: int = 1
    """Leading path components to drop, as in `patch -p1`."""

    def perform(self, sandbox: Sandbox) -> None:
        folder = sandbox.path(self.folder)
        try:
            names = patch_series.ordered(folder, names=self.names, omit=self.omit)
        except patch_series.Unexplained as error:
            raise errors.StepFailed(sandbox.stage, "patch", str(error), sandbox.log) from error
        for name in names:
            # --forward: without it --batch reverts a patch that is applied already, and succeeds.
            options = ("--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch")
            words = (f"-p{self.strip}", *options, f"--input={folder / name}")
            Run(argv=("patch", *words), cwd=self.into).perform(sandbox)
