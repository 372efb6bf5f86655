"""Reading replies: however they are cut, the same replies or the same fault; nothing unprintable gets through."""

from paquebot.mail.reply import Reply
from paquebot.smtp.replyreader import BrokenSession, ReplyReader


def target(octets: bytes) -> None:
    """The first octet says how the others are cut."""
    size = octets[0] % 40 + 1 if octets else 1
    replies, fault = _read(octets[1:], size)
    assert (replies, fault) == _read(octets[1:], len(octets) or 1)
    for reply in replies:
        assert 200 <= reply.code < 600  # noqa: PLR2004  (RFC 5321 §4.2)
        assert all(line.isprintable() for line in reply.text.split("\n"))


def _read(octets: bytes, size: int) -> tuple[list[Reply], str]:
    reader, replies = ReplyReader(), list[Reply]()
    try:
        for start in range(0, len(octets), size):
            reader.append(octets[start : start + size])
            while (reply := reader.next_reply()) is not None:
                replies.append(reply)
    except BrokenSession as broken:
        return replies, broken.reason
    return replies, ""
