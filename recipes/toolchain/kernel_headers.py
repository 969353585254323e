"""The kernel's headers for user space."""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Present, Run, Stage, Step, Unpack
from muslin.models import errors
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import component

ARCHITECTURES = {
    "aarch64": "arm64",
    "arm": "arm",
    "i386": "x86",
    "loongarch64": "loongarch",
    "mips": "mips",
    "mips64": "mips",
    "mips64el": "mips",
    "mipsel": "mips",
    "powerpc": "powerpc",
    "powerpc64": "powerpc",
    "powerpc64le": "powerpc",
    "riscv64": "riscv",
    "s390x": "s390",
    "x86_64": "x86",
}
"""What Debian calls a processor and what the kernel's `arch/` does."""


def stage(target: Target, *, source: Component) -> Stage:
    """`include/linux`, `include/asm` and the rest, for this target's processor."""
    return Stage(
        name=f"headers-{target.name}",
        target=target.name,
        summary="kernel headers",
        sources=component.sources(source),
        steps=_of_package(target) if source.source.name.endswith(".deb") else _of_tarball(target),
        runs_on="target",
        # musl-cross-make would go on without: the first to miss them is OpenSSL.
        checks=(Present(paths=("include/linux/version.h", "include/asm/unistd.h")),),
        guess=2,
    )


def _of_package(target: Target) -> tuple[Step, ...]:
    """Debian's `linux-libc-dev`."""
    return (
        Unpack(archive="${source.linux-headers}", only=("usr/include", "usr/lib/linux/uapi")),
        Copy(source="${work}/usr/include", to="${out}/include", omit=("*-linux-gnu*",)),
        # The package keeps one folder for similar processors and links to its files.
        Copy(
            source=f"${{work}}/usr/include/{target.kernel}/asm",
            to="${out}/include/asm",
            follow=True,
        ),
    )


def _of_tarball(target: Target) -> tuple[Step, ...]:
    """The headers that sabotage Linux cuts out of a kernel, with a makefile that installs them."""
    return (
        Unpack(archive="${source.linux-headers}", into="${work}/headers", strip=1),
        Run(
            argv=(
                "make",
                "headers_install",
                f"ARCH={architecture(target)}",
                "INSTALL_HDR_PATH=${out}",
            ),
            cwd="${work}/headers",
        ),
    )


def architecture(target: Target) -> str:
    """The folder of the kernel's `arch/`; raises `Unknown`."""
    processor = target.kernel.split("-")[0]
    if processor not in ARCHITECTURES:
        raise errors.Unknown("processor in the key kernel", processor, ARCHITECTURES)
    return ARCHITECTURES[processor]
