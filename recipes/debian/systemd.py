"""How systemd runs a service that comes as a package: its unit, its account, maintainer scripts.

Units: systemd.service(5), systemd.exec(5). The scripts do what those of debhelper 13.11 do for
`dh_installsysusers` and `dh_installsystemd`; deb-systemd-helper(1p) is part of every Debian system.
"""

from __future__ import annotations

from collections.abc import Iterator

from muslin.models.packaging import Packaging
from muslin.models.service import Service
from muslin.models.target import Target
from recipes.debian import documents

SYSUSERS = "systemd | systemd-standalone-sysusers | systemd-sysusers"
"""What makes the account, as debhelper asks for it."""
PRIVILEGED = 1024
"""The first port that every account may listen on."""
ARCHITECTURES = {
    "amd64": "x86-64",
    "arm64": "arm64",
    "armel": "arm",
    "armhf": "arm",
    "i386": "x86",
    "ppc64el": "ppc64-le",
    "riscv64": "riscv64",
}
"""systemd's names of dpkg's architectures."""
UNIT = """\
[Unit]
Description={summary}
{documentation}After=network.target

[Service]
Type=exec
ExecStart={command}
{environment}EnvironmentFile=-/etc/default/{package}
User={user}
Group={user}
{state}Restart=on-failure
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
{ambient}ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
{private_users}RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures={architectures}
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=multi-user.target
"""
PREINST = """\
#!/bin/sh
set -e
if [ "$1" = install ] || [ "$1" = upgrade ]; then
\tcase "$(uname -m)" in
\t{unfit})
\t\techo "{package}: built for {target}, and this machine is an $(uname -m);" >&2
\t\techo "{package}: install the package of a target with an older processor" >&2
\t\texit 1
\t\t;;
\tesac
fi
"""
CONFIGURED = """\
if [ "$1" = configure ] || [ "$1" = abort-upgrade ] || \\
\t[ "$1" = abort-deconfigure ] || [ "$1" = abort-remove ]; then
"""
POSTINST = (
    """\
#!/bin/sh
set -e
"""
    + CONFIGURED
    + """\
\tsystemd-sysusers ${{DPKG_ROOT:+--root="$DPKG_ROOT"}} {package}.conf
\tdeb-systemd-helper unmask {unit} >/dev/null || true
\t# True for a first installation; an administrator's choice outlives upgrades.
\tif deb-systemd-helper --quiet was-enabled {unit}; then
\t\tdeb-systemd-helper enable {unit} >/dev/null || true
\telse
\t\tdeb-systemd-helper update-state {unit} >/dev/null || true
\tfi
\tif [ -z "${{DPKG_ROOT:-}}" ] && [ -d /run/systemd/system ]; then
\t\tsystemctl --system daemon-reload >/dev/null || true
\t\tif [ -n "$2" ]; then
\t\t\tdeb-systemd-invoke restart {unit} >/dev/null || true
\t\telse
\t\t\tdeb-systemd-invoke start {unit} >/dev/null || true
\t\tfi
\tfi
fi
"""
)
PRERM = """\
#!/bin/sh
set -e
if [ -z "${{DPKG_ROOT:-}}" ] && [ "$1" = remove ] && [ -d /run/systemd/system ]; then
\tdeb-systemd-invoke stop {unit} >/dev/null || true
fi
"""
POSTRM = """\
#!/bin/sh
set -e
if [ -z "${{DPKG_ROOT:-}}" ] && [ "$1" = remove ] && [ -d /run/systemd/system ]; then
\tsystemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
\tdeb-systemd-helper purge {unit} >/dev/null || true
fi
"""


def unit(service: Service, packaging: Packaging, target: Target) -> str:
    """The unit: the program as its own account, with nothing that a server does not need."""
    port = service.image.port
    privileged = port is not None and port < PRIVILEGED
    homepage = packaging.homepage.replace("%", "%%")
    capability = "CAP_NET_BIND_SERVICE" if privileged else ""
    own = ARCHITECTURES.get(target.debian.architecture, "")
    return UNIT.format(
        summary=documents.summary(service).replace("%", "%%"),
        command=" ".join(
            (f"/usr/bin/{service.binary}", *map(_argument, service.image.entrypoint[1:]))
        ),
        documentation=f"Documentation={homepage}\n" if homepage else "",
        package=packaging.package,
        environment="".join(f"Environment={_quoted(text)}\n" for text in _environment(service)),
        user=packaging.user,
        state=(
            f"StateDirectory={packaging.package}\nWorkingDirectory=%S/{packaging.package}\n"
            if packaging.state
            else ""
        ),
        capabilities=capability,
        ambient=f"AmbientCapabilities={capability}\n" if privileged else "",
        # In a namespace of users of its own no capability reaches the machine's ports.
        private_users="" if privileged else "PrivateUsers=yes\n",
        # The program may be foreign to the system; what starts it is not.
        architectures=f"native {own}".rstrip(),
    )


def account(service: Service, packaging: Packaging) -> str:
    """The line of sysusers.d(5) for the account."""
    comment = documents.summary(service).replace('"', "'").replace(":", ",").replace("%", "%%")
    comment = comment.replace("\\", "/")
    return f'u {packaging.user} - "{comment}"\n'


def scripts(packaging: Packaging, target: Target) -> tuple[tuple[str, str], ...]:
    """Maintainer scripts, by their names; none where none is needed."""
    named = []
    if target.debian.unfit:
        text = PREINST.format(
            unfit="|".join(target.debian.unfit), package=packaging.package, target=target.name
        )
        named.append(("preinst", text))
    if packaging.unit:
        name = f"{packaging.package}.service"
        texts = {"postinst": POSTINST, "prerm": PRERM, "postrm": POSTRM}
        named += [
            (script, text.format(unit=name, package=packaging.package))
            for script, text in texts.items()
        ]
    return tuple(named)


def _environment(service: Service) -> Iterator[str]:
    if service.image.port is not None:
        yield f"PORT={service.image.port}"
    yield from (f"{name}={text}" for name, text in sorted(service.image.environment.items()))


def _argument(text: str) -> str:
    return _quoted(text.replace("$", "$$"))


def _quoted(text: str) -> str:
    """A word of a unit, whatever is in it; systemd.syntax(7), "Quoting"."""
    escapes = {'"': '\\"', "\\": "\\\\", "%": "%%"}
    shown = "".join(
        escapes.get(
            letter,
            letter
            if letter.isprintable()
            else "".join(f"\\x{byte:02x}" for byte in letter.encode()),
        )
        for letter in text
    )
    return f'"{shown}"'
