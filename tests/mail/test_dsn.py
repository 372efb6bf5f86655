"""DSNs, read back by the standard library's parser."""

import email
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.dsn import compose, report
from paquebot.mail.envelope import Wish
from paquebot.mail.reply import Reply
from paquebot.mail.report import Action, DsnRequest, Told

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
_REFUSED = Told(
    "x@two.example",
    Reply(550, "5.1.1", "No such user\nask them again"),
    "The receiving host refused the recipient.",
    "mx.two.example",
    _NOW_MS - 1000,
)
_EXPIRED = Told("y@two.example", None, "No host could be reached for 5 days.")
_FULL = Told(
    "x@two.example",
    Reply(452, "4.2.2", "Full"),
    "RCPT was answered with 452 4.2.2 Full",
    "mx.two.example",
    _NOW_MS,
)
_TAKEN = Told("x@two.example", Reply(250, "2.0.0", "Ok"), "", "mx.two.example", _NOW_MS)
_HEADER = b"From: ann@one.example\r\nSubject: a\r\n folded subject\r\n"
_CONTENT = _HEADER + b"\r\nHello\r\n"


def _request(*told: Told, action: Action = Action.FAILED, **changes: object) -> DsnRequest:
    of = replace(_DELIVERY, **changes) if changes else _DELIVERY
    return DsnRequest("9b1-id", action, _NOW_MS, "mail.one.example", of, told)


def _composed(*told: Told, action: Action = Action.FAILED, content: bytes = _CONTENT, **changes: object) -> bytes:
    return compose(_request(*told, action=action, **changes), content)


def _read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=policy.SMTP)
    assert not message.defects
    assert isinstance(message, EmailMessage)
    return message


def _parts(content: bytes) -> list[EmailMessage]:
    return [part for part in _read(content).iter_parts() if isinstance(part, EmailMessage)]


def _groups(content: bytes) -> list[dict[str, str]]:
    """Return the fields of the part for programs, group by group; dates must be readable."""
    part = _parts(content)[1]
    read = part.get_payload()
    if part.get_content_type() == "message/global-delivery-status":  # unknown to the standard library
        raw = part.as_bytes().partition(b"\r\n\r\n")[2]
        read = [email.message_from_bytes(each, policy=policy.SMTPUTF8) for each in raw.split(b"\r\n\r\n") if each]
    assert isinstance(read, list)
    groups = [{name: " ".join(str(value).split()) for name, value in group.items()} for group in read]
    for group in groups:
        for name in group.keys() & {"Arrival-Date", "Last-Attempt-Date", "Will-Retry-Until"}:
            group[name] = str(int(parsedate_to_datetime(group[name]).timestamp() * 1000))
    return groups


def _text(content: bytes) -> str:
    return " ".join(_parts(content)[0].get_content().split())


def test_it_is_a_report_that_no_robot_answers() -> None:
    message = _read(_composed(_REFUSED))
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["To"] == "ann@one.example"
    assert message["From"] == "Mail Delivery System <mailer-daemon@mail.one.example>"
    assert message["Message-ID"] == "<9b1-id@mail.one.example>"
    assert parsedate_to_datetime(message["Date"]).timestamp() == _NOW_MS / 1000
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_the_status_tells_the_message_and_each_recipient() -> None:
    assert _groups(_composed(_REFUSED, _EXPIRED)) == [
        {"Reporting-MTA": "dns; mail.one.example", "Arrival-Date": str(_ACCEPTED_MS)},
        {
            "Final-Recipient": "rfc822; x@two.example",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.two.example",
            "Diagnostic-Code": "smtp; 550 5.1.1 No such user ask them again",
            "Last-Attempt-Date": str(_NOW_MS - 1000),
        },
        {"Final-Recipient": "rfc822; y@two.example", "Action": "failed", "Status": "4.4.7"},
    ]


def test_what_the_sender_named_comes_back_by_the_sender_s_names() -> None:
    wishes = {"x@two.example": Wish(orcpt="rfc822;X.Y+z@elsewhere.example")}
    message, recipient = _groups(_composed(_REFUSED, envelope_id="QQ 314=9", wishes=wishes))
    assert message["Original-Envelope-Id"] == "QQ 314=9"
    assert recipient["Original-Recipient"] == "rfc822; X.Y+z@elsewhere.example"
    text = _text(_composed(_REFUSED, wishes=wishes))
    assert "<x@two.example> for <X.Y+z@elsewhere.example> The receiving host" in text


