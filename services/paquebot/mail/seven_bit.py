"""Encoding 8-bit text to 7 bits before it is judged and signed (RFC 6152 §3, RFC 2045 §6).

It serves MXs without 8BITMIME. Only leaves that hold octets above 127 change. Signed parts are
never touched: such content is refused.
"""

import binascii
import re

from paquebot.mail.header import decode_text
from paquebot.mail.mime import DEFAULT_LIMITS, Part, children, read_part
from paquebot.mail.refusal import refuse

_BASE64_LINE_OCTETS = 57  # encoded: 76 characters, RFC 2045 §6.8
_QUOTED_SHARE_MAX = 6  # base64 is shorter when more than one octet in six needs quoting
_ENCODING_FIELD = re.compile(
    rb"^Content-Transfer-Encoding[ \t]*:[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+(?:\r\n|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_ABOVE_127 = bytes(range(128, 256))
_UNREADABLE = bytes.maketrans(_ABOVE_127, b"?" * len(_ABOVE_127))


def encode_seven_bit(section: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Return header section and body with every 8-bit leaf encoded; ContentRefused where forbidden."""
    if b"\r\nmime-version:" not in (b"\r\n" + section).lower():
        section += b"MIME-Version: 1.0\r\n"
    content = b"%b\r\n%b" % (section, body)
    new_section, new_body = _encoded(content, read_part(content, (0, len(content)), 0, "text/plain"))
    return new_section.removesuffix(b"\r\n"), new_body


def _encoded(content: bytes, part: Part) -> tuple[bytes, bytes]:
    """Return the part's header section with its empty line, and its body."""
    section, body = content[part.start : part.body_start], content[part.body_start : part.end]
    if not section.isascii():
        refuse("5.6.7", "A MIME header holds octets above 127: encode them (RFC 2047, RFC 2231)")
    if body.isascii():
        return _relabelled(section) if part.encoding == "8bit" else section, body
    if part.depth >= DEFAULT_LIMITS.depth_max:
        refuse("5.6.3", "8-bit content is nested too deeply to be encoded")
    if part.content_type == "multipart/signed":
        refuse("5.6.3", "8-bit content inside multipart/signed breaks the signature when encoded")
    if part.is_multipart and part.encoding in {"7bit", "8bit", "binary"}:
        return _encoded_multipart(content, part)
    if part.is_message:
        inner = read_part(content, (part.body_start, part.end), part.depth + 1, "text/plain")
        return _relabelled(section), b"".join(_encoded(content, inner))
    if part.content_type.startswith(("multipart/", "message/")):
        refuse("5.6.3", f"8-bit content of type {part.content_type} cannot be encoded")
    return _encoded_leaf(section, body, part)


def _encoded_multipart(content: bytes, part: Part) -> tuple[bytes, bytes]:
    found = children(content, part)
    if not found.spans:
        refuse("5.6.3", "8-bit content of a multipart without parts cannot be encoded")
    if found.cut:
        refuse("5.6.3", f"8-bit content of a multipart with {len(found.spans)} parts or more cannot be encoded")
    default_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    pieces: list[bytes] = []
    done = part.body_start
    for span in found.spans:
        # Delimiters are kept; the preamble means nothing (RFC 2046 §5.1.1), so it only must be ASCII.
        pieces.append(content[done : span[0]].translate(_UNREADABLE))
        pieces += _encoded(content, read_part(content, span, part.depth + 1, default_type))
        done = span[1]
    pieces.append(content[done : part.end].translate(_UNREADABLE))
    return _relabelled(content[part.start : part.body_start]), b"".join(pieces)


def _encoded_leaf(section: bytes, body: bytes, part: Part) -> tuple[bytes, bytes]:
    if part.encoding not in {"7bit", "8bit", "binary"}:
        refuse("5.6.3", f"A part holds octets above 127 although its encoding is {part.encoding}")
    above = len(body) - len(body.translate(None, _ABOVE_127))
    if part.content_type.startswith("text/") and above * _QUOTED_SHARE_MAX <= len(body):
        encoding, encoded = b"quoted-printable", _quoted_printable(body)
    else:
        encoding, encoded = b"base64", _base64(body)
    section = _ENCODING_FIELD.sub(b"", section)
    if not part.parameters and b"content-type:" not in section.lower():
        # Nothing says what the octets mean (RFC 1428 §3): say what they are read as.
        charset = b"utf-8" if _is_utf8(body) else b"unknown-8bit"
        section = _with_field(section, b"Content-Type: text/plain; charset=%b\r\n" % charset)
    return _with_field(section, b"Content-Transfer-Encoding: %b\r\n" % encoding), encoded


def _relabelled(section: bytes) -> bytes:
    """Return a header section whose encoding says 7bit, if it said anything."""
    return _ENCODING_FIELD.sub(b"Content-Transfer-Encoding: 7bit\r\n", section)


def _with_field(section: bytes, field: bytes) -> bytes:
    """Add a field before the empty line that ends the section of a part."""
    return section.removesuffix(b"\r\n") + field + b"\r\n"


def _quoted_printable(body: bytes) -> bytes:
    # The CRLF at the end tells the encoder which line end its soft breaks must have.
    return binascii.b2a_qp(body + b"\r\n", istext=True)[:-2]


def _base64(body: bytes) -> bytes:
    lines = [
        binascii.b2a_base64(body[at : at + _BASE64_LINE_OCTETS], newline=False)
        for at in range(0, len(body), _BASE64_LINE_OCTETS)
    ]
    return b"\r\n".join(lines) + (b"\r\n" if body.endswith(b"\r\n") else b"")


def _is_utf8(body: bytes) -> bool:
    return "\ufffd" not in decode_text(body, "utf-8")
