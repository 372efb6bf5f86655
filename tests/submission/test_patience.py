"""When a client has kept us waiting too long."""

import pytest

from paquebot.submission.patience import Patience, Waiting

_PATIENCE = Patience(command_s=10, unauthenticated_s=30, transaction_s=100, window_s=5, floor_bytes_per_s=100)


def _overdue(waiting: Waiting, now_s: float, *, authenticated: bool = True, mid_content: bool = False) -> str:
    return waiting.overdue(_PATIENCE, now_s, authenticated=authenticated, mid_content=mid_content)


@pytest.mark.parametrize(("fullness", "command_s"), [(0, 300), (0.5, 300), (0.7, 155), (0.9, 10), (2, 10)])
def test_the_more_clients_there_are_the_shorter_each_is_waited_for(fullness: float, command_s: float) -> None:
    patience = Patience().when(fullness)
    assert round(patience.command_s) == command_s
    assert patience.handshake_s <= 30
    assert patience.transaction_s == 1800


def test_stress_makes_nobody_more_patient() -> None:
    assert Patience(command_s=3, handshake_s=1).when(1).command_s == 3
    assert Patience(command_s=3, handshake_s=1).when(1).handshake_s == 1


def test_silence_is_borne_until_its_limit() -> None:
    waiting = Waiting(0, 0)
    assert _overdue(waiting, 10) == ""
    assert _overdue(waiting, 10.1) == "no command came"


def test_an_answered_command_begins_the_wait_anew() -> None:
    waiting = Waiting(0, 0)
    waiting.answered(9)
    assert _overdue(waiting, 19) == ""


def test_a_client_that_only_chats_must_say_who_it_is() -> None:
    waiting = Waiting(0, 0)
    waiting.answered(29)
    assert _overdue(waiting, 30, authenticated=False) == ""
    assert _overdue(waiting, 31, authenticated=False) == "the client has not authenticated"
    assert _overdue(waiting, 31) == ""


def test_content_must_keep_coming_at_the_least_rate() -> None:
    waiting = Waiting(0, 0)
    assert _overdue(waiting, 1, mid_content=True) == ""
    waiting.came(500)
    assert _overdue(waiting, 6, mid_content=True) == ""
    waiting.came(499)
    assert _overdue(waiting, 11, mid_content=True) == "the content comes too slowly"


def test_a_transaction_ends_however_busy_it_is() -> None:
    waiting = Waiting(0, 0, transaction_s=50)
    waiting.came(10**9)
    assert _overdue(waiting, 150, mid_content=True) == ""
    assert _overdue(waiting, 151, mid_content=True) == "the transaction took too long"


def test_a_window_does_not_outlive_its_content() -> None:
    waiting = Waiting(0, 0)
    _overdue(waiting, 1, mid_content=True)
    waiting.answered(4)
    assert _overdue(waiting, 4) == ""
    assert _overdue(waiting, 8, mid_content=True) == ""