def test_people_read_who_what_and_why() -> None:
    text = _text(_composed(_REFUSED, _EXPIRED))
    assert "could not be delivered to the 2 recipients below. It will not be tried again for them." in text
    assert "<x@two.example> The receiving host refused the recipient." in text
    assert "mx.two.example said: 550 5.1.1 No such user ask them again" in text
    assert "<y@two.example> No host could be reached for 5 days." in text
    assert _DELIVERY.id in text


def test_what_is_late_says_until_when_it_is_tried_and_that_nothing_is_to_be_done() -> None:
    content = _composed(_FULL, action=Action.DELAYED)
    assert _read(content)["Subject"] == "Your message is late"
    assert _groups(content)[1] == {
        "Final-Recipient": "rfc822; x@two.example",
        "Action": "delayed",
        "Status": "4.2.2",
        "Remote-MTA": "dns; mx.two.example",
        "Diagnostic-Code": "smtp; 452 4.2.2 Full",
        "Last-Attempt-Date": str(_NOW_MS),
        "Will-Retry-Until": str(_DELIVERY.expires_ms),
    }
    text = _text(content)
    assert "has not been delivered to the recipient below yet. You need not do anything: it is tried again" in text
    assert "until Sat, 29 Nov 2025 16:00:00 +0000. Should it fail, you will be told." in text
    assert text.count("452 4.2.2 Full") == 1


def test_the_report_of_a_failure_is_promised_only_to_those_who_get_it() -> None:
    only_delay = {"x@two.example": Wish(("DELAY",))}
    assert "you will be told" not in _text(_composed(_FULL, action=Action.DELAYED, wishes=only_delay))


def test_what_was_handed_on_says_to_whom_and_what_is_not_known() -> None:
    content = _composed(_TAKEN, Told("y@two.example", None, ""), action=Action.RELAYED)
    assert _read(content)["Subject"] == "Your message was handed on"
    _, first, second = _groups(content)
    assert (first["Action"], first["Status"], first["Remote-MTA"]) == ("relayed", "2.0.0", "dns; mx.two.example")
    assert second == {"Final-Recipient": "rfc822; y@two.example", "Action": "relayed", "Status": "2.0.0"}
    assert "They do not send reports of success" in _text(content)


def test_the_original_header_is_returned_and_the_body_is_not() -> None:
    assert _parts(_composed(_REFUSED, ret="HDRS"))[2].get_content().encode() == _HEADER
    assert _parts(_composed(_REFUSED, prefix=b"Received: x\r\n"))[2].get_content().encode() == (
        b"Received: x\r\n" + _HEADER
    )
    assert "is not enclosed, only its header" in _text(_composed(_REFUSED))


@pytest.mark.parametrize("body", [b"Hello\r\n", "Grüße\r\n".encode()])
def test_who_wants_all_back_gets_all_back(body: bytes) -> None:
    sent = _HEADER + b"\r\n" + body
    content = _composed(_REFUSED, ret="FULL", prefix=b"Received: x\r\n", content=sent)
    part = _parts(content)[2]
    assert part.get_content_type() == "message/rfc822"
    assert content.partition(b"Content-Type: message/rfc822")[2].count(b"Received: x\r\n" + sent) == 1
    transfer_encoding = None if body.isascii() else "8bit"
    assert (_read(content)["Content-Transfer-Encoding"], part["Content-Transfer-Encoding"]) == (transfer_encoding,) * 2
    assert "What you sent is enclosed." in _text(content)


@pytest.mark.parametrize("octets", [1_048_576, 1_048_577])
def test_all_comes_back_up_to_a_limit_and_the_header_beyond_it(octets: int) -> None:
    sent = _HEADER + b"\r\n" + b"x" * (octets - len(_HEADER) - 4) + b"\r\n"
    content = _composed(_REFUSED, ret="FULL", content=sent)
    assert (sent in content) is (octets == 1_048_576)
    assert ("larger than 1 MiB, so only its header" in _text(content)) is (octets == 1_048_577)


@pytest.mark.parametrize("action", [Action.DELAYED, Action.RELAYED])
def test_only_a_failure_gives_all_back(action: Action) -> None:
    assert b"Hello" not in _composed(_FULL, action=action, ret="FULL")


