"""MIME: parts, charsets, transfer encodings, boundaries, in the shapes in which real programs write them."""

import base64
import binascii
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from paquebot.spamfilter.training import enclosure, invented
from paquebot.spamfilter.training.letterhead import base64_words, fitting
from paquebot.spamfilter.training.place import Place

_LINE_BYTES_MAX = 900  # of text that goes as it is; RFC 5322 §2.1.1 allows 998
_FILE_WORDS_MAX = 120  # letters of a file name


@dataclass(frozen=True, slots=True)
class Entity:
    """A body part: its fields, folded and with CRLF, and its encoded content."""

    fields: bytes
    content: bytes

    @property
    def octets(self) -> bytes:
        """The part as it stands between boundaries."""
        return self.fields + b"\r\n" + self.content


def charset_for(text: str, place: Place, rng: random.Random) -> str:
    """Return a charset that a program of the language may choose and that has all of the text."""
    chosen = rng.choice(place.charsets) if rng.random() < 0.2 else rng.choice(("utf-8", "utf-8", "UTF-8"))  # noqa: PLR2004
    return fitting(text, chosen)


def text_part(subtype: str, text: str, charset: str, rng: random.Random) -> Entity:
    """Return a text as a body part, in an encoding that fits it."""
    octets = re.sub(rb"\r?\n", b"\r\n", text.encode(charset, "replace"))
    longest = max(map(len, octets.split(b"\r\n")))
    choices = ["base64", "quoted-printable", "quoted-printable"]
    if longest <= _LINE_BYTES_MAX:
        choices += ["7bit"] * 3 if octets.isascii() else ["8bit"] * 2
    encoding = rng.choice(choices)
    mark = rng.choice(('"{}"', "{}", "{}")).format(charset)
    flowed = rng.choice(("", "", "", "; format=flowed")) if subtype == "plain" else ""
    fields = [f"Content-Type: text/{subtype}; charset={mark}{flowed}"]
    if encoding != "7bit" or rng.randrange(2):
        fields.append(f"Content-Transfer-Encoding: {encoding}")
    return Entity(_lines(fields, rng), _encoded(octets, encoding))


def file_part(name: str, href: str, rng: random.Random) -> Entity:
    """Return an attachment of that file name."""
    shown = name[:_FILE_WORDS_MAX] if name.isascii() else base64_words(name[:30], "utf-8")[0]
    kind = enclosure.content_type(name)
    octets = enclosure.octets(name, rng, href)
    fields = [f'Content-Disposition: attachment; filename="{shown}"']
    fields.insert(
        rng.randrange(2), f'Content-Type: {kind}; name="{shown}"' if rng.randrange(2) else f"Content-Type: {kind}"
    )
    # A message inside may not be base64 (RFC 2046 §5.2.1).
    encoding = "7bit" if kind == "message/rfc822" else "base64"
    return Entity(_lines([*fields, f"Content-Transfer-Encoding: {encoding}"], rng), _encoded(octets, encoding))


def picture_part(octets: bytes, ident: str, rng: random.Random) -> Entity:
    """Return a picture that the page shows by its Content-ID."""
    name = f"{rng.choice(('image', 'qr', 'code', 'img', 'picture'))}{rng.randint(1, 999):03d}.png"
    fields = [
        f'Content-Type: image/png; name="{name}"',
        "Content-Transfer-Encoding: base64",
        f"Content-ID: <{ident}>",
        f'Content-Disposition: inline; filename="{name}"',
    ]
    return Entity(_lines(fields, rng), _encoded(octets, "base64"))


def multipart(subtype: str, parts: list[Entity], rng: random.Random) -> Entity:
    """Return parts as one. A single part stays alone."""
    if len(parts) == 1:
        return parts[0]
    boundary = _boundary(rng)
    joint = rng.choice((" ", "\r\n\t", "\r\n "))
    kind = f'Content-Type: multipart/{subtype};{joint}boundary="{boundary}"\r\n'
    preamble = rng.choice((b"", b"", b"", b"This is a multi-part message in MIME format.\r\n", b"\r\n"))
    mark = f"--{boundary}".encode()
    inner = b"".join(mark + b"\r\n" + part.octets.rstrip(b"\r\n") + b"\r\n\r\n" for part in parts)
    return Entity(kind.encode(), preamble + inner + mark + b"--\r\n")


def _boundary(rng: random.Random) -> str:
    hexadecimal = invented.HEXADECIMAL
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"----=_Part_{rng.randint(1, 99999)}_{rng.randint(1, 10**9)}.{rng.randint(10**12, 10**13)}",
        lambda: f"=_{invented.token(rng, 32, hexadecimal)}",
        lambda: f"000000000000{invented.token(rng, 16, hexadecimal)}",
        lambda: f"b1_{invented.token(rng, rng.choice((32, 43)))}",
        lambda: "----=_NextPart_000_" + "_".join(invented.token(rng, length, hexadecimal.upper()) for length in (4, 8)),
        lambda: f"==============={rng.randint(10**18, 10**19)}==",
        lambda: f"_----------={rng.randint(10**15, 10**16)}",
        lambda: f"--{invented.token(rng, 24)}",
    )
    return rng.choice(shapes)()


def _encoded(octets: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(octets).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        lines = (binascii.b2a_qp(line, istext=True) for line in octets.split(b"\r\n"))
        return b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)
    return octets


def _lines(fields: list[str], rng: random.Random) -> bytes:
    joint = rng.choice(("; ", "; ", ";\r\n ", ";\r\n\t"))
    return "".join(f"{field.replace('; ', joint)}\r\n" for field in fields).encode()
