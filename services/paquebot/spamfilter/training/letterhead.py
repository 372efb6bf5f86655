"""The header section of a message, as programs and people's mail readers write it.

Which fields stand there and how they look hangs on the kind of author and on chance, never on the label.
"""

import base64
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from paquebot.spamfilter.training import invented
from paquebot.spamfilter.training.scene import Scene
from paquebot.spamfilter.training.sender import Links, Sender

_ENCODED_WORD_BYTES = 39  # so that an encoded word has at most 75 characters (RFC 2047 §2)
_FOLD_AT = 76
_BULK = frozenset({"brand", "shop", "list", "lookalike", "helpdesk", "machine"})
_OFFSETS = (-8, -7, -6, -5, -3, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5.5, 8, 9, 10)
_PROGRAMS = (
    "Quillpost {}.{}", "mailrunner/{}.{}", "LetterKit {}.{} (build {})", "Postwright v{}.{}", "SendGrove {}.{}.{}",
    "PaperPlane Mailer {}.{}", "hermod {}.{}",
)  # fmt: skip
_READERS = (
    "Inkwell Mail {}.{}",
    "Dovecote {}.{}.{}",
    "Swift Reader ({}.{})",
    "Larkmail {}.{}",
    "Penny {}.{}",
    "WebPost {}.{}",
)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Fields in their order, names and values, not folded."""

    fields: tuple[tuple[str, str], ...]

    def section(self, charset: str, rng: random.Random) -> bytes:
        """Return the header section with CRLF, without the empty line."""
        style = rng.choice((base64_words, base64_words, quoted_words))
        return b"".join(_folded(name, value, charset, style) for name, value in self.fields)


def letterhead(kind: str, author: Sender, scene: Scene, subject: str, links: Links) -> Letterhead:
    """Return the fields of a message but for those of MIME. `kind` is the author's as stories name it."""
    rng = scene.rng
    bulk = kind in _BULK
    fields = [
        ("From", _mailbox(author.display, author.address, rng)),
        ("To", _to(scene)),
        ("Subject", subject),
        ("Date", _date(scene.now, rng)),
        ("Message-ID", f"<{_ident(rng, scene.now)}@{_ident_host(author, rng)}>"),
    ]
    if author.reply_to:
        fields.append(("Reply-To", author.reply_to))
    fields += _bulk_fields(kind, author, scene, links) if bulk else _reader_fields(rng)
    if rng.random() < 0.5:  # noqa: PLR2004  (programs differ in their order, most keep From before Subject)
        rng.shuffle(fields)
    return Letterhead(tuple(fields))


def _bulk_fields(kind: str, author: Sender, scene: Scene, links: Links) -> list[tuple[str, str]]:
    rng = scene.rng
    fields: list[tuple[str, str]] = []
    if kind != "machine" and rng.random() < 0.45:  # noqa: PLR2004
        stop = f"<mailto:unsubscribe-{invented.token(rng, 12)}@{author.host}>"
        fields.append(("List-Unsubscribe", rng.choice((f"<{links.second}>", stop, f"{stop}, <{links.second}>"))))
        if rng.random() < 0.6:  # noqa: PLR2004
            fields.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if kind == "list":
        fields.append(("List-Id", f"{scene.fill('brand')} <list.{author.own}>"))
    optional = (
        ("X-Mailer", lambda: _program(rng, _PROGRAMS)),
        ("Feedback-ID", lambda: f"{invented.number(rng, 6)}:{invented.number(rng, 4)}:{invented.token(rng, 8)}"),
        ("X-Campaign", lambda: invented.token(rng, 16, invented.HEXADECIMAL)),
        ("Precedence", lambda: "bulk"),
        ("Auto-Submitted", lambda: "auto-generated"),
        ("X-Priority", lambda: rng.choice(("3", "3", "1", "1 (Highest)"))),
        ("X-Entity-Ref-ID", lambda: invented.token(rng, 24)),
        ("Importance", lambda: rng.choice(("Normal", "High"))),
        ("Sender", lambda: author.address),
    )
    return fields + _some(optional, rng, 0.14)


def _reader_fields(rng: random.Random) -> list[tuple[str, str]]:
    name = rng.choice(("X-Mailer", "User-Agent"))
    optional = (
        (name, lambda: _program(rng, _READERS)),
        (name, lambda: _program(rng, _READERS)),
        ("Thread-Index", lambda: "Ad" + invented.token(rng, 26) + "=="),
        ("Content-Language", lambda: rng.choice(("en-US", "en-GB", "de-DE", "fr"))),
        ("Accept-Language", lambda: rng.choice(("en-US", "en-US, de-DE", "fr-FR, en-US"))),
        ("Importance", lambda: rng.choice(("normal", "high"))),
    )
    return list(dict(_some(optional, rng, 0.3)).items())


def _some(
    optional: tuple[tuple[str, Callable[[], str]], ...], rng: random.Random, chance: float
) -> list[tuple[str, str]]:
    return [(name, value()) for name, value in optional if rng.random() < chance]


