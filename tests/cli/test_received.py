"""What a sandbox has is checked: a bad signature, a malformed line, what came twice."""

import pytest

from paquebot.cli.received import Checked, check_all, is_well_formed
from paquebot.dkim.keys import generate, record
from paquebot.mail.envelope import Envelope
from paquebot.runtime.settings import Address
from paquebot.sandbox.mxhost import Received
from paquebot.sandbox.signatures import Verifier

NOWHERE = Address("127.0.0.1", 9)
IDENT = "01985ad6-0000-7000-8000-00000000000a"


def received(content: bytes, *recipients: str) -> Received:
    return Received("mx", "127.0.0.1", "out", True, Envelope("a@a.test", recipients), content, 0.0)


@pytest.mark.parametrize(
    ("content", "good"),
    [
        (b"A: b\r\n\r\nhello\r\n", True),
        (b"A: b\r\n\r\nhello\n", False),
        (b"A: b\r\n\r\nhel\rlo\r\n", False),
        (b"A: b\r\n\r\nhello", False),
        (b"A: b\r\n\r\n" + b"x" * 998 + b"\r\n", True),
        (b"A: b\r\n\r\n" + b"x" * 999 + b"\r\n", False),
    ],
)
def test_form_is_crlf_and_no_line_too_long(content: bytes, good: bool) -> None:
    assert is_well_formed(content) == good


def test_rows_are_by_domain_and_count_what_came_twice() -> None:
    content = b"Received: from x by y with ESMTPSA id " + IDENT.encode() + b"\r\n\r\nhello\r\n"
    arrived = [received(content, "b@b.test", "c@b.test"), received(content, "b@b.test"), received(b"x", "d@d.test")]
    rows = check_all(arrived, NOWHERE)
    assert rows == [
        Checked("b.test", messages=2, recipients=3, tls=2, unsigned=2, twice=1),
        Checked("d.test", messages=1, recipients=1, tls=1, unsigned=1, malformed=1),
    ]
    assert [row.is_bad for row in rows] == [False, True]


@pytest.fixture
def signed() -> tuple[bytes, Verifier]:
    import dkim

    verifier = Verifier(NOWHERE)
    content = b"From: a@a.test\r\nSubject: x\r\n\r\nhello\r\n"
    for selector in (b"one", b"two"):
        pem = generate("RSA2048")
        verifier.keys[selector + b"._domainkey.a.test."] = record(pem).encode()
        content = dkim.sign(content, selector, b"a.test", pem, include_headers=[b"from"]) + content
    return content, verifier


def test_all_signatures_of_a_message_must_be_good(signed: tuple[bytes, Verifier]) -> None:
    content, verifier = signed
    assert verifier.is_good(content)
    assert verifier.is_good(content.replace(b"hello", b"hell0")) is False
    assert verifier.is_good(content[content.index(b"From:") :]) is None
    assert verifier.is_good(b" no field") is None
