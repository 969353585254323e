"""What the check says of programs without symbols, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.check.__main__ import main
from tests.unit.audit.test_stripped import ARMV6, EXIT, NEON, RETURN, looked_at, words

POSSIBLE = (RETURN, 0xE92D4010, NEON, 0xE3A00000, 0xE8BD8010)
UNKNOWN = (RETURN, 0x12345678, 0x00000007, 0x12345678)
CASES = {
    "fits": ((RETURN,), 0, "fits armv6-vfpv2"),
    "does not fit": ((NEON, *EXIT), 1, "vadd.i8 q0, q0, q0: needs NEON"),
    "possibly does not fit": (POSSIBLE, 1, "not seen: possibly NEON"),
    "is not fully seen": (UNKNOWN, 1, "only 25.0% of its code is reached or explained"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_stripped_program(
    case: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, expected, text = CASES[case]
    looked_at(tmp_path, words(*code), ARMV6)
    assert main(["--baseline", "armv6-vfpv2", "program"], tmp_path) == expected
    assert text in capsysbinary.readouterr().out.decode()


@pytest.mark.parametrize(("case", "expected"), [("possibly does not fit", 0), ("does not fit", 1)])
def test_what_is_not_seen_may_be_accepted_and_what_does_not_fit_not(
    case: str, expected: int, tmp_path: Path
) -> None:
    looked_at(tmp_path, words(*CASES[case][0]), ARMV6)
    arguments = ["--baseline", "armv6-vfpv2", "--accept-unseen", "program"]
    assert main(arguments, tmp_path) == expected
