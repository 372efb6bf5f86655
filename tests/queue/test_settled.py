"""What was settled is known by its place and its name, for as long as there is room."""

import pytest

from paquebot.queue import settled as module
from paquebot.queue.settled import Settled


def test_the_oldest_settled_item_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED_MAX", 2)
    settled = Settled()
    for seq in (1, 2, 3):
        settled.remember(7, seq, f"m{seq}.1")
    assert [settled.has(7, seq, f"m{seq}.1") for seq in (1, 2, 3)] == [False, True, True]


def test_another_item_at_its_place_is_another() -> None:
    settled = Settled()
    settled.remember(7, 3, "m3.1")
    assert not settled.has(7, 3, "m2.1")
    assert not settled.has(11, 3, "m3.1")
