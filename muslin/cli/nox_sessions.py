"""Every session for a noxfile, ours or a user's:

from muslin.cli import nox_sessions
nox_sessions.define()
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

from muslin.cli import call, main


def define(project: Path | None = None) -> None:
    """Make a session of each module in muslin/cli/commands/; arguments go to its options.

    The project is the directory of the noxfile, to which Nox changes, if none is given.
    """
    for name, summary in main.sessions().items():
        _define(name, summary, project or Path.cwd())


def _define(name: str, summary: str, project: Path) -> None:
    def run(session: nox.Session) -> None:
        called = call.Call(
            name=name, words=session.posargs, project=project, caller=Path(session.invoked_from)
        )
        try:
            outcome = main.call(called)
        except main.SessionFailed as error:
            session.error(str(error))  # nox adds a full stop
        if isinstance(outcome, call.Program):
            session.chdir(session.invoked_from)
            session.run(*outcome.argv, env=outcome.environment, external=True)
        elif outcome:
            sys.exit(outcome)  # nox ends with 1 whatever a session reports

    run.__doc__ = summary
    nox.session(venv_backend="none", name=name)(run)
