"""What was settled is known by its place and by its name, for as long as there is room."""

from dataclasses import replace

import pytest

from paquebot.queue import settled as module
from paquebot.queue.settled import Settled
from paquebot.wire.delivery import Item
from queue_making import delivery


def test_the_oldest_settled_item_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED_MAX", 2)
    settled = Settled()
    items = [Item((delivery(f"m{seq}"),)) for seq in (1, 2, 3)]
    for seq, item in enumerate(items):
        settled.remember(7, seq, item.deliveries[0].name)
    assert [settled.has(7, seq, item) for seq, item in enumerate(items)] == [False, True, True]
    for item in items:
        settled.ended(item.deliveries[0], None)
    assert [settled.has(8, 0, item) for item in items] == [False, True, True]


def test_another_item_at_its_place_is_another() -> None:
    settled = Settled()
    settled.remember(7, 3, "m3.1")
    assert not settled.has(7, 3, Item((delivery("m2"),)))
    assert not settled.has(11, 3, Item((delivery("m3"),)))


def test_what_is_done_with_is_known_wherever_it_comes_again() -> None:
    settled, item = Settled(), delivery(attempts=2)
    settled.ended(item, None)
    assert settled.has(7, 9, Item((item,)))
    assert settled.has(7, 9, Item((replace(item, attempts=0),)))
    assert not settled.has(7, 9, Item((delivery(n=2),)))
    assert not settled.has(7, 9, Item((item, delivery(n=2)), split=True))  # an item of its own, before its first is


def test_of_what_waits_again_only_earlier_attempts_are_past() -> None:
    settled, item = Settled(), delivery(attempts=2)
    settled.ended(item, replace(item, attempts=3))
    assert settled.has(7, 9, Item((item,)))
    assert not settled.has(7, 9, Item((replace(item, attempts=3),)))
    settled.ended(item, replace(item, next_ms=5))  # put back untried
    assert not settled.has(7, 9, Item((item,)))


def test_what_a_person_lets_begin_anew_is_not_past() -> None:
    settled, item = Settled(), delivery(attempts=4)
    requeued = replace(item, attempts=0, steered_ms=1)
    settled.ended(item, requeued)
    assert settled.has(7, 9, Item((item,)))
    assert not settled.has(7, 9, Item((requeued,)))
