"""How a host words its replies: the session's octets in, other octets out. Pure.

The session of `smtp.server` speaks as a good server does; here keywords of EHLO are left out, replies are spread over
lines, or written in rare ways that RFC 5321 §4.2 allows all the same.
"""

from collections.abc import Iterator

from paquebot.mail.reply import Reply
from paquebot.sandbox.manner import Wording
from paquebot.smtp.replyreader import ReplyReader

_CHATTER = ("Thank you for calling.", "All our lines are busy with mail.")
_LONG = "and much could be said about it " * 12  # a line of nearly 512 octets is allowed, RFC 5321 §4.5.3.1.5


class Voice:
    """The wording of one host's replies on one connection."""

    def __init__(self, hostname: str, wording: Wording, without: frozenset[str]) -> None:
        self._hostname = hostname
        self._wording = wording
        self._without = without
        self._reader = ReplyReader()

    def replies(self, octets: bytes) -> Iterator[Reply]:
        """Read what a session says."""
        self._reader.append(octets)
        while (reply := self._reader.next_reply()) is not None:
            yield reply

    def is_hello(self, reply: Reply) -> bool:
        """Say whether it answers an EHLO that was taken: its first line is our name, others follow."""
        return reply.code == 250 and reply.text.startswith(f"{self._hostname}\n")  # noqa: PLR2004

    def words(self, reply: Reply) -> bytes:
        """Write a reply."""
        if self.is_hello(reply):
            return _written(str(reply.code), self._keywords(reply.text.split("\n")))
        lines = [f"{reply.enhanced} {line}".strip() for line in reply.text.split("\n")]
        if reply.code == 220 and "ESMTP" in reply.text:  # noqa: PLR2004  (the greeting names us first)
            lines = lines if self._wording is Wording.PLAIN else [*lines, *_CHATTER]
        elif self._wording is Wording.MULTILINE:
            lines = [*(f"{reply.enhanced} {each}".strip() for each in _CHATTER), *lines]
        elif self._wording is Wording.ODD:
            return _odd(reply, lines)
        return _written(str(reply.code), lines)

    def _keywords(self, lines: list[str]) -> list[str]:
        kept = [lines[0], *(line for line in lines[1:] if line.partition(" ")[0].upper() not in self._without)]
        if self._wording is Wording.ODD:
            return [f"{kept[0]} at your service, {_LONG}", *(line.lower() for line in kept[1:]), "XYZZY 1 2=3", "X-"]
        return kept


def _odd(reply: Reply, lines: list[str]) -> bytes:
    """Write a code that no RFC lists, its first digit as it was; without any text where the answer is yes."""
    if reply.code == 250:  # noqa: PLR2004
        return b"259\r\n"
    return _written(str(reply.code), [f"{line} {_LONG}" for line in lines])


def _written(code: str, lines: list[str]) -> bytes:
    marked = [f"{code}-{line}" for line in lines[:-1]] + [f"{code} {lines[-1]}"]
    return "".join(f"{line}\r\n" for line in marked).encode()
