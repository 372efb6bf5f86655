"""Keys on a desk of held mail: moving, opening, and what is wished for."""

from dataclasses import replace

import pytest

from paquebot.cli.spam.desk import Desk, HeldMail, Wish, pressed
from queue_making import delivery


def mail(ident: str, **changes: object) -> HeldMail:
    return HeldMail((delivery(ident, reason="held by the spam filter: A link deceives.", **changes),), "Ann", "Hi")


DESK = Desk(tuple(mail(f"m{number}") for number in range(3)))


def after(keys: str, desk: Desk = DESK) -> Desk:
    for key in keys:
        desk, _ = pressed(desk, key)
    return desk


@pytest.mark.parametrize(("keys", "at"), [("", 0), ("j", 1), ("jjjjj", 2), ("jjk", 1), ("kkk", 0)])
def test_the_reader_moves_and_stays_on_the_desk(keys: str, at: int) -> None:
    assert after(keys).at == at


def test_enter_opens_and_shuts() -> None:
    assert after("\n").is_open
    assert not after("\n\r").is_open


@pytest.mark.parametrize(
    ("key", "wish"), [("r", Wish.RELEASE), ("x", Wish.REFUSE), ("q", Wish.QUIT), ("z", Wish.NOTHING)]
)
def test_a_key_asks_for_what_it_says(key: str, wish: Wish) -> None:
    assert pressed(DESK, key) == (DESK, wish)


def test_what_was_held_under_an_alarm_is_refused_by_a_key_and_released_only_by_a_command() -> None:
    desk = Desk((mail("m1", alarmed=True),))
    told, wish = pressed(desk, "r")
    assert (wish, "--despite-alarm" in told.said) == (Wish.NOTHING, True)
    assert pressed(desk, "x")[1] is Wish.REFUSE


def test_what_is_decided_about_leaves_the_desk_and_the_reader_stays_at_the_next() -> None:
    desk = replace(after("jj"), is_open=True).without("m2", "m2 released")
    assert ([row.id for row in desk.rows], desk.at, desk.is_open, desk.said) == (["m0", "m1"], 1, False, "m2 released")
    empty = Desk(DESK.rows[:1]).without("m0", "")
    assert (empty.row, after("jk\nrx", empty).row) == (None, None)


def test_a_row_says_why_without_the_words_that_all_share() -> None:
    assert DESK.rows[0].why == "A link deceives."
