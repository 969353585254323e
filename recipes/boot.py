"""The board: a service started on an emulated machine, with its console kept.

Debian's kernel for that board starts from an archive in memory with two programs in it:
`boards/init.c`, which loads modules and sets up the network, and the service, with what is in its
image, which that one starts as process 1 of a PID namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.process.limits import MEGABYTE
from muslin.engine.vocabulary import (
    Boot,
    Copy,
    Initramfs,
    Present,
    Request,
    Run,
    Source,
    Stage,
    Tree,
    Unpack,
    Write,
    escaped,
)
from muslin.models.board import Board
from muslin.models.service import Service
from muslin.models.service_checks import Run as DeclaredRun
from muslin.models.service_checks import Serve
from muslin.models.target import Target
from recipes import image

CODE = ("boards/init.c",)
"""The first program, below the project's folder."""
REPORTS: Mapping[str, str] = MappingProxyType(
    {"txt": "report.txt", "json": "report.json", "log": "console.log"}
)
"""What a start leaves, by the suffix that it has in `dist/`."""
OWN = "board: "
"""What the first program's words start with; so with those below."""
USER_SPACE = f"{OWN}user space"
NETWORK = f"{OWN}network by"
START = f"{OWN}starting "
OVER = f"{OWN}over: "
FIRST = "/.board/init"
"""The first program, where no image has a file of its own."""
PORT = 8080
"""Where a service with requests and no port of its own is told to listen."""
# A package has thousands of modules and some of the boards' device trees; the kernel unpacks them.
GATHER = """\
set -e
kernel=$1 to=$2 tree=$3
shift 3
cp "$kernel"/boot/vmlinuz-* "$to/kernel"
file=$(find "$kernel/usr/lib" -path '*/linux-image-*' -name "$tree" | head -n 1)
if test -z "$file"; then echo "no device tree $tree comes with the kernel" >&2; exit 1; fi
cp "$file" "$to/board.dtb"
mkdir -p "$to/files/.board"
: >"$to/files/.board/modules"
for module; do
    file=$(find "$kernel" -name "$module.ko*" | head -n 1)
    if test -z "$file"; then echo "the kernel has no module $module" >&2; exit 1; fi
    cp "$file" "$to/files/.board/"
    echo "/.board/${file##*/}" >>"$to/files/.board/modules"
done
"""


# Long: one stage, declared from its needs to its checks.
def board(
    board: Board, target: Target, *, code: Tree, kernel: tuple[Source, ...], toolchain: Stage
) -> Stage:
    """`kernel`, `board.dtb` and `files`, the file system without a service."""
    compiler = f"${{need.toolchain}}/bin/{target.triple}-gcc"
    program = f"${{out}}/files{FIRST}"
    return Stage(
        name=f"board-{board.name}-{target.name}",
        target=target.name,
        summary=f"kernel and first program of the emulated board {board.name}",
        sources=tuple((str(number), source) for number, source in enumerate(kernel)),
        trees=(("project", code),),
        needs=(("toolchain", toolchain),),
        steps=(
            *(
                Unpack(archive=f"${{source.{number}}}", into="${work}/kernel")
                for number, _ in enumerate(kernel)
            ),
            Run(
                argv=(
                    *(
                        "sh",
                        "-c",
                        escaped(GATHER),
                        "gather",
                        "${work}/kernel",
                        "${out}",
                    ),
                    *(board.device_tree, *board.modules),
                ),
            ),
            Run(
                argv=(
                    *(compiler, "-static", "-Os", "-s", "-Wall", "-Wextra", "-Werror"),
                    *("-o", program, f"${{tree.project}}/{CODE[0]}"),
                ),
            ),
        ),
        runs_on="target",
        checks=(Present(paths=("kernel", "board.dtb", f"files{FIRST}")),),
        guess=8,
        peak=500_000_000,
        kept=40_000_000,
    )


def subject(service: str, board: Board) -> str:
    """What the report of a start is called, by the service's name."""
    return f"boot-{service}-{board.name}"


def tells(service: Service) -> bool:
    """Whether the service's declaration says what is to be seen of it."""
    return bool(service.serve or _plain(service))


def _plain(service: Service) -> tuple[DeclaredRun, ...]:
    """The runs that take no more than a command line."""
    return tuple(run for run in service.run if run.is_plain)


# Long: one stage, declared from its needs to its checks.
def service(  # noqa: PLR0913  # three declarations and four stages
    service: Service,
    target: Target,
    board: Board,
    *,
    program: Stage,
    board_files: Stage,
    bundle: Stage | None,
    files: tuple[tuple[str, Tree], ...],
    qemu: Stage,
) -> Stage:
    """`console.log`, `report.txt` and `report.json` of one start. Fails where the service does not
    say or answer what its declaration promises."""
    assert tells(service), service.name
    port = service.image.port or PORT
    words = service.image.entrypoint
    if not service.serve:
        words = (*words, *_plain(service)[0].arguments)
    promised: tuple[DeclaredRun | Serve, ...] = (*service.run, *service.serve)
    root = "${work}/root"
    network = (
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:${{port}}-:{port}"),
        *("-device", f"{board.network},netdev=net"),
    )
    return Stage(
        name=f"{subject(service.name, board)}-{target.name}",
        target=target.name,
        summary=f"{service.name} as process 1 of a namespace on an emulated {board.name}",
        trees=files,
        needs=(
            ("board", board_files),
            ("program", program),
            ("qemu", qemu),
            *((("ca-bundle", bundle),) if bundle is not None else ()),
        ),
        steps=(
            *image.root(service),
            Copy(source="${need.board}/files", to=root),
            Write(
                path=f"{root}/.board/program", text="".join(f"{escaped(word)}\0" for word in words)
            ),
            *((Write(path=f"{root}/.board/network", text="\n"),) if board.network else ()),
            *((Write(path=f"{root}/.board/port", text=str(port)),) if service.serve else ()),
            Initramfs(root=root, path="${work}/initramfs"),
            Boot(
                run=Run(
                    argv=(
                        f"${{need.qemu}}/bin/{board.program}",
                        *("-M", board.machine, *board.options),
                        *("-kernel", "${need.board}/kernel", "-dtb", "${need.board}/board.dtb"),
                        *("-initrd", "${work}/initramfs"),
                        *("-append", " ".join((*board.append, f"rdinit={FIRST}"))),
                        *("-display", "none", "-monitor", "none", "-serial", "stdio"),
                        "-no-reboot",
                        *(network if board.network else ()),
                    ),
                    printed=MEGABYTE * max(one.megabytes or 0 for one in promised),
                ),
                to="${out}",
                subject=f"{service.name} for {target.name} on {board.name}",
                own=OWN,
                start=START,
                marks=(
                    USER_SPACE,
                    *((NETWORK,) if board.network else ()),
                    f"{START}{words[0]}",
                    *((f"{OWN}port {port} is served",) if service.serve else ()),
                ),
                over=OVER,
                limit=max(board.seconds, *(one.seconds or 0.0 for one in promised)),
                expect="" if service.serve else _plain(service)[0].expect,
                network=NETWORK if board.network else "",
                requests=tuple(
                    Request(scheme=one.scheme, path=one.path, expect=one.expect)
                    for one in service.serve
                ),
            ),
        ),
        runs_on="nowhere",
        checks=(Present(paths=tuple(REPORTS.values())),),
        guess=10,
        kept=100_000,
        memory=600_000_000,  # the emulated board's, 512 MB and more
    )
