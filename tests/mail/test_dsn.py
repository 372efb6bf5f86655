"""The failure DSN, read back by the standard library's parser."""

import email
from email import policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.dsn import DsnRequest, FailedRecipient, compose, report
from paquebot.mail.reply import Reply

_ACCEPTED_MS = 1_764_000_000_000
_NOW_MS = _ACCEPTED_MS + 3_600_000
_DELIVERY = Delivery(
    id="0197f2a0-0000-7000-8000-000000000001",
    n=3,
    tenant="shop",
    credential="shop.app",
    reverse_path="ann@one.example",
    return_path="ann@one.example",
    recipients=("x@two.example", "y@two.example"),
    domain="two.example",
    site="s",
    group="other",
    pool="shop_main",
    lane=Lane.NORMAL,
    partition=0,
    prefix=b"",
    size_bytes=100,
    eight_bit=False,
    accepted_ms=_ACCEPTED_MS,
    expires_ms=_ACCEPTED_MS + 432_000_000,
)
_REFUSED = FailedRecipient(
    "x@two.example",
    Reply(550, "5.1.1", "No such user\nask them again"),
    "The receiving host refused the recipient.",
    "mx.two.example",
    _NOW_MS - 1000,
)
_EXPIRED = FailedRecipient("y@two.example", None, "No host could be reached for 5 days.")
_HEADER = b"From: ann@one.example\r\nSubject: a\r\n folded subject\r\n"


def _request(*failed: FailedRecipient, header: bytes = _HEADER) -> DsnRequest:
    return DsnRequest("9b1-id", _NOW_MS, "mail.one.example", "mailer-daemon@one.example", _DELIVERY, failed, header)


def _read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=policy.SMTP)
    assert not message.defects
    assert isinstance(message, EmailMessage)
    return message


def _parts(content: bytes) -> list[EmailMessage]:
    return [part for part in _read(content).iter_parts() if isinstance(part, EmailMessage)]


def test_it_is_a_report_that_no_robot_answers() -> None:
    message = _read(compose(_request(_REFUSED)))
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["To"] == "ann@one.example"
    assert message["From"] == "Mail Delivery System <mailer-daemon@one.example>"
    assert message["Message-ID"] == "<9b1-id@mail.one.example>"
    assert parsedate_to_datetime(message["Date"]).timestamp() == _NOW_MS / 1000
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_the_status_tells_the_message_and_each_recipient() -> None:
    groups = _parts(compose(_request(_REFUSED, _EXPIRED)))[1].get_payload()
    assert isinstance(groups, list)
    fields = [{name: " ".join(str(value).split()) for name, value in group.items()} for group in groups]
    arrival, attempt = fields[0].pop("Arrival-Date"), fields[1].pop("Last-Attempt-Date")
    assert parsedate_to_datetime(arrival).timestamp() == _ACCEPTED_MS / 1000
    assert parsedate_to_datetime(attempt).timestamp() == _NOW_MS / 1000 - 1
    assert fields == [
        {"Reporting-MTA": "dns; mail.one.example"},
        {
            "Final-Recipient": "rfc822; x@two.example",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.two.example",
            "Diagnostic-Code": "smtp; 550 5.1.1 No such user ask them again",
        },
        {"Final-Recipient": "rfc822; y@two.example", "Action": "failed", "Status": "4.4.7"},
    ]


def test_people_read_who_what_and_why() -> None:
    text = " ".join(_parts(compose(_request(_REFUSED, _EXPIRED)))[0].get_content().split())
    assert "could not be delivered to the 2 recipients below" in text
    assert "<x@two.example> The receiving host refused the recipient." in text
    assert "mx.two.example said: 550 5.1.1 No such user ask them again" in text
    assert "<y@two.example> No host could be reached for 5 days." in text
    assert _DELIVERY.id in text


def test_the_original_header_is_returned_and_the_body_is_not() -> None:
    assert _parts(compose(_request(_REFUSED)))[2].get_content().encode() == _HEADER


@pytest.mark.parametrize(
    ("reply", "host", "status"),
    [
        (Reply(550, "", "no"), "mx.example", "5.0.0"),
        (Reply(451, "", "later"), "mx.example", "4.0.0"),
        (Reply(452, "4.2.2", "full"), "mx.example", "4.2.2"),
        (Reply(556, "5.1.10", "null MX"), "", "5.1.10"),
    ],
)
def test_the_status_is_the_remote_one_or_what_the_code_tells(reply: Reply, host: str, status: str) -> None:
    content = compose(_request(FailedRecipient("x@two.example", reply, "It failed.", host)))
    assert f"\r\nStatus: {status}\r\n".encode() in content
    assert (b"Diagnostic-Code" in content) is bool(host)


def test_a_long_original_header_is_cut_at_a_line_end() -> None:
    content = compose(_request(_REFUSED, header=b"X: " + b"y" * 95 + b"\r\n" + b"Z: 1234567\r\n" * 10_000))
    assert 60_000 < len(content) < 70_000
    assert b"\r\nZ: 1234567\r\n\r\n--" in content


def test_the_report_goes_to_the_reverse_path_under_its_fixed_id() -> None:
    request = _request(_REFUSED)
    made = report(request)
    assert (made.id, made.recipient, made.content) == ("9b1-id", "ann@one.example", compose(request))


_HOSTILE = st.text(st.sampled_from("ab \r\n\0:ü\udc80<>-=_"), max_size=40) | st.just("x" * 3000) | st.just("y " * 2000)


@given(_HOSTILE, _HOSTILE, _HOSTILE, st.binary(max_size=60))
def test_nothing_remote_adds_a_line_a_field_or_an_octet_above_127(
    text: str, host: str, reason: str, header: bytes
) -> None:
    original = header.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    failed = FailedRecipient("x@two.example", Reply(550, "5.1.1", text), reason, host)
    content = compose(_request(failed, header=original))
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    groups = _parts(content)[1].get_payload()
    assert len(groups) == 2
    assert set(groups[1].keys()) <= {"Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code"}
