"""Finishing content and walking its MIME parts: what is finished stays as it is, and all offsets lie inside."""

from paquebot.mail.finish import Finishing, finish
from paquebot.mail.mime import sample, walk
from paquebot.mail.refusal import ContentRefused

_NOW_MS = 1_790_000_000_000


def target(octets: bytes) -> None:
    """The first octet says whether 8-bit text is encoded and SMTPUTF8 was said; the others are a content."""
    mode, content = (octets[0], octets[1:]) if octets else (0, b"")
    for part in walk(content).parts:
        assert 0 <= part.start <= part.body_start <= part.end <= len(content)
    assert len(sample(content)) <= max(len(content), 262_144)
    finishing = Finishing(_NOW_MS, "id", "a.test", "a@a.test", encode=bool(mode & 1), utf8=bool(mode & 2))
    try:
        finished = finish(content, finishing)
    except ContentRefused:
        return
    assert finished.eight_bit == (not finished.content[len(finished.header_section) :].isascii())
    again = finish(finished.content, finishing)
    assert (again.content, again.body_hash, again.added) == (finished.content, finished.body_hash, ())
