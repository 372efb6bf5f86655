"""What a sandbox has received, as files: the envelope in fields of its own, then the content untouched."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from paquebot.mail.envelope import Envelope
from paquebot.sandbox.mxhost import Received

FILES_MAX = 20_000  # the oldest go
_LAST_FIELD = "X-Sandbox"
_NAME = re.compile(r"(\d+)-.*\.eml")
_HOST = re.compile(r"host=(\S+) client=(\S+) hello=(\S*) tls=(yes|no) time=(\S+)")


@dataclass(frozen=True, slots=True)
class Letter:
    """A received transaction and its number in the order of arrival, from 1."""

    number: int
    received: Received
    path: Path = field(repr=False)


@dataclass(slots=True)
class Inbox:
    """A folder with a file for each transaction."""

    folder: Path
    count: int = 0

    def empty(self) -> None:
        """Make the folder, and remove what an earlier sandbox has left there."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self.folder.glob("*.eml"):
            path.unlink()
        self.count = 0

    def keep(self, received: Received) -> None:
        """Write a transaction; the file appears whole."""
        self.count += 1
        path = self.folder / f"{self.count:06d}-{received.host}.eml"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(_fields(received) + received.content)
        fresh.replace(path)
        for old in self.folder.glob(f"{self.count - FILES_MAX:06d}-*.eml") if self.count > FILES_MAX else ():
            old.unlink()

    def letters(self) -> Iterator[Letter]:
        """Yield what is kept, in order; files of other kinds are passed over."""
        for path in sorted(self.folder.glob("*.eml")):
            letter = _read(path)
            if letter is not None:
                yield letter

    def letter(self, number: int) -> Letter | None:
        """Return one by its number."""
        path = next(self.folder.glob(f"{number:06d}-*.eml"), None)
        return _read(path) if path is not None else None


def _fields(received: Received) -> bytes:
    """Write the envelope as a final delivery does (RFC 5321 §4.4), and what else is known of the transaction."""
    envelope = received.envelope
    time = datetime.fromtimestamp(received.time_s, UTC).isoformat()
    lines = [f"Return-Path: <{envelope.reverse_path}>"]
    lines += [f"Delivered-To: {recipient}" for recipient in envelope.recipients]
    facts = f"host={received.host} client={received.client} hello={received.hello_name}"
    lines.append(f"{_LAST_FIELD}: {facts} tls={'yes' if received.tls else 'no'} time={time}")
    return "".join(f"{line}\r\n" for line in lines).encode()


def _read(path: Path) -> Letter | None:
    """Read a file back; None when it is none of ours, or has gone."""
    name = _NAME.fullmatch(path.name)
    try:
        head, mark, rest = path.read_bytes().partition(f"{_LAST_FIELD}: ".encode())
    except FileNotFoundError:
        return None
    facts, _, content = rest.partition(b"\r\n")
    told = _HOST.fullmatch(facts.decode("utf-8", "replace"))
    if name is None or not mark or told is None:
        return None
    fields = [line.partition(": ")[2] for line in head.decode("utf-8", "replace").splitlines()]
    envelope = Envelope(fields[0][1:-1], tuple(fields[1:]))
    time_s = datetime.fromisoformat(told[5]).timestamp()
    return Letter(int(name[1]), Received(told[1], told[2], told[3], told[4] == "yes", envelope, content, time_s), path)
