"""How much time a server costs: by a clock that the tests turn."""

from __future__ import annotations

import pytest

from muslin.engine.fetch.failures import Fault
from muslin.engine.remote.patience import SLOWEST, Patience


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_passes_while_a_request_is_under_way_only() -> None:
    clock = Clock()
    patience = Patience(3.0, clock)
    for _ in range(4):
        clock.now += 50
        with patience.request():
            clock.now += 0.7
            patience.check()
    with patience.request():
        clock.now += 0.3
        with pytest.raises(Fault, match="did not answer for 3 s"):
            patience.check()


def test_requests_side_by_side_take_the_same_time() -> None:
    clock = Clock()
    patience = Patience(3.0, clock)
    with patience.request(), patience.request(), patience.request():
        clock.now += 2.9
        patience.check()
        clock.now += 0.2
        with pytest.raises(Fault):
            patience.check()


def test_what_moves_costs_nothing_and_saves_nothing() -> None:
    clock = Clock()
    patience = Patience(3.0, clock)
    with patience.request():
        for _ in range(20):
            patience.moved(SLOWEST)
            clock.now += 1.0
            patience.check()
        patience.moved(SLOWEST * 1000)
        clock.now += 1.0
        patience.check()
        clock.now += 2.9
        patience.check()
        clock.now += 0.2
        with pytest.raises(Fault):
            patience.check()


def test_a_trickle_is_as_good_as_nothing() -> None:
    clock = Clock()
    patience = Patience(3.0, clock)
    with patience.request():
        for _ in range(8):
            patience.moved(SLOWEST // 4)
            clock.now += 0.6
            patience.check()
        clock.now += 0.6
        with pytest.raises(Fault):
            patience.check()


def test_a_server_that_was_worth_it_has_its_time_again() -> None:
    clock = Clock()
    patience = Patience(3.0, clock)
    for _ in range(3):
        with patience.request():
            clock.now += 2.5
            patience.check()
        patience.renew()