def test_a_report_goes_out_without_what_was_sent_when_that_cannot_be_read() -> None:
    content = _composed(_REFUSED, ret="FULL", prefix=b"Received: x\r\n", content=b"")
    assert _parts(content)[2].get_content() == "Received: x\r\n"


def test_mail_in_utf8_is_reported_in_utf8() -> None:
    told = Told("jürgen@grün.example", None, "No host could be reached.")
    wishes = {"jürgen@grün.example": Wish(orcpt="utf-8;jörg@grün.example")}
    header = "Subject: Grüße\r\n".encode()
    changes = {"utf8": True, "reverse_path": "änne@one.example", "wishes": wishes}
    content = _composed(told, content=header + b"\r\nHi\r\n", **changes)
    types = ["text/plain", "message/global-delivery-status", "message/global-headers"]
    assert [part.get_content_type() for part in _parts(content)] == types
    assert _groups(content)[1] == {
        "Original-Recipient": "utf-8; jörg@grün.example",
        "Final-Recipient": "utf-8; jürgen@grün.example",
        "Action": "failed",
        "Status": "4.4.7",
    }
    assert "To: <änne@one.example>\r\n".encode() in content
    assert "<jürgen@grün.example> for <jörg@grün.example>" in _text(content)
    assert header in content
    assert _read(content)["Content-Transfer-Encoding"] == "8bit"
    assert report(_request(told, **changes), b"").utf8
    whole = _composed(told, content=header + b"\r\nHi\r\n", ret="FULL", **changes)
    assert _parts(whole)[2].get_content_type() == "message/global"


def test_mail_in_utf8_from_an_ascii_address_is_reported_to_hosts_that_know_no_utf8() -> None:
    assert not report(_request(_REFUSED, utf8=True), _CONTENT).utf8
    assert _composed(_REFUSED, utf8=True).isascii()


def test_an_original_address_beyond_ascii_is_escaped_in_the_report_on_ascii_mail() -> None:
    content = _composed(_REFUSED, wishes={"x@two.example": Wish(orcpt="utf-8;jürgen+x@grün.example")})
    assert content.isascii()
    assert _groups(content)[1]["Original-Recipient"] == r"utf-8; j\x{FC}rgen\x{2B}x@gr\x{FC}n.example"


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
    content = _composed(Told("x@two.example", reply, "It failed.", host))
    assert f"\r\nStatus: {status}\r\n".encode() in content
    assert (b"Diagnostic-Code" in content) is bool(host)


def test_a_long_original_header_is_cut_at_a_line_end() -> None:
    content = _composed(_REFUSED, content=b"X: " + b"y" * 95 + b"\r\n" + b"Z: 1234567\r\n" * 10_000)
    assert 60_000 < len(content) < 70_000
    assert b"\r\nZ: 1234567\r\n\r\n--" in content


def test_the_report_goes_to_the_reverse_path_under_its_fixed_id() -> None:
    request = _request(_REFUSED)
    made = report(request, _CONTENT)
    assert (made.id, made.recipient, made.content) == ("9b1-id", "ann@one.example", compose(request, _CONTENT))


_HOSTILE = st.text(st.sampled_from("ab \r\n\0:ü\udc80<>-=_\u2028"), max_size=40)
_HOSTILE |= st.just("x" * 3000) | st.just("y " * 2000) | st.just("ü" * 3000)


@given(st.tuples(*[_HOSTILE] * 4), st.binary(max_size=60), st.sampled_from(Action), st.booleans())
def test_nothing_remote_adds_a_line_or_a_field_nor_an_octet_above_127_to_ascii_mail(
    texts: tuple[str, ...], header: bytes, action: Action, utf8: bool
) -> None:
    text, host, reason, orcpt = texts
    original = header.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    told = Told("x@two.example", Reply(550, "5.1.1", text), reason, host)
    wishes = {"x@two.example": Wish(orcpt=f"utf-8;{orcpt}")}
    content = _composed(told, action=action, content=original, utf8=utf8, wishes=wishes, envelope_id=orcpt)
    assert utf8 or content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    groups = _groups(content)
    assert len(groups) == 2
    known = {"Final-Recipient", "Original-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code"}
    assert set(groups[1]) <= {*known, "Will-Retry-Until"}
