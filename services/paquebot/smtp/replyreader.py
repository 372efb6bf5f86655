"""Reading a server's replies (RFC 5321 §4.2): liberal in form, strict in size and sense."""

from paquebot.mail.reply import Reply

REPLY_LINE_MAX = 4_096  # RFC 5321 §4.5.3.1.5 says 512, and some write more
REPLY_LINES_MAX = 128
_FIRST_DIGITS = frozenset(b"2345")
_CODE = 3


class BrokenSession(Exception):  # noqa: N818  (it says what became of the session)
    """The dialogue cannot go on, and the connection must be dropped; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ReplyReader:
    """Makes replies of bytes, however they were cut on their way."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0
        self._code = 0
        self._lines: list[str] = []

    @property
    def unread(self) -> bool:
        """Something has come that no reply was made of yet."""
        return bool(self._bytes or self._lines)

    def append(self, chunk: bytes) -> None:
        """Add what came."""
        self._bytes += chunk

    def clear(self) -> None:
        """Forget everything."""
        self._bytes.clear()
        self._lines.clear()
        self._searched = 0

    def next_reply(self) -> Reply | None:
        """Return the next whole reply, or None. Raises BrokenSession for what is no reply."""
        while (line := self._line()) is not None:
            code, ends, text = _parse(line)
            if self._lines and code // 100 != self._code // 100:
                raise BrokenSession("a reply changed its code from line to line")
            self._code = code
            self._lines.append(text)
            if ends:
                lines, self._lines = self._lines, []
                return Reply.from_lines(code, lines)
            if len(self._lines) >= REPLY_LINES_MAX:
                raise BrokenSession(f"a reply of more than {REPLY_LINES_MAX} lines")
        return None

    def _line(self) -> bytes | None:
        end = self._bytes.find(b"\n", self._searched)
        if (len(self._bytes) if end < 0 else end) > REPLY_LINE_MAX:
            raise BrokenSession(f"a reply line of more than {REPLY_LINE_MAX} octets")
        if end < 0:
            self._searched = len(self._bytes)
            return None
        line = bytes(self._bytes[:end]).rstrip(b"\r")
        del self._bytes[: end + 1]
        self._searched = 0
        return line


def _parse(line: bytes) -> tuple[int, bool, str]:
    """Return code, whether the reply ends here, and printable text. A code alone is a reply too (§4.2.1)."""
    code, mark = line[:_CODE], line[_CODE : _CODE + 1]
    if len(code) < _CODE or not code.isdigit() or code[0] not in _FIRST_DIGITS or mark not in b" -":
        shown = line[:60].decode("ascii", "backslashreplace")
        raise BrokenSession(f"not an SMTP reply: {shown!r}")
    text = line[_CODE + 1 :].decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return int(code), mark != b"-", text
