"""Composing a DSN about any mail with any foreign text: the result is content that we would take ourselves."""

from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.dsn import compose
from paquebot.mail.envelope import Wish
from paquebot.mail.finish import Finishing, finish
from paquebot.mail.refusal import ContentRefused
from paquebot.mail.reply import Reply
from paquebot.mail.report import Action, DsnRequest, Told

_NOW_MS = 1_790_000_000_000
_PLAIN = b"From: a@a.test\r\nDate: x\r\nMessage-ID: <x>\r\n\r\nx\r\n"


def target(octets: bytes) -> None:
    """Half of the octets are foreign text, half are a content."""
    mode = octets[0] if octets else 0
    half = len(octets) // 2
    text, utf8 = octets[1:half].decode("utf-8", "replace"), bool(mode & 1)
    finishing = Finishing(_NOW_MS, "id", "a.test", "a@a.test", utf8=utf8)
    try:
        content = finish(octets[half:], finishing).content
    except ContentRefused:
        content = _PLAIN
    told = Told("r@b.test", Reply(550, "5.1.1", text), text, text[:60])
    action = tuple(Action)[mode % len(Action)]
    request = DsnRequest("id", action, _NOW_MS, "mx.a.test", _delivery(text, utf8=utf8), (told,))
    try:
        finish(compose(request, content), Finishing(_NOW_MS, "id", "a.test", "", utf8=utf8))
    except ContentRefused as refused:
        raise AssertionError(f"a report we would refuse: {refused.reply}") from refused


def _delivery(text: str, *, utf8: bool) -> Delivery:
    return Delivery(
        id="id",
        n=1,
        tenant="t",
        credential="c",
        reverse_path="a@a.test",
        return_path="a@a.test",
        recipients=("r@b.test",),
        domain="b.test",
        site="b.test",
        group="other",
        pool="p_p",
        lane=Lane.NORMAL,
        partition=0,
        prefix=b"Received: x\r\n",
        size_bytes=1,
        eight_bit=True,
        accepted_ms=_NOW_MS,
        expires_ms=_NOW_MS,
        utf8=utf8,
        envelope_id=text[:90],
        ret="FULL",
        wishes={"r@b.test": Wish(("SUCCESS",), f"rfc822;{text[:90]}")},
    )
