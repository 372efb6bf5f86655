"""Attachments by the extension of their names: octets that readers take for what they say, and that do nothing."""

import base64
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from paquebot.spamfilter.training import invented

_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "html": "text/html",
    "htm": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "zip": "application/zip",
    "ics": "text/calendar",
    "png": "image/png",
    "jpg": "image/jpeg",
    "svg": "image/svg+xml",
    "eml": "message/rfc822",
    "txt": "text/plain",
    "csv": "text/csv",
    "xml": "application/xml",
}
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)
_CODE_MODULES = 29
_CODE_SCALE = 6


def content_type(name: str) -> str:
    """Return the media type of a file name, octets for one that is not known."""
    return _TYPES.get(_extension(name), "application/octet-stream")


def octets(name: str, rng: random.Random, href: str) -> bytes:
    """Return the content of an attachment of that name; a page or a drawing links to `href`."""
    make = _MADE.get(_extension(name))
    return rng.randbytes(rng.randint(400, 4000)) if make is None else make(rng, href, name)


def code_picture(rng: random.Random) -> bytes:
    """Return a PNG that looks like a code to scan and is none: three corner marks, and modules by chance."""
    modules = [[rng.randrange(2) for _ in range(_CODE_MODULES)] for _ in range(_CODE_MODULES)]
    for top, left in ((0, 0), (0, _CODE_MODULES - 7), (_CODE_MODULES - 7, 0)):
        for y in range(7):
            for x in range(7):
                modules[top + y][left + x] = int(max(abs(y - 3), abs(x - 3)) != 2)  # noqa: PLR2004  (the white ring)
    rows = [b"".join((b"\0" if module else b"\xff") * _CODE_SCALE for module in row) for row in modules]
    return _png([row for row in rows for _ in range(_CODE_SCALE)])


def _extension(name: str) -> str:
    return name.lower().rpartition(".")[2]


def _png(rows: list[bytes]) -> bytes:
    """Return grey rows of one octet a pixel as PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _pdf(rng: random.Random, href: str, name: str) -> bytes:
    lines = b"BT /F1 12 Tf 72 720 Td (%s) Tj ET" % name.encode("ascii", "replace").translate(None, b"()\\")
    stream = zlib.compress(lines + rng.randbytes(rng.randint(300, 3000)))
    link = (
        b"/Annots [<< /Type /Annot /Subtype /Link /Rect [72 700 300 730] /A << /S /URI /URI (%s) >> >>]" % href.encode()
    )
    return b"\n".join(
        (
            b"%PDF-1.4",
            b"1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
            b"2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj",
            b"3 0 obj << /Type /Page /Parent 2 0 R /Contents 4 0 R %s >> endobj" % (link if rng.randrange(2) else b""),
            b"4 0 obj << /Length %d /Filter /FlateDecode >> stream\n%s\nendstream endobj" % (len(stream), stream),
            b"trailer << /Root 1 0 R >>\n%%EOF\n",
        )
    )


def _page(rng: random.Random, href: str, name: str) -> bytes:
    texts = (
        '<html><body><h2>{name}</h2><p><a href="{href}">{name}</a></p></body></html>',
        "<!DOCTYPE html><html><head><title>{name}</title></head><body><table><tr><td>{name}</td></tr></table></html>",
        '<html><head><title>{name}</title></head><body><img src="{href}"><p>{name}</p></body></html>',
    )
    return rng.choice(texts).format(name=name.rpartition(".")[0], href=href).encode()


def _archive(members: tuple[str, ...]) -> Callable[[random.Random, str, str], bytes]:
    def make(rng: random.Random, _href: str, name: str) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in members or (f"{name.rpartition('.')[0]}.pdf",):
                content = f"<x>{invented.token(rng, rng.randint(60, 600))}</x>"
                archive.writestr(zipfile.ZipInfo(member, _ZIP_DATE), content)
        return file.getvalue()

    return make


def _calendar(rng: random.Random, href: str, name: str) -> bytes:
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT", f"UID:{invented.token(rng, 20)}",
        f"SUMMARY:{name.rpartition('.')[0]}", f"URL:{href}", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def _drawing(_rng: random.Random, href: str, name: str) -> bytes:
    inner = f'<a href="{href}"><text y="40">{name}</text></a>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80">{inner}</svg>'
    return text.replace("&", "&amp;").encode()


def _letter(rng: random.Random, href: str, name: str) -> bytes:
    subject = base64.b64encode(name.rpartition(".")[0].encode()).decode()
    lines = (f"Subject: =?utf-8?B?{subject}?=", f"Message-ID: <{invented.token(rng, 16)}@mail.example>", "", href, "")
    return "\r\n".join(lines).encode()


def _lines(rng: random.Random, _href: str, name: str) -> bytes:
    return "\r\n".join(
        (name, *(f"{n};{rng.randint(1, 9999)};{invented.token(rng, 6)}" for n in range(rng.randint(3, 30))))
    ).encode()


_MADE: Mapping[str, Callable[[random.Random, str, str], bytes]] = {
    "pdf": _pdf,
    "html": _page,
    "htm": _page,
    "xlsx": _archive(("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml")),
    "docx": _archive(("[Content_Types].xml", "word/document.xml")),
    "zip": _archive(()),
    "ics": _calendar,
    "png": lambda rng, _href, _name: _png([rng.randbytes(64) for _ in range(48)]),
    "jpg": lambda rng, _href, _name: (
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01" + rng.randbytes(rng.randint(900, 6000)) + b"\xff\xd9"
    ),
    "svg": _drawing,
    "eml": _letter,
    "txt": _lines,
    "csv": _lines,
    "xml": _lines,
}
