"""Replies as a server writes them (RFC 5321 §4.2, RFC 2034 §4)."""

import re

from paquebot.mail.reply import Reply

REPLY_LINE_MAX = 512  # RFC 5321 §4.5.3.1.5, with code and CRLF
REPLY_LINES_MAX = 50

_UNSAFE = re.compile(r"[^ -~]")


def encode_reply(reply: Reply) -> bytes:
    """Write a reply; the enhanced status stands on each line. What is not printable ASCII becomes `?`."""
    text = reply.text
    head = f"{reply.enhanced} " if reply.enhanced else ""
    if text.isascii() and text.isprintable() and len(text) < REPLY_LINE_MAX - 20:
        return f"{reply.code} {head}{text}\r\n".encode("ascii")
    room = REPLY_LINE_MAX - len(head) - 6
    lines = [_UNSAFE.sub("?", line)[:room] for line in text.split("\n")][:REPLY_LINES_MAX]
    written = [f"{reply.code}-{head}{line}\r\n" for line in lines[:-1]]
    written.append(f"{reply.code} {head}{lines[-1]}\r\n")
    return "".join(written).encode("ascii")
