"""The MIME structure of content: its parts as spans of bytes, within limits (RFC 2045, RFC 2046).

Nothing is copied and nothing raises: parts are offsets into the content, faults are sentences.
A delimiter line is `--boundary`, white space, CRLF; a longer line is none (RFC 2046 §5.1.1).
"""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from paquebot.mail.mime_value import NO_PARAMETERS, parameter, structured

SAMPLE_FROM_BYTES = 1_048_576  # larger content is sampled for the verdict
SAMPLE_MAX_BYTES = 262_144
_LEAF_MIN_BYTES = 1_024  # of each leaf in a sample
BOUNDARY_MAX_BYTES = 70  # RFC 2046 §5.1.1; longer ones are read and reported
_HEADER_MAX_BYTES = 65_536  # of a part; what follows is not read
LOOKALIKES_MAX = 2_000  # lines of a multipart that begin as its delimiter and are none

_CONTENT_FIELD = re.compile(
    rb"^content-(type|transfer-encoding|disposition)[ \t]*+:([^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+)",
    re.MULTILINE | re.IGNORECASE,
)
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64)
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*+(?:\r\n|\Z)")


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """How far the walk goes; what lies beyond is not looked at and reported as a fault."""

    depth_max: int = 20
    parts_max: int = 500
    searched_max_bytes: int = 268_435_456  # for delimiters, each level of nesting anew


