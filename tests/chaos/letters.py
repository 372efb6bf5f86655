"""The letters of a run: each has a number, and recipients that nobody else has. The same seed writes the same ones."""

import random
import re
from dataclasses import dataclass

DOMAINS = tuple(
    f"{manner}{number}.chaos.test"
    for manner in ("quick", "slow", "later", "dot", "never", "mixed")
    for number in (1, 2)
)
SENDER = "orders@shop.test"
LINE = "The ship carries {number} through whatever weather there is, and is late for nobody. " * 2
# How often, recipients' domains, octets: inline, split, stored apart, stored apart and shared.
SHAPES = ((70, 1, 2_000), (12, 3, 2_000), (8, 1, 50_000), (5, 3, 50_000), (4, 1, 300_000), (1, 2, 1_300_000))
_NUMBER = re.compile(rb"^X-Chaos: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to send."""

    number: int
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Letters:
    """All letters of a seed."""

    seed: int

    def letter(self, number: int) -> Letter:
        """Return a letter."""
        chance = random.Random(f"{self.seed} {number}")
        (shape,) = chance.choices(SHAPES, [often for often, _, _ in SHAPES])
        domains = chance.sample(DOMAINS, shape[1])
        recipients = tuple(_recipient(number, place, domain) for place, domain in enumerate(domains))
        both = tuple(
            f"unknown.{each}" for each in recipients if "@mixed" in each
        )  # one known, one not, in one delivery
        return Letter(number, recipients + both, _content(number, shape[2]))

    def content(self, number: int) -> bytes:
        """Return a letter's content."""
        return self.letter(number).content


def number_of(content: bytes) -> int | None:
    """Return the number of a letter, None when a content is none."""
    head = content[: content.find(b"\r\n\r\n") + 2]
    found = _NUMBER.search(head)
    return int(found[1]) if found else None


def _recipient(number: int, place: int, domain: str) -> str:
    return f"m{number}.{place}@{domain}"


def _content(number: int, octets: int) -> bytes:
    fields = [f"From: {SENDER}", "To: somebody@quick1.chaos.test", f"Subject: Letter {number}", f"X-Chaos: {number}"]
    fields += ["Date: Tue, 24 Nov 2026 10:00:00 +0000", f"Message-ID: <chaos-{number}@shop.test>", "MIME-Version: 1.0"]
    line = LINE.format(number=number).strip()
    return ("\r\n".join(fields) + "\r\n\r\n" + f"{line}\r\n" * max(1, octets // (len(line) + 2))).encode()
