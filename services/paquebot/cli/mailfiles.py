"""Reads mail from files as people keep it and makes it fit for SMTP: the sender tool's repairs, each named.

Line ends become CRLF; NUL is taken out; text parts with lines over 998 octets, and 8-bit header fields, are
encoded again; From, Date and Message-ID are added when missing. A message may come out refused by the platform
all the same; this is not the place to hide that.
"""

import contextlib
import email
import email.encoders
import email.header
import email.policy
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.generator import BytesGenerator
from email.message import Message
from email.utils import formatdate, make_msgid
from io import BytesIO
from pathlib import Path

LINE_MAX = 998  # octets without CRLF, RFC 5322 §2.1.1
MAIL_SUFFIXES = {".eml", ".msg", ".txt", ""}

_LINE_END = re.compile(rb"\r\n|\r|\n")
_LONG_LINE = re.compile(rb"[^\r\n]{999}")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A message ready for SMTP: where it came from, its content, and what was repaired."""

    origin: str
    content: bytes
    repairs: tuple[str, ...]


def mails(path: Path, default_from: str) -> Iterator[Fixed]:
    """Yield every message of an .eml file, an mbox, a maildir, or a folder of such files."""
    for origin, content in _stored(path):
        yield fix(origin, content, default_from)


def fix(origin: str, content: bytes, default_from: str) -> Fixed:
    """Repair one message; the repairs are named in the result."""
    repairs = []
    if b"\x00" in content:
        content = content.replace(b"\x00", b"")
        repairs.append("NUL taken out")
    if content.startswith(b"From "):  # an mbox separator
        content = content.partition(b"\n")[2]
    content = _LINE_END.sub(b"\r\n", content)
    header = content.partition(b"\r\n\r\n")[0]
    if _LONG_LINE.search(content) or any(octet > 127 for octet in header):  # noqa: PLR2004  (beyond ASCII)
        content = _encoded_again(content)
        repairs.append("encoded again")
    if _has(content, b"bcc"):
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        del message["Bcc"]
        content = _flattened(message)
        repairs.append("Bcc taken out")
    missing = [field for field in _defaults(default_from) if not _has(content, field.partition(b":")[0])]
    if missing:
        content = b"".join(missing) + content
        repairs += [f"{field.partition(b':')[0].decode()} added" for field in missing]
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    return Fixed(origin, content, tuple(repairs))


def _stored(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir() and (path / "cur").is_dir():
        for key, stored in mailbox.Maildir(path, create=False).iteritems():
            yield f"{path}:{key}", stored.as_bytes()
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and (file.suffix in MAIL_SUFFIXES or file.suffix == ".mbox"):
                yield from _stored(file)
    elif path.suffix == ".mbox" or _is_mbox(path):
        with contextlib.closing(mailbox.mbox(path, create=False)) as box:
            for key in box.iterkeys():
                yield f"{path}:{key}", box.get_bytes(key)
    else:
        yield str(path), path.read_bytes()


def _is_mbox(path: Path) -> bool:
    if path.suffix == ".eml":
        return False
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _has(content: bytes, name: bytes) -> bool:
    header = b"\r\n" + content.partition(b"\r\n\r\n")[0]
    return b"\r\n" + name.lower() + b":" in header.lower()


def _defaults(default_from: str) -> tuple[bytes, ...]:
    domain = default_from.rpartition("@")[2] or "localhost"
    return (
        f"From: {default_from}\r\n".encode(),
        f"Date: {formatdate(usegmt=True)}\r\n".encode(),
        f"Message-ID: {make_msgid(domain=domain)}\r\n".encode(),
    )


def _encoded_again(content: bytes) -> bytes:
    """Encode text parts with long lines as base64 and 8-bit header fields as RFC 2047 words."""
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    for part in message.walk():
        if not part.is_multipart() and _too_long(part):
            _to_base64(part)
    _encode_fields(message)
    return _flattened(message)


def _flattened(message: Message) -> bytes:
    out = BytesIO()
    policy = email.policy.compat32.clone(linesep="\r\n", max_line_length=78)
    BytesGenerator(out, mangle_from_=False, policy=policy).flatten(message)
    return _LINE_END.sub(b"\r\n", out.getvalue())


def _too_long(part: Message) -> bool:
    payload = part.get_payload(decode=False)
    if not isinstance(payload, str):
        return False
    return any(len(line.encode("utf-8", "surrogateescape")) > LINE_MAX for line in payload.splitlines())


def _to_base64(part: Message) -> None:
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)  # noqa: S101  (not multipart)
    del part["Content-Transfer-Encoding"]
    part.set_payload(octets)
    email.encoders.encode_base64(part)


def _encode_fields(message: Message) -> None:
    fields = list(message.raw_items())
    for name, _value in fields:
        del message[name]
    for name, value in fields:
        text = str(value)
        try:
            text.encode("ascii")
        except UnicodeEncodeError:
            octets = text.encode("ascii", "surrogateescape")
            header = email.header.Header(octets.decode("utf-8", "replace"), "utf-8", header_name=name)
            message[name] = header.encode()
        else:
            message[name] = text
