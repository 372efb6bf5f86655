"""What was checked is remembered for minutes, under its mark, and never in the clear."""

import pytest

from paquebot.auth import checked
from paquebot.auth.checked import VALID_MS, Checked

NOW = 1_790_000_000_000


def test_an_outcome_is_recalled_until_it_is_too_old() -> None:
    memory = Checked(b"k" * 32)
    token = memory.token("shop.web", b"pw")
    assert memory.recall(token, "h", NOW) is None
    for outcome in (True, False):
        memory.add(token, "h", NOW, is_welcome=outcome)
        assert memory.recall(token, "h", NOW + VALID_MS - 1) is outcome
        assert memory.recall(token, "h", NOW + VALID_MS) is None


def test_a_changed_mark_drops_the_entry() -> None:
    memory = Checked(b"k" * 32)
    token = memory.token("shop.web", b"pw")
    memory.add(token, "old", NOW, is_welcome=True)
    assert memory.recall(token, "new", NOW) is None
    assert memory.recall(token, "old", NOW) is None


def test_user_name_and_password_do_not_run_together() -> None:
    memory = Checked(b"k" * 32)
    assert memory.token("ab", b"c") != memory.token("a", b"bc")
    assert memory.token("ab", b"c") != Checked(b"l" * 32).token("ab", b"c")
    assert b"pw" not in memory.token("shop.web", b"pw")


def test_the_oldest_entry_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "ENTRIES_MAX", 2)
    memory = Checked(b"k" * 32)
    for name in (b"1", b"2", b"3"):
        memory.add(name, "h", NOW, is_welcome=True)
    assert [memory.recall(name, "h", NOW) for name in (b"1", b"2", b"3")] == [None, True, True]
