"""SARIF logs against the schema of OASIS, by models that were generated from it."""

from __future__ import annotations

import json
from typing import Any

from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema


def valid(log: dict[str, Any]) -> dict[str, Any]:
    """The log as it is written; raises `pydantic.ValidationError` for what the schema refuses."""
    text = json.dumps(log)
    StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate_json(text)
    written: dict[str, Any] = json.loads(text)
    return written
