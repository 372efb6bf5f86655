"""Bytes that came and are not read yet: bounded, and no octet is searched twice.

Searching CRLF.CRLF from the start at each chunk is quadratic; remembering how far we looked is not.
"""

LINE_KEPT_MAX = 12_300  # longer than any command may be: of more, only the length matters
LINE_FLOOD_MAX = 65_536  # nobody who speaks SMTP sends a line like that
_END = b"\r\n.\r\n"


class Flooded(Exception):  # noqa: N818  (what the peer does, not a fault of ours)
    """More octets than anyone may send without ending a line, or a content."""


class ReceiveBuffer:
    """Gives lines or a content, however the bytes were cut on their way."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._bytes)

    def append(self, chunk: bytes) -> None:
        """Add what came."""
        self._bytes += chunk

    def clear(self) -> None:
        """Forget everything."""
        self._bytes.clear()
        self._searched = self._dropped = 0

    def first_octet(self) -> int | None:
        """Return the octet that will be read next."""
        return self._bytes[0] if self._bytes else None

    def line(self) -> bytes | None:
        """Return the next line with its LF, or None if it is not whole yet. Raises Flooded.

        Of a line that is longer than any may be, the LF is missing and only the beginning is kept.
        """
        octets = self._bytes
        end = octets.find(b"\n", self._searched) + 1
        length = self._dropped + (end or len(octets))
        if length > LINE_FLOOD_MAX:
            raise Flooded
        if end:
            line = bytes(octets[:end] if length <= LINE_KEPT_MAX else octets[:LINE_KEPT_MAX])
            del octets[:end]
            self._searched = self._dropped = 0
            return line
        if len(octets) > LINE_KEPT_MAX:
            self._dropped += len(octets) - LINE_KEPT_MAX
            del octets[LINE_KEPT_MAX:]
        self._searched = len(octets)
        return None

    def take(self, most: int) -> bytes:
        """Return what has come, at most so many octets; they are not looked at."""
        taken = bytes(self._bytes[:most])
        del self._bytes[:most]
        self._searched = 0
        return taken

    def begin_content(self) -> None:
        """Make the CRLF that ended DATA count for an end of content that comes at once (RFC 5321 §4.1.1.4)."""
        self._bytes[0:0] = b"\r\n"
        self._searched = self._dropped = 0

    def content(self, kept_max: int, flood_max: int) -> bytes | None:
        """Return content, still dot-stuffed, once CRLF.CRLF has come. Raises Flooded.

        Nothing but CRLF.CRLF ends it. Content larger than `kept_max` octets comes back as `kept_max + 1`
        octets of no meaning.
        """
        octets = self._bytes
        found = octets.find(_END, self._searched)
        if self._dropped + (len(octets) if found < 0 else found + len(_END)) > flood_max:
            raise Flooded
        if found < 0:
            self._forget_too_much(kept_max)
            return None
        content = bytes(kept_max + 1) if self._dropped else bytes(memoryview(octets)[2 : found + 2])
        del octets[: found + len(_END)]
        self._searched = self._dropped = 0
        return content

    def _forget_too_much(self, kept_max: int) -> None:
        """Keep the octets that may be the beginning of an end, and all while they may be wanted."""
        octets = self._bytes
        tail = len(_END) - 1
        if len(octets) > kept_max + 2 * len(_END):
            self._dropped += len(octets) - tail
            del octets[:-tail]
        self._searched = max(0, len(octets) - tail)
