"""The catalogue: every stage's key is golden, so a diff tells a reader what will rebuild."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine import work_directory
from muslin.engine.key import Keys
from muslin.engine.stage import Host, Stage
from muslin.engine.vocabulary import ListPatches, Members, Patch, Present, Run, Write
from muslin.graph.catalog import Catalog
from muslin.graph.libraries import LIBRARIES
from muslin.models import board, declaration, service, source_trees, target
from muslin.models import errors as model_errors
from muslin.models import pins as source
from recipes.libraries import openssl
from recipes.rust import rustc_wrapper
from recipes.toolchain import target_libraries

PROJECT = Path(__file__).resolve().parents[3]
GOLDEN = PROJECT / "tests" / "golden" / "keys.json"
WRITE = "MUSLIN_GOLDEN"
HOST = Host(machine="x86_64", libc="glibc 2.36")
TARGETS = target.load(PROJECT / "toolchains")
BOARDS = board.load(PROJECT / "boards", targets=TARGETS)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """The real catalogue on a machine that lacks every tool that can be brought along."""
    folders = sorted(path.parent for path in (PROJECT / "services").glob("*/service.toml"))
    pins = source.load(
        PROJECT / "recipes" / "pins", tmp_path / "run-lock.toml", host="bookworm-amd64"
    )
    return Catalog(
        host=HOST,
        targets=TARGETS,
        pins=pins,
        missing_tools=True,
        services=service.load(tuple(folders)),
    )


def goals(catalog: Catalog) -> list[Stage]:
    targets = tuple(TARGETS.values())
    services = catalog.services.values()
    return [
        *(catalog.images.image(each, one) for one in targets for each in services),
        *(catalog.bills.bill(each, one) for one in targets for each in services),
        *(catalog.images.index(each, targets) for each in services),
        *(catalog.packages.package(each, one) for one in targets for each in services),
        *(catalog.images.sdk_archive(one) for one in targets),
        *(
            catalog.images.start(each, one, on)
            for on in BOARDS.values()
            for one in targets
            if one.name in on.targets
            for each in services
        ),
    ]


def everything(stages: Iterable[Stage]) -> dict[int, Stage]:
    """All stages that these need in any way."""
    seen: dict[int, Stage] = {}
    todo = list(stages)
    while todo:
        stage = todo.pop()
        if id(stage) not in seen:
            seen[id(stage)] = stage
            todo += [other for _, other in (*stage.needs, *stage.tools, *stage.judges)]
    return seen


def test_the_keys_of_all_stages_are_golden(catalog: Catalog) -> None:
    keys = Keys(HOST)
    got = {
        stage.name: keys.of(stage)
        for stage in everything(goals(catalog)).values()
        if not stage.name.startswith("verify-")  # the audit's own code is in those
    }
    text = json.dumps(got, indent=1, sort_keys=True) + "\n"
    if os.environ.get(WRITE) == "write":
        GOLDEN.write_text(text)
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    differing = sorted(name for name in golden.keys() | got if golden.get(name) != got.get(name))
    if differing:
        pytest.fail(
            f"these {len(differing)} stages will rebuild, everywhere:\n"
            + "".join(f"  {name}\n" for name in differing)
            + f"If that is meant: {WRITE}=write pytest {Path(__file__).relative_to(PROJECT)}"
        )


def test_names_of_stages_are_unique(catalog: Catalog) -> None:
    names = [stage.name for stage in everything(goals(catalog)).values()]
    assert len(names) == len(set(names)), sorted(names)


def test_a_stage_is_made_once(catalog: Catalog) -> None:
    one = TARGETS["armv6"]
    assert catalog.toolchains.toolchain(one) is catalog.toolchains.toolchain(one)
    assert [id(stage) for stage in goals(catalog)] == [id(stage) for stage in goals(catalog)]


def test_aliases_are_unique_within_a_stage(catalog: Catalog) -> None:
    for stage in everything(goals(catalog)).values():
        for group in (stage.sources, stage.trees, stage.needs, stage.env):
            names = [name for name, _ in group]
            assert len(names) == len(set(names)), (stage.name, names)
        tools = [name for name, _ in (*stage.tools, *stage.judges)]
        assert len(tools) == len(set(tools)), (stage.name, tools)
        assert set(stage.scratch) <= {name for name, _ in stage.needs}, stage.name


def test_every_program_proves_itself(catalog: Catalog) -> None:
    for each in catalog.services.values():
        for one in TARGETS.values():
            kinds = {type(check).__name__ for check in catalog.programs.program(each, one).checks}
            assert "Elf" in kinds, each.name
            assert kinds & {"CommandOutput", "Serves"}, each.name


def test_an_image_waits_for_the_verification_of_all_that_is_in_it(catalog: Catalog) -> None:
    for each in catalog.services.values():
        image = catalog.images.image(each, TARGETS["armv7"])
        subjects = {each.name, "toolchain", *each.needs}
        subjects |= {"rust-std"} if each.build == "cargo" else set()
        wanted = {f"verify-{subject}-armv7" for subject in subjects}
        assert wanted <= {stage.name for _, stage in image.judges}, each.name
        looked_at = {check.root for check in image.checks if isinstance(check, Present)}
        assert looked_at == {f"${{judge.{alias}}}" for alias, _ in image.judges}


def test_a_toolchain_for_use_by_hand_waits_for_all_that_can_be_linked(catalog: Catalog) -> None:
    archive = catalog.images.sdk_archive(TARGETS["armv7"])
    wanted = {f"verify-{subject}-armv7" for subject in ("toolchain", "rust-std", *LIBRARIES)}
    assert {stage.name for _, stage in archive.judges} == wanted
    looked_at = {check.root for check in archive.checks if isinstance(check, Present)}
    assert looked_at == {f"${{judge.{alias}}}" for alias, _ in archive.judges}


@pytest.mark.parametrize("name", ["openssl", "toolchain", "sdk"])
def test_a_service_is_not_called_like_another_part(catalog: Catalog, name: str) -> None:
    mine = {name: catalog.services["hello-c"].model_copy(update={"name": name})}
    with pytest.raises(
        engine_errors.BadDeclaration, match=f"a part of the pipeline is called {name}"
    ):
        Catalog(host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine)


def test_this_machines_tools_are_in_no_key(catalog: Catalog) -> None:
    equipped = Catalog(
        host=HOST,
        targets=TARGETS,
        pins=catalog.pins,
        missing_tools=False,
        services=catalog.services,
    )
    keys = Keys(HOST)
    assert {keys.of(stage) for stage in goals(equipped)} == {
        keys.of(stage) for stage in goals(catalog)
    }


def test_a_target_alone_has_the_keys_it_has_among_others(catalog: Catalog) -> None:
    keys = Keys(HOST)
    one = TARGETS["armv6"]
    before = keys.of(catalog.toolchains.toolchain(one))
    goals(catalog)
    assert keys.of(catalog.toolchains.toolchain(one)) == before


def test_an_unknown_library_is_named(catalog: Catalog) -> None:
    with pytest.raises(
        model_errors.Unknown, match=r"no C library 'opensl'\. Did you mean openssl\?"
    ):
        catalog.libraries.library("opensl", TARGETS["armv6"])


def test_a_comment_in_a_declaration_rebuilds_nothing(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(PROJECT / "services" / "hello-c", folder)
    one = TARGETS["armv6"]

    def keys() -> tuple[str, str]:
        mine = service.load((folder,))
        fresh = Catalog(
            host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
        )
        program, image = (
            fresh.programs.program(mine["mine"], one),
            fresh.images.image(mine["mine"], one),
        )
        return Keys(HOST).of(program), Keys(HOST).of(image)

    program, image = keys()
    declaration = folder / "service.toml"
    declaration.write_text(f"# A comment.\n{declaration.read_text()}")
    assert keys() == (program, image)
    declaration.write_text(declaration.read_text().replace('"/hello-c"', '"/elsewhere"'))
    assert keys()[0] == program
    assert keys()[1] != image
    (folder / "src" / "more.c").write_text("\n")
    assert keys()[0] != program


def test_a_service_of_a_stages_name_is_not_that_stage(catalog: Catalog) -> None:
    named = catalog.services["hello-c"].model_copy(update={"name": "openssl"})
    one = TARGETS["armv6"]
    assert catalog.programs.program(named, one) is not catalog.libraries.library("openssl", one)
    assert catalog.images.image(named, one) is not catalog.images.image(
        catalog.services["hello-c"], one
    )


def test_what_builds_leave_behind_is_no_source_and_like_named_folders_are(
    catalog: Catalog, tmp_path: Path
) -> None:
    files = (
        *("Cargo.toml", "Cargo.lock", "src/main.rs", "src/target/mod.rs", "build/main.rs"),
        *("target/release/mine", "src/build/a.c", ".git/config", "service.toml"),
        *("c/Makefile", "c/build/a.c", "c/target/b.c", "c/out/CMakeCache.txt", "c/out/b.c"),
    )
    for name in files:
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
    (tmp_path / "mine/Cargo.toml").write_text('[package]\nname = "mine"\n')
    (tmp_path / "mine/Cargo.lock").write_text("version = 4\n")
    (tmp_path / "mine/service.toml").write_text(
        'summary = "s"\nbuild = "cargo"\nbinary = "mine"\nimage.entrypoint = ["/mine"]\n'
    )
    mine = service.load((tmp_path / "mine",))
    fresh = Catalog(
        host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
    )
    ((_, tree),) = fresh.programs.program(mine["mine"], TARGETS["armv6"]).trees
    left_out = {"target/release/mine", ".git/config", "service.toml"}
    left_out |= {"c/out/CMakeCache.txt", "c/out/b.c"}
    assert {file.path for file in tree.files} == set(files) - left_out


def test_cargo_runs_where_no_configuration_lies_above(catalog: Catalog) -> None:
    steps = [
        step
        for stage in everything(goals(catalog)).values()
        for step in stage.steps
        if isinstance(step, Run) and step.argv[0].endswith("/cargo")
    ]
    assert len(steps) > 10
    assert {step.cwd for step in steps} == {"/"}


def test_the_targets_flags_come_last(tmp_path: Path) -> None:
    """rustc takes the last processor, linker and sysroot that it is told."""
    one = TARGETS["armv6"]
    (tmp_path / "programs").mkdir()
    echo = tmp_path / "programs" / "rustc"
    echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    text = rustc_wrapper.script(
        one,
        rust=str(tmp_path),
        std="/std",
        linker="/t/bin/arm-gcc",
        remaps={},
        plain="/plain",
        variables=(),
    )
    wrapper = tmp_path / "rustc"
    wrapper.write_text(text)
    for path in (echo, wrapper):
        path.chmod(0o755)
    theirs = ["-Ctarget-cpu=native", "-Clinker=/bin/false"]

    def told(*words: str) -> list[str]:
        return subprocess.run(
            [wrapper, *words], check=True, capture_output=True, text=True
        ).stdout.splitlines()

    for_target = told("--target", one.rust.triple, *theirs)
    assert [word for word in for_target if "target-cpu" in word][-1] == "-Ctarget-cpu=arm1176jzf-s"
    assert [word for word in for_target if "linker" in word][-1].startswith("-Clinker=/t/bin/arm")
    for_host = told(*theirs, "build.rs")
    assert [word for word in for_host if "target-cpu" in word] == ["-Ctarget-cpu=native"]


WORKSPACES = {
    "not a member": ('members = ["hello-*"]', r"has no member my-calc, and it has no Cargo\.lock"),
    "excluded": ('members = ["*"]\nexclude = ["my-calc"]', r"has no member my-calc"),
}


@pytest.mark.parametrize("fault", WORKSPACES)
def test_a_service_that_its_workspace_does_not_know_is_told_what_to_do(
    catalog: Catalog, tmp_path: Path, fault: str
) -> None:
    said, words = WORKSPACES[fault]
    (tmp_path / "my-calc").mkdir()
    (tmp_path / "Cargo.toml").write_text(f"[workspace]\n{said}\n")
    (tmp_path / "Cargo.lock").touch()
    (tmp_path / "my-calc/Cargo.toml").write_text('[package]\nname = "my-calc"\n')
    (tmp_path / "my-calc/service.toml").write_text(
        'summary = "s"\nbuild = "cargo"\nbinary = "my-calc"\nimage.entrypoint = ["/x"]\n'
    )
    mine = service.load((tmp_path / "my-calc",))
    fresh = Catalog(
        host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
    )
    with pytest.raises(engine_errors.BadDeclaration, match=words) as caught:
        fresh.programs.program(mine["my-calc"], TARGETS["armv6"])
    assert "add an empty [workspace] to its Cargo.toml" in str(caught.value)
    (tmp_path / "my-calc/Cargo.lock").touch()
    assert fresh.programs.program(mine["my-calc"], TARGETS["armv6"])


def test_a_service_beside_a_workspace_is_no_part_of_its_crates(
    catalog: Catalog, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT / "services", tmp_path / "s", ignore=shutil.ignore_patterns("target"))
    mine = service.load((tmp_path / "s" / "hello-http",))

    def key() -> str:
        fresh = Catalog(
            host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
        )
        return Keys(HOST).of(fresh.programs.program(mine["hello-http"], TARGETS["armv6"]))

    before = key()
    assert before == Keys(HOST).of(
        catalog.programs.program(catalog.services["hello-http"], TARGETS["armv6"])
    )
    shutil.copytree(tmp_path / "s" / "hello-c", tmp_path / "s" / "my-calc")
    (tmp_path / "s" / "my-calc" / "Cargo.toml").write_text("[workspace]\n")
    assert key() == before


def test_libraries_are_named_to_the_linker_of_a_make_service(catalog: Catalog) -> None:
    needy = catalog.services["hello-c"].model_copy(update={"needs": ("openssl",)})
    program = catalog.programs.program(needy, TARGETS["armv6"])
    env = dict(program.env)
    assert env["LDLIBS"] == "-lssl -lcrypto -latomic"
    compiler = next(step.text for step in program.steps if isinstance(step, Write))
    assert '-isystem "${need.openssl}/usr/include" "-L${need.openssl}/usr/lib"' in compiler
    fresh = Catalog(
        host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=catalog.services
    )
    assert "LDLIBS" not in dict(
        fresh.programs.program(catalog.services["hello-c"], TARGETS["armv6"]).env
    )


def test_install_gets_makes_variables_and_options_and_no_goals(catalog: Catalog) -> None:
    said = ("-C", "src", "all", "WITH_TLS=1", "--file=GNUmakefile", "posix")
    plain = catalog.services["hello-c"]
    make = plain.make.model_copy(update={"arguments": said, "program": ""})
    mine = plain.model_copy(update={"name": "mine", "make": make})
    program = catalog.programs.program(mine, TARGETS["armv6"])
    built, installed = (
        step.argv for step in program.steps if isinstance(step, Run) and step.argv[0] == "make"
    )
    assert built[3:] == said
    assert installed[3:] == (
        *("-C", "src", "WITH_TLS=1", "--file=GNUmakefile", "install"),
        *("DESTDIR=${work}/root", "PREFIX=${work}/root/usr", "prefix=${work}/root/usr"),
    )


def test_cargo_is_told_of_every_feature(catalog: Catalog) -> None:
    plain = catalog.services["hello-http"]

    def told(**changes: object) -> list[str]:
        cargo = plain.cargo.model_copy(update=changes)
        mine = plain.model_copy(update={"name": f"mine-{len(changes)}", "cargo": cargo})
        program = catalog.programs.program(mine, TARGETS["armv6"])
        (argv,) = (
            step.argv for step in program.steps if isinstance(step, Run) and "build" in step.argv
        )
        return [word for word in argv if "features" in word]

    assert told(features=("tls", "http2", "ipv6"), default_features=False) == [
        "--no-default-features",
        "--features=tls,http2,ipv6",
    ]
    assert told(features=("tls",)) == ["--features=tls"]
    assert told() == []


def test_a_service_that_needs_what_no_recipe_makes_is_named(
    catalog: Catalog, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    declared = tmp_path / "mine" / "service.toml"
    shutil.copy(PROJECT / "tests/data/bad/service-missing-library.toml", declared)
    (tmp_path / "mine/Makefile").touch()
    mine = service.load((tmp_path / "mine",))
    with pytest.raises(engine_errors.BadDeclaration) as caught:
        Catalog(host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine)
    assert str(caught.value).startswith(f"{declared}: ")
    assert "needs: there is no C library 'zlb'. Did you mean zlib?" in str(caught.value)


def test_names_beyond_ascii_are_files_like_others(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "Größe" / "mine"
    shutil.copytree(PROJECT / "services" / "hello-c", folder)
    (folder / "src" / "\u00fcber.c").write_text("\n")
    (folder / "src" / os.fsdecode(b"latin-\xfc.c")).write_text("\n")  # no UTF-8
    mine = service.load((folder,))
    fresh = Catalog(
        host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
    )
    program = fresh.programs.program(mine["mine"], TARGETS["armv6"])
    assert Keys(HOST).of(program)
    ((_, tree),) = program.trees
    work_directory.lay_out(tree, tmp_path / "laid out")
    assert (tmp_path / "laid out" / "src" / os.fsdecode(b"latin-\xfc.c")).is_file()


def test_what_was_compiled_in_a_projects_folder_stays_there(
    catalog: Catalog, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(PROJECT / "services" / "hello-c", folder)
    shutil.copy("/bin/true", folder / "hello-c")
    (folder / "src" / "main.o").write_bytes(b"\x7fELF, an object of the host")
    (folder / "src" / "mine.a").write_bytes(b"!<arch>\n")
    mine = service.load((folder,))
    fresh = Catalog(
        host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
    )
    ((_, tree),) = fresh.programs.program(mine["mine"], TARGETS["armv6"]).trees
    assert not {"hello-c", "src/main.o", "src/mine.a"} & {file.path for file in tree.files}


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    for name in ("shared/inner", "mine"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shared" / "inner" / "lib.c").write_text("\n")
    (tmp_path / "shared" / "again").symlink_to(tmp_path / "shared")
    (tmp_path / "shared" / "back").symlink_to(tmp_path / "mine")
    (tmp_path / "mine" / "linked").symlink_to("../shared")
    (tmp_path / "mine" / "lost").symlink_to("nowhere")
    (file,) = source_trees.of_project(tmp_path / "mine").files
    assert file.path == "linked/inner/lib.c"


def test_settings_of_crates_stay_with_the_targets_crates(catalog: Catalog, tmp_path: Path) -> None:
    """zstd-sys of a build script finds no zstd of this machine by pkg-config."""
    folder = tmp_path / "mine"
    (folder / "src").mkdir(parents=True)
    (folder / "src/main.rs").touch()
    package, names = 'name = "mine"\nversion = "1.0.0"\n', ("zstd-sys", "libsqlite3-sys")
    depends = "".join(f'{name} = "1"\n' for name in names)
    (folder / "Cargo.toml").write_text(f"[package]\n{package}[dependencies]\n{depends}")
    locked = "".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n' for name in names)
    lock = f"[[package]]\n{package}dependencies = {[*names]}\n{locked}"
    (folder / "Cargo.lock").write_text(lock)
    mine = service.load((folder,))
    fresh = Catalog(
        host=HOST, targets=TARGETS, pins=catalog.pins, missing_tools=True, services=mine
    )
    stage = fresh.programs.program(mine["mine"], TARGETS["armv6"])
    assert ("ZSTD_SYS_USE_PKG_CONFIG", "1") in stage.env
    (wrapper,) = (one for one in stage.steps if getattr(one, "path", "") == "${work}/bin/rustc")
    assert isinstance(wrapper, Write)
    (line,) = (line for line in wrapper.text.splitlines() if line.startswith("    unset "))
    assert {"ZSTD_SYS_USE_PKG_CONFIG", "LIBSQLITE3_SYS_USE_PKG_CONFIG"} <= set(line.split())
    assert "OPENSSL" not in line, "its names have the target in them"


def test_libraries_come_with_what_they_need_each_before_it(catalog: Catalog) -> None:
    kit = catalog.libraries.kit(TARGETS["armv6"], ("zlib", "curl"))
    assert [name for name, _ in kit.libraries] == ["curl", "zlib", "openssl"]
    assert kit.link == ("-lcurl", "-lz", "-lssl", "-lcrypto", "-latomic")


def test_no_source_is_taken_without_the_patches_of_its_package(catalog: Catalog) -> None:
    """A recipe that takes a pinned source unpacks it with its patches, whichever recipe it is."""
    pins = {pin.sha256: (name, pin) for name, pin in catalog.pins.pins.items()}
    seen = set[str]()
    for stage in everything(goals(catalog)).values():
        digests = {one.sha256 for _, one in stage.sources}
        for digest in digests & pins.keys():
            name, pin = pins[digest]
            seen.add(name)
            if pin.patches is None:
                assert pin.unpatched, name
                continue
            if pin.patches.file:
                assert pin.patches.sha256 in digests, f"{stage.name} takes {name} without patches"
            # Who takes licences alone lists what the others apply.
            applied = [step for step in stage.steps if isinstance(step, Patch | ListPatches)]
            assert applied, f"{stage.name} applies no patches of {name}"
            assert applied[0].omit == tuple(pin.patches.left_out)
    assert seen == set(catalog.pins.pins), "a pin that no recipe takes"


def test_whoever_takes_a_source_bare_is_found(catalog: Catalog) -> None:
    """The test above can fail: OpenSSL without its patches."""
    bare = dataclasses.replace(catalog.pins.component("openssl"), series=source.Series())
    made = openssl.stage(
        TARGETS["armv6"], source=bare, kit=catalog.libraries.kit(TARGETS["armv6"], ())
    )
    assert not any(isinstance(step, Patch) for step in made.steps)
    assert [alias for alias, _ in made.sources] == ["openssl"]


def test_the_members_of_libgcc_are_known_for_the_default_targets(catalog: Catalog) -> None:
    known = declaration.read(PROJECT / target_libraries.MEMBERS, target_libraries.LibgccMembers)
    assert known.version == catalog.pins.pins["gcc"].version
    assert set(known.members) == {"x86_64", "aarch64", "armv7", "armv6"}
    for name, members in known.members.items():
        unwinder = set(target_libraries.unwinder(TARGETS[name]))
        assert not unwinder & set(members), name
        checks = catalog.toolchains.gcc(TARGETS[name]).checks
        assert (
            Members(
                pattern="lib/gcc/*/*/libgcc.a",
                exactly=members,
                lacks=target_libraries.unwinder(TARGETS[name]),
            )
            in checks
        )


def test_two_locks_in_folders_of_one_name_are_two_stages(catalog: Catalog, tmp_path: Path) -> None:
    """And a lock in a folder that is called as the crates of Rust's std are."""
    folders = [tmp_path / "a/app", tmp_path / "b/app", tmp_path / "c/std"]
    for number, folder in enumerate(folders):
        (folder / f"s{number}/src").mkdir(parents=True)
        (folder / f"s{number}/src/main.rs").touch()
        (folder / "Cargo.lock").touch()
        (folder / "Cargo.toml").write_text('[workspace]\nmembers = ["*"]\n')
        (folder / f"s{number}/Cargo.toml").write_text(
            f'[package]\nname = "s{number}"\nmetadata.muslin.image.entrypoint = ["/s"]\n'
        )
    mine = service.load([folder / f"s{number}" for number, folder in enumerate(folders)])
    fresh = dataclasses.replace(catalog, services=mine)
    for name in mine:
        fresh.programs.program(mine[name], TARGETS["armv6"])
    names = [stage.name for stage in fresh.rust.all_crates()]
    assert len(set(names)) == len(names)
    assert [name.rpartition("-")[0] for name in names[:3]] == [
        *("crates-app", "crates-app", "crates-std"),
    ]
    alone = dataclasses.replace(fresh, services={"s0": mine["s0"]})
    assert alone.rust.all_crates()[0].name == "crates-app"


def test_a_service_that_would_take_an_images_own_name_is_refused(
    catalog: Catalog, tmp_path: Path
) -> None:
    folder = tmp_path / "image.tar"
    shutil.copytree(PROJECT / "services/hello-c", folder)
    with pytest.raises(
        engine_errors.BadDeclaration, match=r"a part of the pipeline is called image\.tar"
    ):
        dataclasses.replace(catalog, services=service.load((folder,)))


def test_finished_products_alone_are_shared(catalog: Catalog) -> None:
    """No verdict, test, image, download or tree that is built in further comes from a store."""
    shared = {stage.name for stage in everything(goals(catalog)).values() if stage.shared}
    products = ("toolchain", "gcc", "binutils", "rust-std", *LIBRARIES, *catalog.services)
    assert shared <= {f"{name}-{target}" for name in products for target in TARGETS}
    assert {f"{name}-armv6" for name in ("toolchain", "openssl", "rust-std", "hello-c")} <= shared
