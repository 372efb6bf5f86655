"""What a principal may send as."""

import pytest

from paquebot.mail.principal import Principal

_PRINCIPAL = Principal("shop", "shop.app", senders=("ann@one.example", "*@two.example"))


@pytest.mark.parametrize(
    ("mailbox", "may"),
    [
        ("ann@one.example", True),
        ("ANN@One.Example", True),
        ("bob@one.example", False),
        ("anyone@two.example", True),
        ("anyone@TWO.example", True),
        ("anyone@sub.two.example", False),
        ("anyone@nottwo.example", False),
        ("ann@one.example@three.example", False),
        ('"x@two.example"@three.example', False),
        ("*@two.example", True),
        ("two.example", False),
        ("", False),
    ],
)
def test_mailboxes_and_whole_domains_are_allowed_and_nothing_else(mailbox: str, *, may: bool) -> None:
    assert _PRINCIPAL.may_send_as(mailbox) is may


def test_any_sender_and_internal_principals_may_send_as_anybody() -> None:
    assert Principal("t", "c", any_sender=True).may_send_as("x@three.example")
    assert Principal("t", "c", internal=True).may_send_as("")


def test_a_principal_without_senders_may_send_as_nobody() -> None:
    assert not Principal("t", "c").may_send_as("")
    assert not Principal("t", "c").may_send_as("ann@one.example")
