import random

import pytest

from paquebot.mail.reply import Reply
from paquebot.sandbox.doorkeeper import (
    GREYLISTED,
    NO_USER,
    RECIPIENT_OK,
    SENDER_OK,
    TAKEN,
    TOO_MANY_RECIPIENTS,
    Doorkeeper,
)
from paquebot.sandbox.manner import THROTTLED, Act, Limits, Manner, Stage, Trouble

CLIENT = "127.0.0.1"
TRIPLE = (CLIENT, "a@a.test", "unknown@b.test")
BUSY = Reply(451, "4.3.0", "Busy")


def keeper(manner: Manner) -> Doorkeeper:
    return Doorkeeper(manner, random.Random(1))


def test_greylisting_is_per_client_sender_and_recipient_and_ends_with_time() -> None:
    asked = keeper(Manner(greylist_s=10))
    assert asked.recipient(TRIPLE, 0, 100) == GREYLISTED
    assert asked.recipient(TRIPLE, 0, 109.9) == GREYLISTED
    assert asked.recipient(TRIPLE, 0, 110) == RECIPIENT_OK
    assert asked.recipient((CLIENT, "", "unknown@b.test"), 0, 110) == GREYLISTED


@pytest.mark.parametrize(("taken", "reply"), [(0, SENDER_OK), (1, SENDER_OK), (2, THROTTLED), (3, THROTTLED)])
def test_a_connection_takes_so_many_messages(taken: int, reply: Reply) -> None:
    asked = keeper(Manner(limits=Limits(messages_per_connection_max=2)))
    assert asked.sender(CLIENT, "", taken, 0) == reply


def test_a_second_takes_so_many_messages() -> None:
    asked = keeper(Manner(limits=Limits(messages_per_second_max=2)))
    assert [asked.sender(CLIENT, "", 0, at) for at in (0, 0.5, 0.9)] == [SENDER_OK, SENDER_OK, THROTTLED]
    assert asked.sender(CLIENT, "", 0, 1.0) == SENDER_OK


def test_a_minute_takes_so_many_messages_from_one_address_and_others_from_another() -> None:
    asked = keeper(Manner(limits=Limits(messages_per_minute_max=2)))
    assert [asked.sender(CLIENT, "", 0, at) for at in (0, 30, 59)] == [SENDER_OK, SENDER_OK, THROTTLED]
    assert asked.sender("127.0.0.2", "", 0, 59) == SENDER_OK
    assert asked.sender(CLIENT, "", 0, 60) == SENDER_OK


def test_penalties_double_and_end() -> None:
    limits = Limits(messages_per_second_max=1, penalty_s=10, penalty_max_s=15)
    asked = keeper(Manner(limits=limits))
    assert asked.sender(CLIENT, "", 0, 0) == SENDER_OK
    assert asked.sender(CLIENT, "", 0, 0) == THROTTLED
    assert asked.connected(CLIENT, 9.9) == THROTTLED
    assert asked.sender(CLIENT, "", 0, 9.9) == THROTTLED
    assert asked.sender(CLIENT, "", 0, 10) == SENDER_OK
    assert asked.sender(CLIENT, "", 0, 10) == THROTTLED
    assert asked.sender(CLIENT, "", 0, 24.9) == THROTTLED
    assert asked.sender(CLIENT, "", 0, 25) == SENDER_OK


def test_an_address_may_have_so_many_connections_at_once() -> None:
    asked = keeper(Manner(limits=Limits(connections_max=1, reply=BUSY)))
    assert asked.connected(CLIENT, 0) is None
    assert asked.connected(CLIENT, 0) == BUSY
    asked.gone(CLIENT)
    asked.gone(CLIENT)
    assert asked.connected(CLIENT, 0) is None


def test_unknown_users_are_told_by_their_names() -> None:
    asked = keeper(Manner(unknown_prefix="unknown"))
    assert asked.recipient(TRIPLE, 0, 0) == NO_USER
    assert asked.recipient((CLIENT, "", "known@b.test"), 0, 0) == RECIPIENT_OK


def test_a_message_may_have_so_many_recipients() -> None:
    asked = keeper(Manner(recipients_max=2))
    assert [asked.recipient(TRIPLE, accepted, 0) for accepted in (0, 1, 2)] == [
        RECIPIENT_OK,
        RECIPIENT_OK,
        TOO_MANY_RECIPIENTS,
    ]


def test_trouble_may_come_with_the_first_tries_only_each_thing_for_itself() -> None:
    asked = keeper(Manner(troubles=(Trouble(Stage.MAIL, BUSY, tries=2),)))
    assert [asked.sender(CLIENT, "a@a.test", 0, 0) for _ in range(3)] == [BUSY, BUSY, SENDER_OK]
    assert asked.sender(CLIENT, "b@a.test", 0, 0) == BUSY


def test_the_final_dot_is_judged_by_the_content_which_may_be_kept_in_spite() -> None:
    asked = keeper(Manner(troubles=(Trouble(Stage.DOT, Act.SILENT, tries=1, keeps=True),)))
    assert [asked.final_dot(b"x"), asked.final_dot(b"x")] == [(Act.SILENT, True), (TAKEN, True)]
    assert asked.final_dot(b"y") == (Act.SILENT, True)
    assert keeper(Manner(troubles=(Trouble(Stage.DOT, BUSY),))).final_dot(b"x") == (BUSY, False)


def test_chance_is_the_same_for_the_same_seed() -> None:
    manner = Manner(troubles=(Trouble(Stage.EHLO, Act.HANG_UP, chance=0.5),))
    first, second = keeper(manner), keeper(manner)
    answers = [first.hello(CLIENT) for _ in range(50)]
    assert answers == [second.hello(CLIENT) for _ in range(50)]
    assert set(answers) == {None, Act.HANG_UP}


def test_without_manners_everything_is_taken() -> None:
    asked = keeper(Manner())
    assert asked.connected(CLIENT, 0) is asked.hello(CLIENT) is asked.content(Stage.DATA, "", ()) is None
    assert asked.sender(CLIENT, "", 10**6, 0) == SENDER_OK
    assert asked.recipient(TRIPLE, 10**6, 0) == RECIPIENT_OK
    assert asked.final_dot(b"x") == (TAKEN, True)
