from pathlib import Path

from paquebot.mail.envelope import Envelope
from paquebot.sandbox import inbox
from paquebot.sandbox.inbox import Inbox
from paquebot.sandbox.mxhost import Received

CONTENT = b"X-Sandbox: not ours\r\nFrom: a@a.test\r\n\r\nhello\r\n"


def received(host: str = "mx.b.test") -> Received:
    envelope = Envelope("a@a.test", ("b@b.test", "grüße@b.test"))
    return Received(host, "127.0.0.1", "out.test", True, envelope, CONTENT, 1_700_000_000.25)


def test_what_is_kept_is_read_back_the_same(tmp_path: Path) -> None:
    box = Inbox(tmp_path / "box")
    box.empty()
    box.keep(received())
    box.keep(received("mx.c.test"))
    assert [letter.received for letter in box.letters()] == [received(), received("mx.c.test")]
    second = box.letter(2)
    assert second is not None
    assert (second.number, second.received.host) == (2, "mx.c.test")
    assert second.path.read_bytes().endswith(CONTENT)
    assert box.letter(3) is None


def test_a_new_sandbox_begins_empty_and_leaves_strangers_files_alone(tmp_path: Path) -> None:
    box = Inbox(tmp_path)
    box.keep(received())
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "000009-other.eml").write_text("Subject: not of a sandbox\n\nhello")
    assert len(list(box.letters())) == 1
    box.empty()
    assert not list(box.letters())
    assert (tmp_path / "notes.txt").exists()


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(inbox, "FILES_MAX", 2)
    box = Inbox(tmp_path)
    for _ in range(4):
        box.keep(received())
    assert [letter.number for letter in box.letters()] == [3, 4]
