"""What a method made is kept by its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from muslin.graph.memoised import Memory, memoised
from muslin.models import target

TARGETS = target.load(Path(__file__).resolve().parents[3] / "toolchains")


@dataclass(frozen=True, kw_only=True)
class Maker(Memory):
    @memoised
    def thing(self, *what: object) -> object:
        return [*what]

    @memoised
    def other(self, *what: object) -> object:
        return [*what]


def test_the_same_arguments_give_the_same_object() -> None:
    maker, armv6, armv7 = Maker(), TARGETS["armv6"], TARGETS["armv7"]
    assert maker.thing("a", armv6) is maker.thing("a", armv6)
    assert maker.thing(armv6) is maker.thing(armv6.model_copy())
    assert maker.thing((armv6, armv7)) is maker.thing((armv6, armv7))
    assert maker.thing() is not Maker().thing()


def test_other_arguments_give_another() -> None:
    maker, armv6, armv7 = Maker(), TARGETS["armv6"], TARGETS["armv7"]
    assert maker.thing(armv6) is not maker.thing(armv7)
    assert maker.thing(armv6) is not maker.thing("armv6")
    assert maker.thing((armv6, armv7)) is not maker.thing((armv7, armv6))
    assert maker.thing(Path("one/app")) is not maker.thing(Path("other/app"))
    assert maker.thing(armv6) is not maker.other(armv6)
