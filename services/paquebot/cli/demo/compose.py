"""Composes the demo's messages: many sizes, MIME structures and character sets, the same for the same seed.

They are composed, not collected; the demo says so. Each has Date, From and Message-ID, CRLF line ends and
lines within RFC 5322's limit, so that what arrives can be compared with it octet by octet.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime

from paquebot.sandbox.internet import DEMO_RECIPIENTS

WORDS = tuple(
    "harbour ledger invoice parcel window gentle orange morning signal copper river market little answer "  # noqa: SIM905
    "paper garden second engine bridge yellow travel quiet letter number silver winter office ticket".split()
)
TEXTS = {
    "us-ascii": "The parcel leaves the harbour tonight and arrives on Thursday.",
    "iso-8859-1": "Le café est fermé jusqu'à l'été prochain, à bientôt.",
    "windows-1252": "“Quoted”, with dashes … and a price of 12 €.",
    "koi8-r": "Ваш заказ отправлен и прибудет в четверг.",
    "iso-2022-jp": "ご注文の品は木曜日に届きます。",
    "gb18030": "您的包裹将于星期四送达。",
    "utf-8": "Žluťoučký kůň, Ελληνικά, עברית, العربية, 日本語, 🚢.",
}
SENDERS = (
    ("shop.orders", "orders@shop.test", "Shop Orders"),
    ("shop.orders", "billing@shop.test", "Shop Billing"),
    ("news.weekly", "weekly@news.test", "The Weekly"),
)


@dataclass(frozen=True, slots=True)
class Composed:
    """One message to send: who logs in, the envelope, the content, and what it shows."""

    username: str
    reverse_path: str
    recipients: tuple[str, ...]
    content: bytes
    shape: str


def compose(count: int, seed: int, now: datetime) -> Iterator[Composed]:
    """Yield `count` different messages."""
    chance = random.Random(seed)  # noqa: S311  (variety, not secrecy)
    shapes = tuple(_SHAPES.items())
    for number in range(count):
        username, mailbox, name = SENDERS[number % len(SENDERS)]
        shape, build = shapes[number % len(shapes)]
        recipients = _recipients(chance, number)
        message = EmailMessage(policy=SMTP)
        message["From"] = f"{name} <{mailbox}>"
        message["To"] = ", ".join(recipients)
        message["Date"] = format_datetime((now - timedelta(seconds=chance.randrange(3600))).astimezone(UTC))
        domain = mailbox.partition("@")[2]
        message["Message-ID"] = f"<{number}.{chance.getrandbits(64):x}@{domain}>"
        message["Subject"] = f"{_phrase(chance, 4)} {number}"
        build(message, chance)
        yield Composed(username, mailbox, recipients, message.as_bytes(), shape)


def _recipients(chance: random.Random, number: int) -> tuple[str, ...]:
    """Choose one to four recipients; most mail has one, some goes to several domains."""
    count = 1 if number % 4 else chance.randint(2, 4)
    domains, weights = zip(*DEMO_RECIPIENTS, strict=True)
    chosen = chance.choices(domains, weights, k=count)
    return tuple(dict.fromkeys(f"{_local_part(chance, domain, number)}@{domain}" for domain in chosen))


def _local_part(chance: random.Random, domain: str, number: int) -> str:
    known = "unknown" if domain.startswith("refuse.") and number % 2 else chance.choice(WORDS)
    return f"{known}.{chance.randrange(400)}"


def _phrase(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize()


def _prose(chance: random.Random, lines: int) -> str:
    return "\n".join(_phrase(chance, chance.randint(6, 11)) + "." for _ in range(lines)) + "\n"


def _plain(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(_prose(chance, chance.randint(1, 60)))


def _empty(message: EmailMessage, chance: random.Random) -> None:
    message["X-Batch"] = str(chance.randrange(100))
    message.set_content("")


def _dots(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(f".\n..\n...{_phrase(chance, 3)}\n.{_phrase(chance, 2)}\n\n.\n")


def _eight_bit(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(f"{TEXTS['utf-8']}\n{_prose(chance, 8)}", cte="8bit")


def _quoted_printable(message: EmailMessage, chance: random.Random) -> None:
    charset = chance.choice(("iso-8859-1", "windows-1252", "utf-8"))
    message.set_content(f"{TEXTS[charset]}\n{_prose(chance, 12)}", charset=charset, cte="quoted-printable")


def _charsets(message: EmailMessage, chance: random.Random) -> None:
    charset = chance.choice(("koi8-r", "gb18030", "utf-8"))
    message.replace_header("Subject", f"{TEXTS[charset]} {chance.randrange(1000)}")
    message.set_content(f"{TEXTS[charset]}\n", charset=charset, cte="base64")


def _japanese(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(f"{TEXTS['iso-2022-jp']}\n{chance.randrange(1000)}\n", charset="iso-2022-jp", cte="7bit")


def _alternative(message: EmailMessage, chance: random.Random) -> None:
    text = _prose(chance, 10)
    message.set_content(text)
    message.add_alternative(f"<html><body><p>{text}</p></body></html>\n", subtype="html")


def _attachment(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(_prose(chance, 4))
    message.add_attachment(
        chance.randbytes(chance.randrange(100, 60_000)),
        maintype="application",
        subtype="octet-stream",
        filename=f"ledger-{chance.randrange(100)}.bin",
    )


def _related(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(_prose(chance, 3))
    message.add_alternative('<html><body><img src="cid:logo"></body></html>\n', subtype="html")
    html = list(message.iter_parts())[-1]
    assert isinstance(html, MIMEPart)  # noqa: S101  (add_alternative made it)
    html.add_related(chance.randbytes(2_000), maintype="image", subtype="png", cid="<logo>")


def _forwarded(message: EmailMessage, chance: random.Random) -> None:
    inner = EmailMessage(policy=SMTP)
    inner["From"] = "someone@elsewhere.example"
    inner["Subject"] = _phrase(chance, 3)
    inner["Date"] = message["Date"]
    inner.set_content(_prose(chance, 5))
    message.set_content(_prose(chance, 2))
    message.add_attachment(inner)


def _long_header(message: EmailMessage, chance: random.Random) -> None:
    message["References"] = " ".join(f"<{chance.getrandbits(80):x}@shop.test>" for _ in range(30))
    message["Keywords"] = ", ".join(chance.choices(WORDS, k=80))
    message.set_content(_prose(chance, 5))


def _calendar(message: EmailMessage, chance: random.Random) -> None:
    message.set_content(_prose(chance, 2))
    message.add_alternative(
        f"BEGIN:VCALENDAR\nVERSION:2.0\nSUMMARY:{_phrase(chance, 3)}\nEND:VCALENDAR\n", subtype="calendar"
    )


def _large(message: EmailMessage, chance: random.Random) -> None:
    """Most are middling; one in eight is beyond the queue's inline limit, and some beyond one chunk."""
    size = chance.choice((20_000, 20_000, 40_000, 40_000, 80_000, 80_000, 300_000, 1_200_000))
    message.set_content(_prose(chance, 2))
    message.add_attachment(chance.randbytes(size), maintype="image", subtype="jpeg", filename="photograph.jpg")


_SHAPES: dict[str, Callable[[EmailMessage, random.Random], None]] = {
    "plain text": _plain,
    "8-bit text": _eight_bit,
    "quoted-printable": _quoted_printable,
    "text and HTML": _alternative,
    "attachment": _attachment,
    "base64 in several character sets": _charsets,
    "lines that begin with dots": _dots,
    "HTML with an inline image": _related,
    "empty body": _empty,
    "forwarded message": _forwarded,
    "ISO-2022-JP": _japanese,
    "long folded fields": _long_header,
    "calendar": _calendar,
    "large": _large,
}
