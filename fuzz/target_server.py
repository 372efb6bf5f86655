"""Whole dialogues with our server's end: however the octets are cut, the same is said; nothing odd comes out."""

from paquebot.mail.reply import Reply
from paquebot.smtp.events import AuthAttempt, Content, DataStart, StartTls
from paquebot.smtp.sasl import WITH_PASSWORD, WITH_TOKEN
from paquebot.smtp.server import GO_AHEAD, ServerLimits, ServerSession

_LIMITS = ServerLimits(content_max_bytes=400, recipients_max=3, errors_max=5, commands_max=40, mails_max=6)
_REPLIES = {StartTls: Reply(220, "2.0.0", "Go"), AuthAttempt: Reply(235, "2.7.0", "In"), DataStart: GO_AHEAD}
_OK = Reply(250, "2.0.0", "Ok")


def target(octets: bytes) -> None:
    """The first octet says how the others are cut and whether TLS and AUTH are wanted."""
    if not octets:
        return
    size, tls = octets[0] % 40 + 1, octets[0] >= 128  # noqa: PLR2004  (half of the inputs)
    said, contents = _talk(octets[1:], size, tls=tls)
    assert (said, contents) == _talk(octets[1:], len(octets), tls=tls)
    lines = said.split(b"\r\n")
    assert lines.pop() == b""
    assert all(line[:3].isdigit() and len(line) <= 510 and line.isascii() for line in lines)  # noqa: PLR2004
    for content in contents:
        assert len(content.content) <= _LIMITS.content_max_bytes
        assert len(content.envelope.recipients) <= _LIMITS.recipients_max
        assert content.content.count(b"\r") == content.content.count(b"\n") == content.content.count(b"\r\n")


def _talk(octets: bytes, size: int, *, tls: bool) -> tuple[bytes, list[Content]]:
    session = ServerSession("mx.test", _LIMITS, tls=tls, starttls=not tls, auth_required=tls)
    session.client.mechanisms = WITH_PASSWORD + WITH_TOKEN
    session.greet()
    contents: list[Content] = []
    said = b""
    for start in range(0, len(octets), size):
        session.receive_data(octets[start : start + size])
        while (event := session.next_event()) is not None:
            if isinstance(event, Content):
                contents.append(event)
            session.answer(_REPLIES.get(type(event), _OK))
        said += session.data_to_send()
        assert session.kept_bytes < 150_000  # noqa: PLR2004  (what a line or a content too long may leave behind)
    return said, contents
