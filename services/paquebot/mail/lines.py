"""How long the lines of a content are, without taking them apart: lists of short lines are many times their size."""

LINE_MAX_BYTES = 998  # RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1; without CRLF


def has_long_line(content: bytes, line_max: int = LINE_MAX_BYTES) -> bool:
    """Say whether a line is longer than `line_max` octets. Each LF must be that of a CRLF.

    It leaps from one line end to the last that is near enough, so that most octets are never looked at.
    """
    start, reach = 0, line_max + 2
    while len(content) - start > line_max:
        end = content.rfind(b"\n", start, start + reach)
        if end < 0:
            return True
        start = end + 1
    return False
