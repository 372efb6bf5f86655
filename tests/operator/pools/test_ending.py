"""A pool goes when its mail has; its name goes after ten minutes, whatever the queue says."""

import pytest

from paquebot_operator.conditions import FALSE, UNKNOWN
from paquebot_operator.pools.ending import HELD_MAX_S, Ending, Mail, drained, ending

UNKNOWN_MAIL = Mail(None, "not connected to the queue")


@pytest.mark.parametrize(
    ("mail", "held_s", "is_held", "what"),
    [
        (Mail(0), 0, True, Ending.REMOVE),
        (Mail(0), HELD_MAX_S * 2, False, Ending.REMOVE),
        (Mail(3), HELD_MAX_S - 1, True, Ending.WAIT),
        (Mail(3), HELD_MAX_S, True, Ending.LET_GO),
        (UNKNOWN_MAIL, HELD_MAX_S - 1, True, Ending.WAIT),
        (UNKNOWN_MAIL, HELD_MAX_S, True, Ending.LET_GO),
        (Mail(3), HELD_MAX_S * 100, False, Ending.WAIT),
        (UNKNOWN_MAIL, HELD_MAX_S * 100, False, Ending.WAIT),
    ],
)
def test_mail_is_waited_for_and_a_name_only_so_long(mail: Mail, held_s: float, is_held: bool, what: Ending) -> None:
    assert ending(mail, held_s, is_held=is_held) is what


def test_it_is_said_what_waits_and_what_can_be_done() -> None:
    told = drained(Mail(2))
    assert (told.status, told.reason) == (FALSE, "MailWaits")
    assert told.message.startswith("2 deliveries still wait; `paquebot queue list` names them")
    assert drained(UNKNOWN_MAIL).status == UNKNOWN
    assert drained(UNKNOWN_MAIL).message.endswith("not connected to the queue")
