"""What an attachment is by its octets, whatever its name says: program, script, macros, archive."""

import re
from dataclasses import dataclass
from enum import StrEnum

from paquebot.mail.mime import Part, head
from paquebot.spamfilter.names import DOCUMENT_EXTENSIONS, RUNNABLE_EXTENSIONS

MAGIC_MAX_BYTES = 8
_LOOK_MAX_BYTES = 1_048_576  # content over 1 MiB comes sampled
_PE_HEAD_BYTES = 4096
_NAMES_MAX = 2_000  # of an archive

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_ZIP_ENTRY = re.compile(rb"PK\x01\x02.{4}(..).{18}(..).{16}", re.DOTALL)  # APPNOTE 4.3.12: flags, name length
_ZIP_LOCAL = re.compile(rb"PK\x03\x04..(..).{18}(..)..", re.DOTALL)  # APPNOTE 4.3.7
_MACROS_OLE = (b"_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0", b"V\0B\0A\0")
_ENCRYPTED_FLAG = 1

_RIGHT_TO_LEFT = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


class Kind(StrEnum):
    """What the octets of an attachment are, as far as it matters here."""

    OTHER = "other"
    PROGRAM = "program"
    SHORTCUT = "shortcut"
    SCRIPT = "script"
    MACROS = "macros"
    ARCHIVE_OF_PROGRAM = "archive_of_program"
    ENCRYPTED_ARCHIVE = "encrypted_archive"


_PLAIN_KINDS = (
    (b"\x7fELF", Kind.PROGRAM),
    (b"\xfe\xed\xfa\xce", Kind.PROGRAM),  # Mach-O, in both orders and widths
    (b"\xfe\xed\xfa\xcf", Kind.PROGRAM),
    (b"\xce\xfa\xed\xfe", Kind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (b"\xca\xfe\xba\xbe", Kind.PROGRAM),  # universal Mach-O, Java class
    (b"L\0\0\0\x01\x14\x02\0", Kind.SHORTCUT),
    (b"#!/", Kind.SCRIPT),
    (b"#! /", Kind.SCRIPT),
)
_FIRST_TWO = frozenset(start[:2] for start, _ in _PLAIN_KINDS) | {b"MZ", _ZIP[:2], _OLE[:2]}


@dataclass(frozen=True, slots=True)
class Attachment:
    """The name of a part and what its octets are."""

    filename: str
    kind: Kind

    @property
    def has_runnable_name(self) -> bool:
        """True when a desktop would run a file of that name."""
        return _extension(self.filename) in RUNNABLE_EXTENSIONS

    @property
    def has_double_extension(self) -> bool:
        """True for `invoice.pdf.exe`, also with white space between."""
        stem, _, extension = self.filename.lower().rpartition(".")
        return extension.strip() in RUNNABLE_EXTENSIONS and _extension(stem) in DOCUMENT_EXTENSIONS

    @property
    def has_turned_name(self) -> bool:
        """True when the name changes its direction, so that `exe.fdp` reads `pdf.exe`."""
        return not _RIGHT_TO_LEFT.isdisjoint(self.filename)


def attachment_of(content: bytes, part: Part) -> Attachment:
    """Return what a leaf is by its first octets, and for archives by the names inside."""
    return Attachment(part.filename, _kind(content, part))


def _kind(content: bytes, part: Part) -> Kind:
    magic = head(content, part, MAGIC_MAX_BYTES)
    if magic[:2] not in _FIRST_TWO:
        return Kind.OTHER
    for start, kind in _PLAIN_KINDS:
        if magic.startswith(start):
            return kind
    if magic.startswith(b"MZ") and _is_windows_program(head(content, part, _PE_HEAD_BYTES)):
        return Kind.PROGRAM
    if magic.startswith(_ZIP):
        return _archive_kind(head(content, part, _LOOK_MAX_BYTES))
    if magic.startswith(_OLE):
        octets = head(content, part, _LOOK_MAX_BYTES)
        return Kind.MACROS if all(mark in octets for mark in _MACROS_OLE) else Kind.OTHER
    return Kind.OTHER


def _is_windows_program(octets: bytes) -> bool:
    """Say whether `MZ` begins a DOS header: text may begin with these letters too."""
    at = int.from_bytes(octets[0x3C:0x40], "little")
    return octets[at : at + 4] == b"PE\0\0" or b"DOS mode" in octets or b"\0" in octets[:0x40]


def _archive_kind(octets: bytes) -> Kind:
    names: list[bytes] = []
    encrypted = False
    # A sample lacks the directory at the end: the entries' own headers are all there is.
    entries = _ZIP_ENTRY if b"PK\x01\x02" in octets else _ZIP_LOCAL
    for match in entries.finditer(octets):
        encrypted = encrypted or bool(match[1][0] & _ENCRYPTED_FLAG)
        names.append(octets[match.end() : match.end() + int.from_bytes(match[2], "little")])
        if len(names) >= _NAMES_MAX:
            break
    lowered = [name.decode("utf-8", "replace").lower() for name in names]
    if any(name.endswith("vbaproject.bin") for name in lowered):
        return Kind.MACROS
    # A Java archive holds classes; it is named and looked at as what it is.
    if any(_extension(name) in RUNNABLE_EXTENSIONS for name in lowered) or "meta-inf/manifest.mf" in lowered:
        return Kind.ARCHIVE_OF_PROGRAM
    return Kind.ENCRYPTED_ARCHIVE if encrypted else Kind.OTHER


def _extension(name: str) -> str:
    return name.lower().rpartition(".")[2].strip() if "." in name else ""
