"""The words that recipes are written in: stages, sources, and every kind of step and check.

One list beside the modules that define them: a recipe uses up to ten kinds and has one import for
them, and a reader finds here which there are. The engine itself imports from the modules.
"""

from muslin.engine.cargo.collect_libraries import CollectLibraries
from muslin.engine.cargo.record_crates import RecordCrates
from muslin.engine.cargo.registry_settings import RegistrySettings
from muslin.engine.cargo.take_crate import TakeCrate
from muslin.engine.checks.command_output import CommandOutput
from muslin.engine.checks.elf import Elf
from muslin.engine.checks.forbidden_text import ForbiddenText
from muslin.engine.checks.input_file import InputFile
from muslin.engine.checks.listed_name import ListedName
from muslin.engine.checks.members import Members
from muslin.engine.checks.present import Present
from muslin.engine.checks.serves import Serves
from muslin.engine.checks.size import Size
from muslin.engine.formats.oci import Health
from muslin.engine.source import File, Source, Tree
from muslin.engine.stage import Check, Stage, Step
from muslin.engine.steps.boot import Boot, Request
from muslin.engine.steps.copy import Copy
from muslin.engine.steps.debian_package import DebianPackage
from muslin.engine.steps.deduplicate import Deduplicate
from muslin.engine.steps.folder import Folder
from muslin.engine.steps.image import Image
from muslin.engine.steps.image_index import ImageIndex
from muslin.engine.steps.initramfs import Initramfs
from muslin.engine.steps.join import Join
from muslin.engine.steps.link import Link
from muslin.engine.steps.list_patches import ListPatches
from muslin.engine.steps.notices import Notices
from muslin.engine.steps.pack import Pack
from muslin.engine.steps.patch import Patch
from muslin.engine.steps.pick import Pick
from muslin.engine.steps.rebase import Rebase
from muslin.engine.steps.record_link import RecordLink
from muslin.engine.steps.relink import Relink
from muslin.engine.steps.remove import Remove
from muslin.engine.steps.replace import Replace
from muslin.engine.steps.run import Run
from muslin.engine.steps.same_time import SameTime
from muslin.engine.steps.strip import Strip
from muslin.engine.steps.touch import Touch
from muslin.engine.steps.unpack import Unpack
from muslin.engine.steps.unpack_wheel import UnpackWheel
from muslin.engine.steps.write import Write
from muslin.engine.steps.write_gzip import WriteGzip
from muslin.engine.template import escaped

__all__ = [
    "Boot",
    "Check",
    "CollectLibraries",
    "CommandOutput",
    "Copy",
    "DebianPackage",
    "Deduplicate",
    "Elf",
    "File",
    "Folder",
    "ForbiddenText",
    "Health",
    "Image",
    "ImageIndex",
    "Initramfs",
    "InputFile",
    "Join",
    "Link",
    "ListPatches",
    "ListedName",
    "Members",
    "Notices",
    "Pack",
    "Patch",
    "Pick",
    "Present",
    "Rebase",
    "RecordCrates",
    "RecordLink",
    "RegistrySettings",
    "Relink",
    "Remove",
    "Replace",
    "Request",
    "Run",
    "SameTime",
    "Serves",
    "Size",
    "Source",
    "Stage",
    "Step",
    "Strip",
    "TakeCrate",
    "Touch",
    "Tree",
    "Unpack",
    "UnpackWheel",
    "Write",
    "WriteGzip",
    "escaped",
]
