import pytest

from paquebot.mail.reply import Reply
from paquebot.sandbox.manner import (
    GREYLISTED,
    NO_USER,
    RECIPIENT_OK,
    SENDER_OK,
    THROTTLED,
    Doorkeeper,
    Manner,
)

TRIPLE = ("127.0.0.1", "a@a.test", "unknown@b.test")


def test_greylisting_is_per_client_sender_and_recipient_and_ends_with_time() -> None:
    keeper = Doorkeeper(Manner(greylist_s=10))
    assert keeper.recipient(TRIPLE, 100) == GREYLISTED
    assert keeper.recipient(TRIPLE, 109.9) == GREYLISTED
    assert keeper.recipient(TRIPLE, 110) == RECIPIENT_OK
    assert keeper.recipient(("127.0.0.1", "", "unknown@b.test"), 110) == GREYLISTED


@pytest.mark.parametrize(("taken", "reply"), [(0, SENDER_OK), (1, SENDER_OK), (2, THROTTLED), (3, THROTTLED)])
def test_a_connection_takes_so_many_messages(taken: int, reply: Reply) -> None:
    assert Doorkeeper(Manner(messages_per_connection_max=2)).sender(taken, 0) == reply


def test_a_second_takes_so_many_messages() -> None:
    keeper = Doorkeeper(Manner(messages_per_second_max=2))
    assert [keeper.sender(0, at) for at in (0, 0.5, 0.9)] == [SENDER_OK, SENDER_OK, THROTTLED]
    assert keeper.sender(0, 1.0) == SENDER_OK


def test_unknown_users_are_told_by_their_names() -> None:
    keeper = Doorkeeper(Manner(refused_prefix="unknown"))
    assert keeper.recipient(TRIPLE, 0) == NO_USER
    assert keeper.recipient(("127.0.0.1", "", "known@b.test"), 0) == RECIPIENT_OK


def test_without_manners_everything_is_taken() -> None:
    keeper = Doorkeeper(Manner())
    assert keeper.sender(10**6, 0) == SENDER_OK
    assert keeper.recipient(TRIPLE, 0) == RECIPIENT_OK
