"""A service's program and its FROM-scratch image."""

from __future__ import annotations

from collections.abc import Mapping

from muslin.engine.vocabulary import (
    Copy,
    Folder,
    Health,
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
from muslin.models.git_checkout import Checkout
from muslin.models.image import NOBODY
from muslin.models.image import Image as DeclaredImage
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import component, verify

NAMED = (0, NOBODY)
"""Numbers that have a name in every image."""
PASSWD = f"""\
root:x:0:0:root:/:/sbin/nologin
nonroot:x:{NOBODY}:{NOBODY}:nonroot:/:/sbin/nologin
"""
GROUP = f"""\
root:x:0:
nonroot:x:{NOBODY}:
"""
NANOSECONDS = 10**9
"""In a second."""
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
    checkout: Checkout | None = None,
    driver: str = "",
) -> Stage:
    """`<service>` and `image.tar`, the image of one platform, for `docker load`. `proofs` are the
    verifications of the program and of what it was linked with, `checkout` is what labels name;
    `driver` becomes a label, if it is said."""
    declared = service.image
    made_by = {DRIVER_LABEL: driver} if driver else {}
    user, group = declared.owner
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
                entrypoint=declared.entrypoint,
                user=f"{user}:{group}",
                ports=() if declared.port is None else (declared.port,),
                env=(
                    *(() if declared.port is None else (("PORT", str(declared.port)),)),
                    *sorted(declared.environment.items()),
                ),
                labels=tuple(sorted({**_labels(checkout), **made_by, **declared.labels}.items())),
                modes=(
                    ("tmp", 0o1777),
                    *((path[1:], int(mode, 8)) for path, mode in sorted(declared.modes.items())),
                ),
                owners=tuple(
                    (path[1:], user, group) for path in sorted({*declared.folders, *declared.modes})
                ),
                working_directory=declared.workdir or "",
                volumes=tuple(sorted(declared.volumes)),
                health=_health(declared),
            ),
        ),
        runs_on="target",
        judges=proofs,
        checks=verify.passed(proofs),
        guess=1,
    )


def _labels(checkout: Checkout | None) -> dict[str, str]:
    """Annotation keys of the OCI image specification."""
    if checkout is None:
        return {}
    found = {"revision": checkout.commit, "source": checkout.address}
    return {f"org.opencontainers.image.{name}": text for name, text in found.items() if text}


def _health(declared: DeclaredImage) -> Health | None:
    check = declared.healthcheck
    if check is None:
        return None
    periods = (check.interval, check.timeout, check.start_period)
    interval, timeout, start_period = (round((one or 0) * NANOSECONDS) for one in periods)
    return Health(
        command=(declared.entrypoint[0], *check.arguments),
        interval=interval,
        timeout=timeout,
        start_period=start_period,
        retries=check.retries or 0,
    )


def _users(declared: DeclaredImage) -> tuple[str, str]:
    """`/etc/passwd` and `/etc/group`, where programs look for the name of their user."""
    user, group = declared.owner
    own_user = "" if user in NAMED else f"user:x:{user}:{group}:user:/:/sbin/nologin\n"
    own_group = "" if group in NAMED else f"user:x:{group}:\n"
    return PASSWD + own_user, GROUP + own_group


def root(service: Service) -> tuple[Step, ...]:
    """What the image holds, in `${work}/root`, out of the needs `program` and `ca-bundle` and the
    tree `files`."""
    bundled = (
        Copy(source="${need.ca-bundle}", to="${work}/root"),
        # Where libraries built with OPENSSLDIR=/etc/ssl look.
        Copy(source=f"${{need.ca-bundle}}/{CA_BUNDLE}", to="${work}/root/etc/ssl/cert.pem"),
    )
    folders = service.image.folders
    deepest = [one for one in folders if not any(two.startswith(f"{one}/") for two in folders)]
    users, groups = _users(service.image)
    return (
        *(Folder(path=f"${{work}}/root{one}") for one in sorted(deepest)),
        Copy(
            source=f"${{need.program}}/bin/{service.binary}",
            to=f"${{work}}/root{service.image.entrypoint[0]}",
        ),
        Write(path="${work}/root/etc/passwd", text=users),
        Write(path="${work}/root/etc/group", text=groups),
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
