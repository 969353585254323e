"""Whether QEMU, rustc and OpenSSL know the names that a target's file gives them: a mistake there
shows in the first minute, not behind an hour of GCC. rustc alone would take an unknown processor
for the most general one, with a warning and exit code 0."""

from __future__ import annotations

from muslin.engine.vocabulary import Check, ListedName, Present, Run, Stage, Write
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component


def emulator(target: Target, *, qemu: Stage) -> Stage:
    """The emulator and its processor."""
    program, processor = f"bin/{target.qemu.program}", target.qemu.cpu.split(",")[0]
    return _stage(
        target,
        "emulator",
        judges=(("qemu", qemu),),
        checks=(
            Present(root="${judge.qemu}", paths=(program,)),
            ListedName(
                # QEMU ends with 1 after its help.
                run=Run(argv=("sh", "-c", '"$0" -cpu help || true', f"${{judge.qemu}}/{program}")),
                name=processor,
                what=f"qemu.cpu of {target.name}.toml",
                by=target.qemu.program,
            ),
        ),
    )


def rustc(target: Target, *, rust: Stage) -> Stage:
    """What rustc calls the target, its processor and features."""
    program = "${judge.rust}/bin/rustc"
    of_target = (program, "--target", target.rust.triple, "--print")
    names = (
        ((program, "--print", "target-list"), "rust.triple", target.rust.triple),
        ((*of_target, "target-cpus"), "rust.cpu", target.rust.cpu),
        *(
            ((*of_target, "target-features"), "rust.features", feature[1:])
            for feature in target.rust.features
        ),
    )
    return _stage(
        target,
        "rustc",
        judges=(("rust", rust),),
        checks=tuple(
            ListedName(
                run=Run(argv=argv), name=name, what=f"{key} of {target.name}.toml", by="rustc"
            )
            for argv, key, name in names
        ),
    )


def openssl(target: Target, *, targets: Stage) -> Stage:
    """What OpenSSL calls the target."""
    known = ListedName(
        run=Run(argv=("cat", "${judge.openssl}/targets")),
        name=target.openssl.target,
        what=f"openssl.target of {target.name}.toml",
        by="OpenSSL",
    )
    return _stage(target, "openssl", judges=(("openssl", targets),), checks=(known,))


def openssl_targets(source: Component) -> Stage:
    """The names of OpenSSL's targets, one on each line of `targets`."""
    return Stage(
        name="openssl-targets",
        summary="the targets that OpenSSL knows",
        sources=component.sources(source),
        steps=(
            *component.unpacked(source, into="${work}/openssl"),
            Run(
                argv=("perl", "./Configure", "LIST"),
                cwd="${work}/openssl",
                output="${out}/targets",
            ),
        ),
        runs_on="nowhere",
        checks=(Present(paths=("targets",)),),
        guess=2,
        peak=300_000_000,
        kept=10_000,
    )


def _stage(
    target: Target, what: str, *, judges: tuple[tuple[str, Stage], ...], checks: tuple[Check, ...]
) -> Stage:
    name = f"{what}-known-{target.name}"
    return Stage(
        name=name,
        target=target.name,
        summary="the names in the target's file are known",
        steps=(Write(path="${out}/name", text=f"{name}\n"),),
        runs_on="nowhere",
        judges=judges,
        checks=checks,
        guess=1,
        kept=10_000,
    )
