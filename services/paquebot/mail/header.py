"""The header section as bytes: where it ends, its fields, their text (RFC 5322 §2.2, RFC 2047).

Nothing here raises on garbage; what cannot be read is left out. Addresses are read in
paquebot.mail.address, structured MIME values in paquebot.mail.mime.
"""

import base64
import binascii
import quopri
import re
from dataclasses import dataclass

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:([^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+)(?:\r\n|\Z)", re.MULTILINE)
_VALUE = re.compile(rb"[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+")
_WORD = re.compile(rb"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z0-9-]*)?\?([BbQq])\?([!->@-~]*)\?=")
_BETWEEN_WORDS = re.compile(rb"(?<=\?=)[ \t\r\n]+(?==\?[A-Za-z0-9_.:*-]+\?[BbQq]\?)")
# Codecs that are character sets; others of Python's would waste time or are none (punycode, hex, ...).
_CHARSET = re.compile(
    r"utf-?(8|7|16|32)([-_]?[bl]e)?|(us-)?ascii|(iso[-_]?8859|latin|windows|cp|ibm|mac)[-_a-z0-9]*"
    r"|koi8[-_][rut]|gb(k|2312|18030)|big5([-_]hkscs)?|shift[-_]?jis|sjis|euc[-_](jp|kr)|iso[-_]?2022[-_](jp|kr)[-_0-9]*"
    r"|tis-?620|hz(-gb-2312)?"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `name` is lower case; `raw` is the whole folded field with its last CRLF."""

    name: str
    raw: bytes

    @property
    def value(self) -> bytes:
        """What follows the colon, still folded."""
        return self.raw.partition(b":")[2]

    @property
    def text(self) -> str:
        """The value unfolded and stripped; octets above 127 read as latin-1, encoded words stay."""
        return unfold(self.value).strip().decode("latin-1")


def split(content: bytes) -> tuple[bytes, int]:
    """Return the header section with its last CRLF, and the offset of the body.

    The empty line belongs to neither. Content without one is all header section.
    """
    if content.startswith(b"\r\n"):
        return b"", 2
    end = content.find(b"\r\n\r\n")
    if end < 0:
        return content, len(content)
    return content[: end + 2], end + 4


def fields(section: bytes) -> tuple[Field, ...]:
    """Return the fields of a header section in order; lines that belong to none are left out."""
    return tuple(Field(match[1].decode("ascii").lower(), match[0]) for match in _FIELD.finditer(section))


def value_of(section: bytes, name: bytes) -> bytes | None:
    """Return the value, still folded, of the first field with that (lower-case) name, or None."""
    lowered = section.lower()
    start = 0 if lowered.startswith(name + b":") else lowered.find(b"\r\n%b:" % name) + 2
    if start == 1:
        return None
    match = _VALUE.match(section, start + len(name) + 1)
    return match[0] if match else None


def unfold(value: bytes) -> bytes:
    """Take the line ends out of a folded value (RFC 5322 §2.2.3): the white space after them stays."""
    return value.replace(b"\r\n", b"") if b"\r\n" in value else value


def decode_words(value: bytes) -> str:
    """Return a value as people read it: unfolded, encoded words decoded (RFC 2047), never raising."""
    if b"=?" not in value:
        return decode_text(unfold(value), "utf-8").strip()
    joined = _BETWEEN_WORDS.sub(b"", value)
    pieces: list[str] = []
    end = 0
    for match in _WORD.finditer(joined):
        pieces += decode_text(unfold(joined[end : match.start()]), "utf-8"), _decoded_word(match)
        end = match.end()
    pieces.append(decode_text(unfold(joined[end:]), "utf-8"))
    return "".join(pieces).strip()


def decode_text(octets: bytes, charset: str) -> str:
    """Decode octets by a charset's name, unreadable ones replaced; an unknown charset is read as latin-1."""
    if octets.isascii() and not charset.startswith(("utf-7", "iso-2022", "hz")):
        return octets.decode("ascii")
    try:
        if _CHARSET.fullmatch(charset):
            return octets.decode(charset, "replace")
    except (LookupError, UnicodeError):
        pass
    return octets.decode("latin-1")


def _decoded_word(match: re.Match[bytes]) -> str:
    text = match[3]
    if match[2] in b"Bb":
        try:
            octets = base64.b64decode(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            return match[0].decode("ascii", "replace")
    else:
        octets = quopri.decodestring(text, header=True)
    return decode_text(octets, match[1].decode("ascii").lower())