DEFAULT_LIMITS = MimeLimits()


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part: its header section is content[start:body_start], its body content[body_start:end].

    `content_type` and `encoding` are lower case, with their defaults filled in (RFC 2045 §5.2, §6.1).
    """

    depth: int
    start: int
    body_start: int
    end: int
    content_type: str
    parameters: Mapping[str, bytes]
    encoding: str
    disposition: str
    disposition_parameters: Mapping[str, bytes]

    @property
    def is_multipart(self) -> bool:
        """True for every multipart/*."""
        return self.content_type.startswith("multipart/")

    @property
    def is_message(self) -> bool:
        """True for message/rfc822 that can be entered: with an encoding it is opaque (RFC 2046 §5.2.1)."""
        return self.content_type == "message/rfc822" and self.encoding in _IDENTITY

    @property
    def filename(self) -> str:
        """The name to save the part under, "" when it has none."""
        return parameter(self.disposition_parameters, "filename") or parameter(self.parameters, "name")


@dataclass(frozen=True, slots=True)
class Walk:
    """All parts, parents before children, in the order of the content, and what was wrong with them."""

    parts: tuple[Part, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Children:
    """The spans of a multipart's parts, header section included; whether it was closed, or is cut off by a limit."""

    spans: tuple[tuple[int, int], ...]
    closed: bool
    cut: bool = False


_IDENTITY = frozenset({"7bit", "8bit", "binary"})
_ENCODINGS = _IDENTITY | {"base64", "quoted-printable"}


def walk(content: bytes, limits: MimeLimits = DEFAULT_LIMITS) -> Walk:
    """Return the parts of content, the message itself first.

    No part is read that would not be returned: the cost has a bound whatever the content is made of.
    """
    parts: list[Part] = []
    faults: list[str] = []
    waiting = [read_part(content, (0, len(content)), 0, "text/plain")]
    searched_bytes = 0
    while waiting:
        part = waiting.pop()
        parts.append(part)
        _note_faults(part, faults)
        if not (part.is_multipart or part.is_message):
            continue
        searched_bytes += part.end - part.body_start
        if part.depth >= limits.depth_max or searched_bytes > limits.searched_max_bytes:
            faults.append(f"MIME parts are nested deeper than {min(part.depth, limits.depth_max)}.")
            continue
        room = limits.parts_max - len(parts) - len(waiting)
        entered = _entered(content, part, room, faults)
        if len(entered) > room:
            faults.append(f"There are more than {limits.parts_max} MIME parts.")
        waiting += reversed(entered[:room])
    return Walk(tuple(parts), tuple(dict.fromkeys(faults)))


def read_part(content: bytes, span: tuple[int, int], depth: int, default_type: str) -> Part:
    """Read the header section of the part in that span."""
    start, end = span
    body_start = _body_start(content, start, end)
    content_type, encoding, disposition = default_type, "7bit", ""
    parameters = its_parameters = NO_PARAMETERS
    for name, value in _CONTENT_FIELD.findall(content, start, min(body_start, start + _HEADER_MAX_BYTES)):
        token, found = structured(value)
        kind = name.lower()
        if kind == b"type" and "/" in token:  # RFC 2045 §5.2: what cannot be read is plain text
            content_type, parameters = token, found
        elif kind == b"transfer-encoding":
            encoding = token or encoding
        elif kind == b"disposition":
            disposition, its_parameters = token, found
    return Part(depth, start, body_start, end, content_type, parameters, encoding, disposition, its_parameters)


def children(content: bytes, part: Part, spans_max: int = DEFAULT_LIMITS.parts_max) -> Children:
    """Return the parts that the boundary of a multipart delimits; none when it names no boundary.

    After `spans_max` parts, or LOOKALIKES_MAX lines that only begin as a delimiter, it stops and says that it is cut.
    """
    boundary = part.parameters.get("boundary", b"")
    line = b"\r\n--" + boundary  # a body always follows a CRLF
    spans: list[tuple[int, int]] = []
    begin, lookalikes = -1, 0
    position = max(0, part.body_start - 2)
    while boundary and (at := content.find(line, position, part.end)) >= 0:
        position = at + len(line)
        after = _AFTER_BOUNDARY.match(content, position, part.end)
        if after is None:
            lookalikes += 1
        elif begin >= 0:  # the CRLF before a delimiter belongs to it
            spans.append((begin, max(begin, at)))
        if len(spans) >= spans_max or lookalikes > LOOKALIKES_MAX:
            return Children(tuple(spans), closed=False, cut=True)
        if after is None:
            continue
        if after[1]:
            return Children(tuple(spans), closed=True)
        begin, position = after.end(), after.end() - 2  # its CRLF may be that of the next one
    if begin >= 0:
        spans.append((begin, part.end))
    return Children(tuple(spans), closed=False)


def head(content: bytes, part: Part, max_bytes: int) -> bytes:
    """Return the first octets of a part's body, decoded: at most `max_bytes`."""
    if part.encoding == "base64":
        encoded_max = max_bytes * 3 // 2 + 8  # with the line ends
        return _base64_head(content[part.body_start : min(part.end, part.body_start + encoded_max)])[:max_bytes]
    octets = content[part.body_start : min(part.end, part.body_start + max_bytes)]
    if part.encoding == "quoted-printable":
        return binascii.a2b_qp(octets)
    return octets


def sample(content: bytes, max_bytes: int = SAMPLE_MAX_BYTES) -> bytes:
    """Return content cut down to about `max_bytes`: all headers and delimiters, of each leaf the head.

    It has the same structure as the content; leaves are cut at a line end, so that they still decode.
    """
    leaves = [part for part in walk(content).parts if not (part.is_multipart or part.is_message)]
    inside = sum(part.end - part.body_start for part in leaves)
    share = max(_LEAF_MIN_BYTES, (max_bytes - (len(content) - inside)) // max(1, len(leaves)))
    pieces: list[bytes] = []
    done = 0
    for part in leaves:
        keep = part.end
        if part.end - part.body_start > share:
            line_end = content.rfind(b"\r\n", part.body_start, part.body_start + share)
            keep = part.body_start if line_end < 0 else line_end
        pieces.append(content[done:keep])
        done = part.end
    pieces.append(content[done : done + max_bytes])
    return b"".join(pieces)[:max_bytes]


def _entered(content: bytes, part: Part, room: int, faults: list[str]) -> list[Part]:
    """Return the children of a multipart or the message inside message/rfc822; at most one more than there is room."""
    if part.is_message:
        return [read_part(content, (part.body_start, part.end), part.depth + 1, "text/plain")]
    found = children(content, part, room + 1)
    if not found.spans:
        faults.append("A multipart has no part.")
    elif not found.closed and not found.cut:
        faults.append("A multipart is not closed.")
    if found.cut and len(found.spans) <= room:
        faults.append("Too many lines of a multipart look like its delimiter.")
    # RFC 2046 §5.1.5: the parts of a digest are messages unless they say otherwise.
    default_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    return [read_part(content, span, part.depth + 1, default_type) for span in found.spans]


def _note_faults(part: Part, faults: list[str]) -> None:
    if part.encoding not in _ENCODINGS:
        faults.append("A Content-Transfer-Encoding is unknown.")
    elif part.is_multipart:
        if part.encoding not in _IDENTITY:
            faults.append("A multipart has an encoding of its own.")  # RFC 2045 §6.4
        if len(part.parameters.get("boundary", b"")) > BOUNDARY_MAX_BYTES:
            faults.append("A boundary is too long.")


def _body_start(content: bytes, start: int, end: int) -> int:
    """Return where the body begins: after the first empty line, at the end when there is none."""
    if content.startswith(b"\r\n", start, end):
        return start + 2
    empty_line = content.find(b"\r\n\r\n", start, end)
    return end if empty_line < 0 else empty_line + 4


def _base64_head(octets: bytes) -> bytes:
    """Decode as mail readers do: what is outside the alphabet is passed over (RFC 2045 §6.8), `=` ends it."""
    letters = octets.translate(None, _NOT_BASE64).partition(b"=")[0]
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
