"""What is refused before anybody is asked, and with which reply."""

import pytest

from paquebot.mail.delivery import Lane
from paquebot.mail.principal import Principal
from paquebot.policy.values import MailDomain, Policy, SendingPool, SMTPCredential
from paquebot.submission.gate import (
    author_refusal,
    crowd_refusal,
    lane_of,
    pool_of,
    pool_refusal,
    recipient_refusal,
    sender_refusal,
    size_refusal,
)

_POLICY = Policy(
    domains={
        "shop.example": MailDomain("shop", "shop", "shop.example", "mail_main"),
        "off.example": MailDomain("shop", "off", "off.example", "mail_main", suspend=True),
    },
    credentials={"mail.relay": SMTPCredential("mail", "relay", any_sender=True, pool="mail_relays")},
)
_WEB = Principal(
    "shop", "web", senders=("orders@shop.example", "*@off.example"), message_size_max_bytes=1000, recipients_max=2
)
_RELAY = Principal("mail", "relay", any_sender=True)
_OURS = Principal("shop", "", internal=True)


def test_a_credential_sends_as_its_own_senders_only() -> None:
    assert sender_refusal(_WEB, "orders@shop.example", _POLICY) is None
    assert sender_refusal(_WEB, "Orders@SHOP.example", _POLICY) is None
    refusal = sender_refusal(_WEB, "boss@shop.example", _POLICY)
    assert str(refusal) == (
        "550 5.7.1 <boss@shop.example> is not allowed for shop.web, "
        "which may send as orders@shop.example, *@off.example"
    )


def test_the_null_reverse_path_is_for_relays_and_our_own_reports() -> None:
    refusal = sender_refusal(_WEB, "", _POLICY)
    assert refusal is not None
    assert "the null reverse-path is not allowed for shop.web" in refusal.text
    assert sender_refusal(_RELAY, "", _POLICY) is None
    assert sender_refusal(_OURS, "", _POLICY) is None


def test_a_refusal_fits_into_a_reply_line_however_many_senders_there_are() -> None:
    many = Principal("shop", "web", senders=tuple(f"sender-{i}@shop.example" for i in range(500)))
    refusal = sender_refusal(many, "x" * 64 + "@" + "y" * 180, _POLICY)
    assert refusal is not None
    assert len(refusal.text) <= 450
    assert "and 495 more" in refusal.text


def test_a_suspended_domain_sends_nothing() -> None:
    refusal = sender_refusal(_WEB, "a@off.example", _POLICY)
    assert str(refusal) == "550 5.7.1 Sending from off.example is suspended (MailDomain off)"
    assert author_refusal(_RELAY, ("a@sub.off.example",), "", _POLICY) is not None


def test_every_author_and_the_sender_must_be_the_credentials_own() -> None:
    own = "orders@shop.example"
    assert author_refusal(_WEB, (own,), "", _POLICY) is None
    assert author_refusal(_WEB, (own, own), own, _POLICY) is None
    for authors, sender, named in (
        (("boss@shop.example",), "", "From: boss@shop.example"),
        ((own, "boss@shop.example"), own, "From: boss@shop.example"),
        ((own,), "boss@shop.example", "Sender: boss@shop.example"),
    ):
        refusal = author_refusal(_WEB, authors, sender, _POLICY)
        assert refusal is not None
        assert (refusal.code, refusal.enhanced) == (550, "5.7.1")
        assert refusal.text.startswith(named)
    assert author_refusal(_OURS, ("mailer-daemon@mx.example",), "", _POLICY) is None


def test_size_is_refused_above_the_limit_and_not_at_it() -> None:
    assert size_refusal(_WEB, 1000) is None
    assert str(size_refusal(_WEB, 1001)) == "552 5.3.4 The message is larger than 1000 octets"
    assert size_refusal(_OURS, 10**9) is None


def test_recipients_are_refused_above_the_limit_and_not_at_it() -> None:
    assert crowd_refusal(_WEB, 2) is None
    refusal = crowd_refusal(_WEB, 3)
    assert refusal is not None
    assert (refusal.code, refusal.enhanced) == (452, "4.5.3")


@pytest.mark.parametrize(
    "recipient",
    [
        "a@one.example",
        "a@ONE.example",
        "a@sub_domain.one.example",
        "a@xn--bcher-kva.example",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "a@1.2.example",
        '"a@b"@one.example',
    ],
)
def test_domains_that_can_be_are_let_through(recipient: str) -> None:
    assert recipient_refusal(recipient) is None


@pytest.mark.parametrize(
    ("recipient", "code", "enhanced"),
    [
        ("a@localhost", 550, "5.1.2"),
        ("a@192.0.2.1", 553, "5.1.3"),
        ("a@[192.0.2.256]", 553, "5.1.3"),
        ("a@[IPv6:zz]", 553, "5.1.3"),
        ("a@[x400:c=us]", 553, "5.1.3"),
        ("a@one..example", 553, "5.1.3"),
        ("a@-one.example", 553, "5.1.3"),
        ("a@" + "x" * 64 + ".example", 553, "5.1.3"),
        ("a@" + "xy." * 90 + "example", 553, "5.1.3"),
        ("a@", 553, "5.1.3"),
    ],
)
def test_domains_that_cannot_be_are_refused(recipient: str, code: int, enhanced: str) -> None:
    refusal = recipient_refusal(recipient)
    assert refusal is not None
    assert (refusal.code, refusal.enhanced) == (code, enhanced)
    assert len(refusal.text) <= 450


def test_admission_looks_at_the_pool_of_the_domain_or_else_of_the_credential() -> None:
    assert pool_of(_WEB, "a@mail.shop.example", _POLICY) == "mail_main"
    assert pool_of(_RELAY, "a@elsewhere.example", _POLICY) == "mail_relays"
    assert pool_of(_WEB, "a@elsewhere.example", _POLICY) == ""


def test_a_pool_that_is_being_removed_takes_nothing_new_and_says_what_must_change() -> None:
    leaving, staying = SendingPool("mail", "bulk", "x", draining=True), SendingPool("mail", "main", "y")
    policy = Policy(pools={each.token: each for each in (leaving, staying)})
    assert pool_refusal("mail_main", policy) is None
    assert pool_refusal("mail_unknown", policy) is None  # the router says so, with its own reason
    assert str(pool_refusal("mail_bulk", policy)) == (
        "451 4.3.5 The SendingPool mail/bulk is being removed and takes nothing new: its MailDomain must name another"
    )


@pytest.mark.parametrize("own", Lane)
@pytest.mark.parametrize("wish", [None, *Lane])
def test_a_message_may_wish_for_a_lower_lane_than_its_credentials_only(own: Lane, wish: Lane | None) -> None:
    policy = Policy(credentials={"shop.web": SMTPCredential("shop", "web", lane=own)})
    expected = own if wish is None else max(own, wish)
    assert lane_of(_WEB, (None, wish), policy) is expected
    assert lane_of(_WEB, (wish, None), policy) is expected


def test_without_a_credential_of_the_policy_mail_is_normal_and_our_reports_are_urgent() -> None:
    assert lane_of(_WEB, (Lane.URGENT, None), _POLICY) is Lane.NORMAL
    assert lane_of(_OURS, (Lane.BULK, None), _POLICY) is Lane.URGENT
