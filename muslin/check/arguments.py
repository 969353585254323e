"""The command line of the check."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

PROGRAM = "python -m muslin.check"
"""How it is called where nothing of the pipeline is there."""
DESCRIPTION = """\
Look at every instruction of ELF files, and say what each program needs at least, or whether it
fits a processor. PATH is an ELF file, a folder, a wheel or another zip, a tar, a package (.deb,
.apk, .rpm), or a container image: an OCI layout or what `docker save` writes.
"""
EPILOG = """\
examples:
{examples}

exit codes:
  0  every program was looked at and fits, or its needs are known
  1  a program does not fit, or was not fully seen
  2  wrong use, or an input that cannot be read
"""
EXAMPLES = (
    "dist/armv6/hello-http",
    "--boards pi-zero,pi-3 downloads/",
    "--target armv6 uv-0.9.0-py3-none-linux_armv6l.whl",
    "--baseline armv7-vfpv3-d16 --json package.deb > check.json",
)


def parser(called: str = PROGRAM) -> argparse.ArgumentParser:
    """The parser of the check's words, which a person writes behind `called`."""
    made = argparse.ArgumentParser(
        prog="check",
        usage=f"{called} PATH... [options]",
        description=DESCRIPTION,
        epilog=EPILOG.format(examples="\n".join(f"  {called} {words}" for words in EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help="what to look at")
    held = made.add_argument_group("what programs are held to (several may be given)")
    held.add_argument("--target", action=_Names, help="a target of toolchains/: armv6")
    held.add_argument("--baseline", action=_Names, help="a processor: armv6-vfpv2, armv8.0")
    held.add_argument("--boards", action=_Names, help="computers: pi-zero,pi-3")
    shown = made.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print JSON (schema muslin-check/1)")
    shown.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0")
    shown.add_argument("--github", action="store_true", help="print annotations for GitHub")
    shown.add_argument("--gitlab", action="store_true", help="print a code quality report")
    made.add_argument(
        "--accept-unseen", action="store_true", help="pass what could not be fully looked at"
    )
    made.add_argument(
        "--allow-dynamic", action="store_true", help="pass an interpreter and shared libraries"
    )
    return made


class _Names(argparse.Action):
    """Names that are separated by commas; an option may be repeated."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        names = [name.strip() for name in str(values).split(",")]
        if not all(names):
            parser.error(f"argument {option_string}: a name is empty in {values!r}")
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or ()), *names])
