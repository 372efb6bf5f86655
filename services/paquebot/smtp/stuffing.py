"""Content on its way through DATA: dot-stuffing (RFC 5321 §4.5.2) and what may not stand in it."""

from paquebot.mail.lines import LINE_MAX_BYTES, has_long_line
from paquebot.mail.reply import Reply

_NUL = Reply(554, "5.6.0", "The content holds a NUL octet")
_BARE_CR = Reply(554, "5.6.0", "The content holds a bare CR: lines end with CRLF (RFC 5321 section 2.3.8)")
_BARE_LF = Reply(554, "5.6.0", "The content holds a bare LF: lines end with CRLF (RFC 5321 section 2.3.8)")
_LONG = Reply(554, "5.6.0", f"A line of the content is longer than {LINE_MAX_BYTES} octets (RFC 5322 section 2.1.1)")


def stuff(content: bytes) -> bytes:
    """Double each dot at the start of a line, and end the last line with CRLF."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return content


def unstuff(stuffed: bytes) -> bytes:
    """Take exactly one dot from the start of each line that has one."""
    if b"\r\n." in stuffed:
        stuffed = stuffed.replace(b"\r\n.", b"\r\n")
    return stuffed.removeprefix(b".")


def content_fault(content: bytes) -> Reply | None:
    """Return the refusal of content that is not lines of at most 998 octets ended by CRLF, or None.

    Bare CR and LF are what SMTP smuggling is made of: another server might see an end where we see none.
    """
    if b"\0" in content:
        return _NUL
    ends = content.count(b"\r\n")
    if content.count(b"\r") != ends:
        return _BARE_CR
    if content.count(b"\n") != ends:
        return _BARE_LF
    return _LONG if has_long_line(content) else None
