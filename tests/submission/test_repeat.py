"""By what a message is known when it comes again, and what must be the same then."""

from dataclasses import replace
from typing import Any

import pytest

from paquebot.mail.delivery import Lane
from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.principal import Principal
from paquebot.policy.idempotency import Idempotency, Key
from paquebot.submission.handed import Mail
from paquebot.submission.repeat import Repeatable, repeatable

CONTENT = b"From: ann@shop.example\r\nMessage-ID:\r\n <1@shop.example>\r\n\r\nMessage-ID: <2@shop.example>\r\n"
ENVELOPE = Envelope("ann@shop.example", ("bob@one.example", "eve@one.example"), envelope_id="order-7")
WEB = Principal("shop", "web", senders=("*@shop.example",))
MAIL = Mail(WEB, ENVELOPE, CONTENT, "ESMTPSA")
NO_ENVID = replace(MAIL, envelope=replace(ENVELOPE, envelope_id=""))


def known(mail: Mail, key: Key = Key.ENVELOPE_ID) -> Repeatable:
    found = repeatable(mail, Idempotency(key, 60))
    assert found is not None
    return found


def test_a_key_says_its_tenant_and_nothing_else() -> None:
    key = known(MAIL).key
    tenant, _, digest = key.partition(".")
    assert tenant == "shop"
    assert len(bytes.fromhex(digest)) == 16


@pytest.mark.parametrize(
    "other",
    [
        {"principal": Principal("shop", "app")},
        {"principal": Principal("news", "web")},
        {"envelope": replace(ENVELOPE, envelope_id="order-8")},
        {"envelope": replace(ENVELOPE, recipients=("eve@one.example",))},
        {"envelope": replace(ENVELOPE, reverse_path="bob@shop.example")},
        {"idempotency_key": "order-7"},
    ],
)
def test_another_credential_envid_sender_or_recipient_is_another_key(other: dict[str, Any]) -> None:
    assert known(replace(MAIL, **other)).key != known(MAIL).key


def test_the_order_of_recipients_and_how_the_mail_came_do_not_matter() -> None:
    turned = replace(ENVELOPE, recipients=ENVELOPE.recipients[::-1], eight_bit=True)
    again = replace(MAIL, envelope=turned, protocol="GRPC", client_name="other", client_address="192.0.2.9")
    assert known(again) == known(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        {"content": CONTENT + b"x"},
        {"tags": {"class": "news"}},
        {"lane": Lane.BULK},
        {"envelope": replace(ENVELOPE, ret="FULL")},
        {"envelope": replace(ENVELOPE, wishes={"bob@one.example": Wish(("NEVER",))})},
    ],
)
def test_whatever_else_a_client_decides_is_part_of_what_it_sent(other: dict[str, Any]) -> None:
    changed = known(replace(MAIL, **other))
    assert changed.key == known(MAIL).key
    assert changed.digest != known(MAIL).digest


def test_an_idempotency_key_stands_alone_and_insists() -> None:
    one = replace(MAIL, idempotency_key="k")
    other = replace(one, envelope=replace(ENVELOPE, recipients=("eve@one.example",)))
    assert (known(one).named_by, known(one).insisted) == ("idempotency_key", True)
    assert known(one).key == known(other).key
    assert known(one).digest != known(other).digest
    assert known(one, Key.NONE).key == known(one).key


def test_without_envid_nothing_is_known_again_unless_the_policy_takes_the_message_id() -> None:
    assert repeatable(NO_ENVID, Idempotency()) is None
    by_message_id = known(NO_ENVID, Key.MESSAGE_ID)
    assert (by_message_id.named_by, by_message_id.insisted) == ("Message-ID", False)
    assert known(MAIL, Key.MESSAGE_ID).named_by == "ENVID"
    unfolded = replace(NO_ENVID, content=CONTENT.replace(b"Message-ID:\r\n ", b"message-id: "))
    assert known(unfolded, Key.MESSAGE_ID).key == by_message_id.key
    none = replace(NO_ENVID, content=b"From: ann@shop.example\r\n\r\nMessage-ID: <2@shop.example>\r\n")
    assert repeatable(none, Idempotency(Key.MESSAGE_ID)) is None


def test_a_policy_may_want_nothing_known_again_and_our_own_reports_never_are() -> None:
    assert repeatable(MAIL, Idempotency(Key.NONE)) is None
    assert repeatable(replace(MAIL, principal=Principal("shop", "", internal=True)), Idempotency()) is None
