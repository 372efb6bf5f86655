"""Finishing content, once, before it is judged, hashed and signed (RFC 6409 §8): after this it never changes.

Missing Date, Message-ID and From are added, Bcc and our own fields are taken out, 8-bit text is encoded if policy
says so. What would be read differently by different readers is refused, each fault with its own reply.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from paquebot.mail.address import addresses
from paquebot.mail.bodyhash import relaxed_body_hash
from paquebot.mail.handling import AS_USUAL, Handling, take_out
from paquebot.mail.header import split, value_of
from paquebot.mail.lines import LINE_MAX_BYTES, has_long_line
from paquebot.mail.refusal import refuse
from paquebot.mail.seven_bit import encode_seven_bit

HEADER_MAX_BYTES = 262_144
ORIGINATOR_MAX_BYTES = 16_384  # of From and of Sender: cutting them into tokens is the dearest reading there is
RECEIVED_MAX = 100  # RFC 5321 §6.3

# RFC 5322 §3.6: at most one of each. (Bcc is taken out, however often it stands there.)
ONCE = frozenset(
    {
        b"date",
        b"from",
        b"sender",
        b"reply-to",
        b"to",
        b"cc",
        b"message-id",
        b"in-reply-to",
        b"references",
        b"subject",
    }
)
_SECTION = re.compile(rb"(?:[!-9;-~]++:[^\r\n]*+\r\n(?:[ \t][^\r\n]*+\r\n)*+)*+")
_NAME = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)
_BCC = re.compile(rb"^(?:Resent-)?Bcc:[^\r\n]*+\r\n(?:[ \t][^\r\n]*+\r\n)*+", re.MULTILINE | re.IGNORECASE)
_BCC_NAMES = frozenset({b"bcc", b"resent-bcc"})


@dataclass(frozen=True, slots=True)
class Finishing:
    """What finishing needs: `id` and `domain` make an added Message-ID, `default_from` an added From."""

    now_ms: int
    id: str
    domain: str
    default_from: str  # the reverse-path; "" if null: a missing From is refused then
    encode: bool = False  # policy `eightBit: Encode`
    utf8: bool = False  # SMTPUTF8 was said: header fields may be UTF-8 (RFC 6532)


@dataclass(frozen=True, slots=True)
class Finished:
    """Content that never changes again, and what reading it told."""

    content: bytes
    header_section: bytes  # with its last CRLF, without the empty line
    body_hash: bytes  # SHA-256 of the relaxed canonical body
    eight_bit: bool  # the body holds octets above 127
    authors: tuple[str, ...]  # addresses of From
    sender: str  # address of Sender, "" when there is none
    added: tuple[str, ...]  # names of the fields that were missing
    handling: Handling = AS_USUAL


def finish(content: bytes, finishing: Finishing) -> Finished:
    """Return the finished content; raises ContentRefused with the reply that says why not."""
    _check_lines(content)
    section, body_start = split(content)
    names = _checked_names(section, utf8=finishing.utf8)
    body = _ended(content[body_start:])
    section = _ended(section)
    changed = len(section) + 2 + len(body) != len(content)
    if not _BCC_NAMES.isdisjoint(names):
        section, changed = _BCC.sub(b"", section), True
    said, handling = take_out(section, names)
    if said is not section:
        section, changed = said, True
    missing = _missing(names, finishing)
    if missing:
        section, changed = section + b"".join(missing), True
    authors, sender = _originators(section, names)
    eight_bit = not body.isascii()
    if eight_bit and finishing.encode and section.isascii():  # hosts with SMTPUTF8 have 8BITMIME (RFC 6531 §3.1)
        section, body = encode_seven_bit(section, body)
        eight_bit, changed = False, True
    if changed:
        content = b"%b\r\n%b" % (section, body)
    return Finished(
        content=content,
        header_section=section,
        body_hash=relaxed_body_hash(body),
        eight_bit=eight_bit,
        authors=authors,
        sender=sender,
        added=tuple(field.partition(b":")[0].decode() for field in missing),
        handling=handling,
    )


def _check_lines(content: bytes) -> None:
    """Refuse what is not lines of at most 998 octets ended by CRLF (RFC 5321 §2.3.8, RFC 5322 §2.1.1)."""
    if not content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n"):
        refuse("5.6.0", "Content holds a CR or LF that is not part of CRLF")
    if b"\0" in content:
        refuse("5.6.0", "Content holds a NUL octet")
    if has_long_line(content):
        refuse("5.6.0", f"A line is longer than {LINE_MAX_BYTES} octets")


def _checked_names(section: bytes, *, utf8: bool) -> list[bytes]:
    """Return the lower-case names of all fields, having refused what RFC 5322 does not allow."""
    if len(section) > HEADER_MAX_BYTES:
        refuse("5.6.0", f"The header section is larger than {HEADER_MAX_BYTES // 1024} KiB")
    if not section.isascii() and not (utf8 and _is_utf8(section)):
        cure = "they are not UTF-8" if utf8 else "encode them (RFC 2047), or say SMTPUTF8 (RFC 6531)"
        refuse("5.6.7", f"The header section holds octets above 127: {cure}")
    if not _SECTION.fullmatch(_ended(section)):
        refuse("5.6.0", f"Line {_malformed_line(section)} of the header section is no header field")
    names = _NAME.findall(section.lower())
    if len(set(names)) != len(names):
        _check_repeated(names)
    return names


def _check_repeated(names: list[bytes]) -> None:
    if names.count(b"received") > RECEIVED_MAX:
        refuse("5.4.6", f"More than {RECEIVED_MAX} Received fields: the message runs in a loop")
    seen: set[bytes] = set()
    for name in names:
        if name in seen and name in ONCE:
            title = name.decode().title().replace("Message-Id", "Message-ID")
            refuse("5.6.0", f"{title} is there more than once, RFC 5322 section 3.6 allows one")
        seen.add(name)


def _malformed_line(section: bytes) -> int:
    """Return the number of the first line, from 1, that is neither field nor continuation."""
    match = _SECTION.match(_ended(section))
    good = match.end() if match else 0
    return section.count(b"\r\n", 0, good) + 1


def _missing(names: list[bytes], finishing: Finishing) -> list[bytes]:
    fields: list[bytes] = []
    if b"date" not in names:
        now = datetime.fromtimestamp(finishing.now_ms // 1000, UTC)
        fields.append(b"Date: %b\r\n" % format_datetime(now).encode())
    if b"from" not in names:
        fields.append(b"From: <%b>\r\n" % _default_from(finishing.default_from))
    if b"message-id" not in names:
        fields.append(b"Message-ID: <%b@%b>\r\n" % (finishing.id.encode(), finishing.domain.encode()))
    return fields


def _default_from(reverse_path: str) -> bytes:
    """Return the reverse-path as the author; it is read again because not every client speaks SMTP to us."""
    if not reverse_path:
        refuse("5.6.0", "From is missing, and the reverse-path is null")
    read = addresses(b"<%b>" % reverse_path.encode())
    if read.faults or len(read.mailboxes) != 1:
        refuse("5.1.7", "From is missing, and the reverse-path is no mailbox")
    return read.mailboxes[0].address.encode()


def _originators(section: bytes, names: list[bytes]) -> tuple[tuple[str, ...], str]:
    """Return the addresses of From and the one of Sender; From must name a mailbox, and only one way."""
    authors = addresses(_originator(section, b"from"))
    if authors.faults:
        refuse("5.6.0", f"From cannot be read: {authors.faults[0]}")
    if not authors.mailboxes:
        refuse("5.6.0", "From names no mailbox")
    if any(mailbox.group for mailbox in authors.mailboxes):
        # RFC 6854 allows groups; DMARC has no author to look at then.
        refuse("5.6.0", "From must name mailboxes, not a group")
    if b"sender" not in names:
        if len(authors.mailboxes) > 1:
            refuse("5.6.0", "From names several mailboxes: Sender must say which of them sends (RFC 5322 3.6.2)")
        return (authors.mailboxes[0].address,), ""
    sender = addresses(_originator(section, b"sender"))
    if sender.faults or len(sender.mailboxes) != 1 or sender.mailboxes[0].group:
        refuse("5.6.0", "Sender must name one mailbox")
    return tuple(mailbox.address for mailbox in authors.mailboxes), sender.mailboxes[0].address


def _originator(section: bytes, name: bytes) -> bytes:
    value = value_of(section, name) or b""
    if len(value) > ORIGINATOR_MAX_BYTES:
        refuse("5.6.0", f"{name.decode().title()} is larger than {ORIGINATOR_MAX_BYTES // 1024} KiB")
    return value


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _ended(lines: bytes) -> bytes:
    """Return lines that all end with CRLF: only content handed over by gRPC may lack the last one."""
    return lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n"
