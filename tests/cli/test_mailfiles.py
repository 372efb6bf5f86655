"""Mail as people keep it becomes fit for SMTP, and every repair is named."""

import email
import mailbox
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.cli.mailfiles import fix, mails

GOOD = b"From: a@b.example\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@b.example>\r\n\r\nHello\r\n"


def test_a_good_message_is_not_touched() -> None:
    fixed = fix("x", GOOD, "c@d.example")
    assert (fixed.content, fixed.repairs) == (GOOD, ())


def test_unix_line_ends_become_crlf() -> None:
    assert fix("x", GOOD.replace(b"\r\n", b"\n"), "c@d.example").content == GOOD


def test_what_is_missing_is_added_and_named() -> None:
    fixed = fix("x", b"Subject: x\n\nHello", "c@d.example")
    assert fixed.repairs == ("From added", "Date added", "Message-ID added")
    assert fixed.content.startswith(b"From: c@d.example\r\n")
    assert fixed.content.endswith(b"Hello\r\n")


def test_long_lines_are_encoded_again_and_say_the_same() -> None:
    body = b"word " * 400
    fixed = fix("x", GOOD.replace(b"Hello", body), "c@d.example")
    assert "encoded again" in fixed.repairs
    assert max(len(line) for line in fixed.content.split(b"\r\n")) <= 998
    assert email.message_from_bytes(fixed.content).get_payload(decode=True).split() == body.split()


def test_bcc_does_not_travel() -> None:
    fixed = fix("x", b"Bcc: secret@b.example\r\n" + GOOD, "c@d.example")
    assert b"secret" not in fixed.content
    assert "Bcc taken out" in fixed.repairs


@given(st.binary(max_size=2000))
def test_anything_comes_out_with_crlf_alone_and_lines_that_fit(octets: bytes) -> None:
    content = fix("x", octets, "c@d.example").content
    assert content.endswith(b"\r\n")
    assert b"\x00" not in content
    bare = content.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    (tmp_path / "one.eml").write_bytes(GOOD)
    box = mailbox.mbox(tmp_path / "box.mbox")
    for number in range(3):
        box.add(GOOD.replace(b"Hello", f"in the box {number}".encode()))
    box.close()
    maildir = mailbox.Maildir(tmp_path / "maildir")
    maildir.add(GOOD.replace(b"Hello", b"in the maildir"))
    return tmp_path


def test_eml_mbox_and_maildir_are_read(stored: Path) -> None:
    assert len(list(mails(stored / "one.eml", "c@d.example"))) == 1
    assert [b"in the box" in each.content for each in mails(stored / "box.mbox", "c@d.example")] == [True] * 3
    assert [b"in the maildir" in each.content for each in mails(stored / "maildir", "c@d.example")] == [True]


def test_a_folder_gives_all_its_files(stored: Path) -> None:
    assert len(list(mails(stored, "c@d.example"))) >= 4