def _program(rng: random.Random, names: tuple[str, ...]) -> str:
    return rng.choice(names).format(rng.randint(1, 16), rng.randint(0, 30), rng.randint(100, 20000))


def _to(scene: Scene) -> str:
    rng, address = scene.rng, scene.fill("recipient_address")
    shape = rng.random()
    if shape < 0.6:  # noqa: PLR2004
        return address
    if shape < 0.9:  # noqa: PLR2004
        return _mailbox(scene.fill("recipient_name"), address, rng)
    return rng.choice((f"<{address}>", f'"{address}" <{address}>', "undisclosed-recipients:;"))


def _mailbox(display: str, address: str, rng: random.Random) -> str:
    if not display:
        return rng.choice((address, f"<{address}>"))
    words = display.replace("\\", "").replace('"', "")
    plain = all(letter.isalnum() or letter == " " for letter in words)
    if not words.isascii() or (plain and rng.random() < 0.5):  # noqa: PLR2004
        return f"{words} <{address}>"
    return f'"{words}" <{address}>'


def _date(now: datetime, rng: random.Random) -> str:
    zone = timezone(timedelta(hours=rng.choice(_OFFSETS)))
    written = format_datetime(now.astimezone(zone))
    return written + " (UTC)" if written.endswith("+0000") and rng.random() < 0.3 else written  # noqa: PLR2004


def _ident(rng: random.Random, now: datetime) -> str:
    """Return the left side of a Message-ID."""
    hexadecimal = invented.HEXADECIMAL
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"{now:%Y%m%d%H%M%S}.{invented.token(rng, 12, hexadecimal)}",
        lambda: "-".join(invented.token(rng, length, hexadecimal) for length in (8, 4, 4, 4, 12)),
        lambda: invented.token(rng, rng.randint(20, 44)),
        lambda: f"{int(now.timestamp())}.{rng.randint(1, 99999)}.{rng.randint(1, 10**9)}",
        lambda: "CA" + invented.token(rng, 22) + "=" + invented.token(rng, 24),
        lambda: f"{invented.token(rng, 32, hexadecimal.upper())}.{rng.randint(1, 9)}",
        lambda: f"01{invented.token(rng, 14, hexadecimal)}-{invented.token(rng, 8, hexadecimal)}-000000",
    )
    return rng.choice(shapes)()


def _ident_host(author: Sender, rng: random.Random) -> str:
    other = rng.choice(
        ("localhost.localdomain", f"host{rng.randint(1, 99)}", f"{invented.token(rng, 12, invented.HEXADECIMAL)}.local")
    )
    return rng.choice(
        (author.host, author.host, author.host, f"mail.{author.own}", f"mx{rng.randint(1, 9)}.{author.own}", other)
    )


def fitting(text: str, charset: str) -> str:
    """Return the charset if it has all of the text, else UTF-8."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


Words = Callable[[str, str], list[str]]


def base64_words(text: str, charset: str) -> list[str]:
    """Return a text as encoded words in B (RFC 2047 §4.1), none of which divides a character."""
    return [
        f"=?{charset}?B?{base64.b64encode(piece).decode()}?=" for piece in _pieces(text, charset, _ENCODED_WORD_BYTES)
    ]


def quoted_words(text: str, charset: str) -> list[str]:
    """Return a text as encoded words in Q (RFC 2047 §4.2), none of which divides a character."""
    safe = (string.ascii_letters + string.digits).encode()
    quote: Callable[[bytes], str] = lambda piece: "".join(  # noqa: E731
        chr(octet) if octet in safe else "_" if octet == ord(" ") else f"={octet:02X}" for octet in piece
    )
    return [f"=?{charset}?Q?{quote(piece)}?=" for piece in _pieces(text, charset, _ENCODED_WORD_BYTES // 3)]


def _pieces(text: str, charset: str, bytes_max: int) -> list[bytes]:
    pieces: list[str] = [""]
    for letter in text:
        if pieces[-1] and len((pieces[-1] + letter).encode(charset, "replace")) > bytes_max:
            pieces.append("")
        pieces[-1] += letter
    return [piece.encode(charset, "replace") for piece in pieces]


def _folded(name: str, value: str, charset: str, style: Words) -> bytes:
    """Return a field; what is not ASCII becomes encoded words, the address after them stays as it is.

    A value that the charset has not comes in UTF-8.
    """
    if value.isascii():
        words = value.split(" ")
    else:
        charset = fitting(value, charset)
        text, bracket, address = value.partition(" <") if name in _MAILBOXES else (value, "", "")
        words = style(text.strip('"'), charset) + ([f"<{address}"] if bracket else [])
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > _FOLD_AT and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join((*lines, line)).encode() + b"\r\n"


_MAILBOXES: Mapping[str, None] = dict.fromkeys(("From", "To", "Reply-To", "Sender", "List-Id"))
