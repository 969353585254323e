"""The builder image: the host root with Python and Muslin, for every host with a container engine.

Inside, the machine is a Debian 12, so everything that is built has the keys of a Debian 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import (
    Copy,
    Folder,
    ForbiddenText,
    Image,
    ImageIndex,
    Link,
    Present,
    Source,
    Stage,
    Step,
    Tree,
    UnpackWheel,
    Write,
)
from recipes import host_root, image

VARIANTS: Mapping[str, str] = MappingProxyType({"amd64": "", "arm64": "v8"})
"""The architectures there are images for, by Debian's and OCI's common name, with OCI's variant."""
NAME = "muslin/builder"
ROOT = "${work}/root"
MODULES = f"{ROOT}/usr/lib/python3/dist-packages"
"""Where Debian's Python looks for modules that come in packages."""
PROGRAM = """\
#!/usr/bin/python3 -I
import os
import sys

os.umask(0o022)
from muslin.cli.terminal import main

sys.exit(main())
"""
HOME, CACHE, PROJECT = "home/muslin", "cache", "project"
ENVIRONMENT = (
    ("HOME", f"/{HOME}"),
    ("LANG", "C.UTF-8"),
    ("MUSLIN_CACHE", f"/{CACHE}"),
    ("MUSLIN_HOST", "native"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
)
FOR_EVERYBODY = ("tmp", HOME, CACHE)
"""What any user may write in: the image runs as whoever the project belongs to. An empty volume
takes its mode from the folder that it is mounted over."""
RESOLVED = "passwd: files\ngroup: files\nhosts: files dns\n"
TLS = "usr/lib/ssl"
"""OpenSSL's own folder in Debian; package `openssl` would link the certificates there."""
METADATA = """\
Metadata-Version: 2.1
Name: muslin
Version: {version}
{requirements}"""


# Long: one stage, declared from its sources to its checks.
def stage(  # noqa: PLR0913  # named at the call
    architecture: str,
    *,
    packages: tuple[Source, ...],
    wheels: tuple[Source, ...],
    trees: tuple[tuple[str, Tree], ...],
    bundle: Stage,
    version: str,
    requirements: tuple[str, ...],
) -> Stage:
    """`image.tar`, the image of one platform, for `docker load`, and `contents.txt`. `trees` are
    `modules`, Muslin's own packages, and `declarations`, what comes with it."""
    numbered = tuple((f"wheel{number}", wheel) for number, wheel in enumerate(wheels))
    about = f"{MODULES}/muslin-{version}.dist-info"
    required = "".join(f"Requires-Dist: {one}\n" for one in requirements)
    return Stage(
        name=f"builder-{architecture}",
        summary="image of Debian 12 with Python and Muslin",
        sources=(*host_root.packages(packages), *numbered),
        trees=trees,
        needs=(("ca-bundle", bundle),),
        steps=(
            *host_root.system(packages, ROOT),
            *(UnpackWheel(wheel=f"${{source.{alias}}}", into=MODULES) for alias, _ in numbered),
            Copy(source="${tree.modules}", to=MODULES),
            Copy(source="${tree.declarations}", to=f"{MODULES}/muslin/built_in"),
            Write(
                path=f"{about}/METADATA",
                text=METADATA.format(version=version, requirements=required),
            ),
            Write(path=f"{ROOT}/usr/bin/muslin", text=PROGRAM, executable=True),
            *_surroundings(),
            Write(path="${out}/contents.txt", text=contents((*packages, *wheels))),
            _image(architecture, version),
        ),
        runs_on="nowhere",
        checks=(
            Present(paths=("image.tar", "contents.txt")),
            ForbiddenText(texts=("${cache}",)),
        ),
        guess=30,
        peak=1_300_000_000,
        kept=600_000_000,
    )


def _surroundings() -> tuple[Step, ...]:
    """What maintainer scripts and an installer would have left."""
    return (
        Copy(source="${need.ca-bundle}", to=ROOT),
        Link(path=f"{ROOT}/{TLS}/certs", target="../../../etc/ssl/certs"),
        Link(path=f"{ROOT}/{TLS}/cert.pem", target=f"../../../{image.CA_BUNDLE}"),
        Write(path=f"{ROOT}/etc/nsswitch.conf", text=RESOLVED),
        Link(path=f"{ROOT}/var/tmp", target="../tmp"),  # noqa: S108  # a path of the image
        *(Folder(path=f"{ROOT}/{name}") for name in (HOME, CACHE, PROJECT)),
    )


def _image(architecture: str, version: str) -> Image:
    return Image(
        path="${out}/image.tar",
        root=ROOT,
        reference=f"{NAME}:{architecture}",
        architecture=architecture,
        variant=VARIANTS[architecture],
        entrypoint=("/usr/bin/muslin",),
        user="",
        env=ENVIRONMENT,
        labels=(
            ("org.opencontainers.image.title", "muslin-builder"),
            ("org.opencontainers.image.version", version),
        ),
        working_directory=f"/{PROJECT}",
        modes=tuple((name, 0o1777) for name in FOR_EVERYBODY),
    )


def contents(sources: tuple[Source, ...]) -> str:
    """The files that an image is made of, in the form of `sha256sum`."""
    return "".join(f"{source.sha256}  {source.name}\n" for source in sources)


def index(images: Mapping[str, Stage]) -> Stage:
    """`image.oci.tar`: one OCI layout for all platforms."""
    return Stage(
        name="builder",
        summary="image of all platforms",
        needs=tuple(images.items()),
        steps=(
            ImageIndex(
                path="${out}/image.oci.tar",
                reference=f"{NAME}:latest",
                images=tuple(f"${{need.{name}}}/image.tar" for name in images),
            ),
        ),
        runs_on="nowhere",
        guess=10,
        peak=1_300_000_000,
        kept=1_200_000_000,
    )
