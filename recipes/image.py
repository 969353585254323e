"""A service's program and its FROM-scratch image."""

from __future__ import annotations

from collections.abc import Mapping

from muslin.engine.vocabulary import (
    Copy,
    Folder,
    Image,
    ImageIndex,
    Join,
    Stage,
    Step,
    Tree,
    Unpack,
    Write,
    escaped,
)
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import component, verify

USER = 65532
"""The number that distroless images gave to `nonroot`; orchestrators check for a number."""
PASSWD = f"""\
root:x:0:0:root:/:/sbin/nologin
nonroot:x:{USER}:{USER}:nonroot:/:/sbin/nologin
"""
GROUP = f"""\
root:x:0:
nonroot:x:{USER}:
"""
DRIVER_LABEL = "muslin.driver"
"""What made the compiler of an image's program; without it that is GCC, built from source by the
driver `builtin`."""
CA_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def ca_bundle(source: Component) -> Stage:
    """Mozilla's certificate authorities in one PEM file."""
    return Stage(
        name="ca-bundle",
        summary="certificate authorities for images that ask for them",
        sources=component.sources(source),
        steps=_joined() if source.source.name.endswith(".deb") else _whole(),
        runs_on="nowhere",
        guess=1,
    )


def _joined() -> tuple[Step, ...]:
    """Debian's package has a file for each authority."""
    return (
        Unpack(archive="${source.ca-certificates}", only=("usr/share/ca-certificates",)),
        Join(
            root="${work}/usr/share/ca-certificates",
            pattern="mozilla/*.crt",
            to=f"${{out}}/{CA_BUNDLE}",
        ),
    )


def _whole() -> tuple[Step, ...]:
    """curl's project extracts them to one file."""
    return (Copy(source="${source.ca-certificates}", to=f"${{out}}/{CA_BUNDLE}"),)


# Long: one stage, declared from its needs to its checks.
def stage(  # noqa: PLR0913  # each is a part of its own, named at the call
    service: Service,
    target: Target,
    *,
    program: Stage,
    bundle: Stage | None,
    files: tuple[tuple[str, Tree], ...],
    proofs: tuple[tuple[str, Stage], ...],
    driver: str = "",
) -> Stage:
    """`<service>` and `image.tar`, the image of one platform, for `docker load`. `proofs` are the
    verifications of the program and of what it was linked with; `driver` becomes a label, if it is
    said."""
    given = service.image.environment
    labels = {DRIVER_LABEL: driver, **service.image.labels} if driver else service.image.labels
    return Stage(
        name=f"image-{service.name}-{target.name}",
        target=target.name,
        summary="program and image",
        trees=files,
        needs=(
            ("program", program),
            *((("ca-bundle", bundle),) if bundle is not None else ()),
        ),
        steps=(
            Copy(source=f"${{need.program}}/bin/{service.binary}", to=f"${{out}}/{service.name}"),
            *root(service),
            Image(
                path="${out}/image.tar",
                root="${work}/root",
                reference=f"muslin/{service.name}:{target.name}",
                architecture=target.image.architecture,
                variant=target.image.variant,
                entrypoint=tuple(map(escaped, service.image.entrypoint)),
                user=f"{USER}:{USER}",
                ports=() if service.image.port is None else (service.image.port,),
                env=(
                    *(() if service.image.port is None else (("PORT", str(service.image.port)),)),
                    *((name, escaped(text)) for name, text in sorted(given.items())),
                ),
                labels=tuple(
                    (escaped(name), escaped(text)) for name, text in sorted(labels.items())
                ),
                modes=(("tmp", 0o1777),),
            ),
        ),
        runs_on="target",
        judges=proofs,
        checks=verify.passed(proofs),
        guess=1,
    )


def root(service: Service) -> tuple[Step, ...]:
    """What the image holds, in `${work}/root`, out of the needs `program` and `ca-bundle` and the
    tree `files`."""
    bundled = (
        Copy(source="${need.ca-bundle}", to="${work}/root"),
        # Where libraries built with OPENSSLDIR=/etc/ssl look.
        Copy(source=f"${{need.ca-bundle}}/{CA_BUNDLE}", to="${work}/root/etc/ssl/cert.pem"),
    )
    return (
        Copy(
            source=f"${{need.program}}/bin/{service.binary}",
            to=f"${{work}}/root{service.image.entrypoint[0]}",
        ),
        Write(path="${work}/root/etc/passwd", text=PASSWD),
        Write(path="${work}/root/etc/group", text=GROUP),
        *(bundled if service.image.ca_bundle else ()),
        *(
            Copy(source=f"${{tree.files}}/{escaped(name)}", to=f"${{work}}/root{path}")
            for path, name in sorted(service.image.files.items())
        ),
        Folder(path="${work}/root/tmp"),
    )


def index(service: Service, images: Mapping[str, Stage]) -> Stage:
    """`image.oci.tar`: one OCI layout for all platforms."""
    return Stage(
        name=f"image-{service.name}",
        summary="image of all platforms",
        needs=tuple(images.items()),
        steps=(
            ImageIndex(
                path="${out}/image.oci.tar",
                reference=f"muslin/{service.name}:latest",
                images=tuple(f"${{need.{name}}}/image.tar" for name in images),
            ),
        ),
        runs_on="target",
        guess=1,
    )
