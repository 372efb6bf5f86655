"""What attachments are: by octets, archives by the names inside, names where they deceive."""

import base64
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.mime import walk
from paquebot.spamfilter.attachment import Attachment, Kind, attachment_of

_DOS = b"MZ" + bytes(58) + (0x80).to_bytes(4, "little") + bytes(64) + b"PE\0\0" + bytes(100)


def _attached(octets: bytes, filename: str = "report.pdf") -> Attachment:
    section = f'Content-Type: application/pdf; name="{filename}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    content = section.encode() + base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return attachment_of(content, walk(content).parts[0])


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (_DOS, Kind.PROGRAM),
        (b"\x7fELF\x02\x01\x01", Kind.PROGRAM),
        (b"\xcf\xfa\xed\xfe\x07\0\0\1", Kind.PROGRAM),
        (b"\xca\xfe\xba\xbe\0\0\0\2", Kind.PROGRAM),
        (b"L\0\0\0\x01\x14\x02\0\0\0", Kind.SHORTCUT),
        (b"#!/bin/sh\nrm x\n", Kind.SCRIPT),
        (_zip("a.txt", "b/setup.EXE"), Kind.ARCHIVE_OF_PROGRAM),
        (_zip("invoice.pdf.js"), Kind.ARCHIVE_OF_PROGRAM),
        (_zip("META-INF/MANIFEST.MF", "a.class"), Kind.ARCHIVE_OF_PROGRAM),
        (_zip("word/document.xml", "word/vbaProject.bin"), Kind.MACROS),
        (_zip("word/document.xml"), Kind.OTHER),
        (_zip("a.txt", "photo.jpg"), Kind.OTHER),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "_VBA_PROJECT".encode("utf-16-le"), Kind.MACROS),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), Kind.OTHER),
        (b"%PDF-1.7", Kind.OTHER),
        (b"MZ is how this text begins, and it goes on for a while, so that it is no program.", Kind.OTHER),
        (b"#!important", Kind.OTHER),
        (b"", Kind.OTHER),
        (b"PK\x03\x04", Kind.OTHER),
    ],
)
def test_octets_tell_what_an_attachment_is_whatever_its_name(octets: bytes, kind: Kind) -> None:
    assert _attached(octets).kind is kind


def test_an_archive_cut_by_sampling_is_read_by_the_headers_of_its_entries() -> None:
    whole = _zip("a.txt", "run.exe")
    assert _attached(whole[: whole.index(b"PK\x01\x02")]).kind is Kind.ARCHIVE_OF_PROGRAM


def test_an_encrypted_archive_is_told_by_its_flag() -> None:
    octets = bytearray(_zip("a.txt"))
    octets[octets.index(b"PK\x01\x02") + 8] |= 1
    assert _attached(bytes(octets)).kind is Kind.ENCRYPTED_ARCHIVE


@pytest.mark.parametrize(
    ("filename", "runnable", "double", "turned"),
    [
        ("a.pdf", False, False, False),
        ("setup.exe", True, False, False),
        ("SETUP.SCR", True, False, False),
        ("invoice.pdf.exe", True, True, False),
        ("invoice.pdf      .exe", True, True, False),
        ("archive.tar.gz", False, False, False),
        ("notes.v2.txt", False, False, False),
        ("exe", False, False, False),
        ("", False, False, False),
        ("invoice\u202efdp.exe", True, False, True),
    ],
)
def test_names_that_deceive_are_told(filename: str, *, runnable: bool, double: bool, turned: bool) -> None:
    each = Attachment(filename, Kind.OTHER)
    assert (each.has_runnable_name, each.has_double_extension, each.has_turned_name) == (runnable, double, turned)


@given(
    st.sampled_from([b"MZ", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x7fELF", b"#!/"]),
    st.binary(max_size=200),
)
def test_garbage_behind_a_magic_raises_nothing(magic: bytes, rest: bytes) -> None:
    assert _attached(magic + rest).kind in Kind


@given(st.lists(st.sampled_from([b"PK\x01\x02", b"PK\x03\x04", bytes(30), b"\xff" * 30, b"a.exe"]), max_size=30))
def test_broken_archives_raise_nothing(pieces: list[bytes]) -> None:
    assert _attached(b"PK\x03\x04" + b"".join(pieces)).kind in Kind
