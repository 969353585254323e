"""What a signer says of an entry: an in-toto Statement v1 with a SLSA provenance v1 predicate.

The subject is the packed entry. The cache's trust and the entry's provenance are one file.
Formats: in-toto/attestation spec/v1/statement.md, slsa-framework/slsa spec v1.0 provenance.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from muslin.engine.formats import canonical_json

KEY_URI, BUILDER_URI = "urn:x-muslin:stage-key:{}", "urn:x-muslin:signer:{}"

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class Part(BaseModel):
    """A part of a statement: no key that nobody reads, names as in the formats."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class Digest(Part):
    """A DigestSet of in-toto."""

    sha256: Hex


class Resource(Part):
    """A ResourceDescriptor of in-toto."""

    name: str
    uri: str | None = None
    digest: Digest | None = None


class Entry(Part):
    """The internal parameters of a build: what is to be known before an entry is used."""

    key: Hex
    document: Digest
    """Of the canonical JSON of the key's document: the key itself, since that is what a key is."""
    tree: Digest
    """Of the manifest of the tree, without times."""
    packed_bytes: Count
    unpacked_bytes: Count
    files: Count
    """Files, links and directories in the tree."""
    checks: Hex
    """The key of the checks that the tree passed, with the programs that judged."""
    proof: Hex
    """The key of these checks and those of all that the tree was made from."""
    cpu_seconds: Seconds
    wall_seconds: Seconds
    memory: Count
    """Bytes of the largest process."""
    built_with: dict[str, str]
    """Programs of the host that took part and are not in the key."""


class Stage(Part):
    """The external parameters of a build."""

    stage: str
    target: str


class Definition(Part):
    """A buildDefinition of SLSA."""

    build_type: Literal["urn:x-muslin:stage:1"] = "urn:x-muslin:stage:1"
    """How the steps of a stage make its entry; the number changes with the shape of a statement."""
    external_parameters: Stage
    internal_parameters: Entry
    resolved_dependencies: tuple[Resource, ...]
    """Sources by digest, the project's own files by digest, needs by the keys of their stages."""


class Builder(Part):
    """A builder of SLSA."""

    id: str
    version: dict[str, str]


class Details(Part):
    """The runDetails of SLSA."""

    builder: Builder


class Provenance(Part):
    """The predicate."""

    build_definition: Definition
    run_details: Details


class Statement(Part):
    """The signed text."""

    kind: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = (
        "https://in-toto.io/Statement/v1"
    )
    subject: Annotated[tuple[Resource, ...], Field(min_length=1, max_length=1)]
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = "https://slsa.dev/provenance/v1"
    predicate: Provenance

    @property
    def entry(self) -> Entry:
        """What it says of the entry."""
        return self.predicate.build_definition.internal_parameters

    @property
    def packed(self) -> str:
        """SHA-256 of the packed entry."""
        (subject,) = self.subject
        return subject.digest.sha256 if subject.digest else ""

    def written(self) -> bytes:
        """As it is signed."""
        document: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return canonical_json.written(document)


def read(payload: bytes) -> Statement | None:
    """A signed text; None if it says something else."""
    try:
        return Statement.model_validate_json(payload)
    except (ValidationError, ValueError):
        return None
