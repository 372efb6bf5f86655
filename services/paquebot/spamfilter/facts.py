"""What the rules look at, gathered once from a message: fields, authors, parts, text, links, attachments.

Everything is bounded: by the content (at most 1 MiB, else sampled), the walk's limits and those named here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from paquebot.mail.address import Mailbox, addresses
from paquebot.mail.envelope import Envelope
from paquebot.mail.header import split
from paquebot.mail.mime import MimeLimits, Part, head, walk
from paquebot.mail.origin import NOWHERE, Origin
from paquebot.mail.principal import Principal
from paquebot.spamfilter.attachment import Attachment, Kind, attachment_of
from paquebot.spamfilter.links import LINKS_MAX, Link, html_links, text_links

MAILBOX_MAX_BYTES = 16_384  # of a field that is read for its first mailbox
TEXT_MAX_BYTES = 131_072  # of each text part
TEXTS_MAX = 20
LIMITS = MimeLimits(depth_max=12, parts_max=200)

_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A text part decoded from its transfer encoding, also in lower case; its charset is left as it is."""

    part: Part
    lowered: bytes
    octets: bytes = b""

    @property
    def is_html(self) -> bool:
        """True for text/html."""
        return self.part.content_type == "text/html"


@dataclass(frozen=True, slots=True)
class Facts:
    """A message as rules see it. `fields` maps lower-case names to the values, still folded."""

    envelope: Envelope
    own_domains: frozenset[str]  # that the principal may send from
    content: bytes
    section: bytes
    fields: Mapping[bytes, list[bytes]]
    author: Mailbox | None  # the first of From
    reply_to: Mailbox | None
    parts: tuple[Part, ...]
    mime_faults: tuple[str, ...]
    texts: tuple[Text, ...]
    links: tuple[Link, ...]
    attachments: tuple[Attachment, ...]
    origin: Origin = NOWHERE

    @property
    def author_domain(self) -> str:
        """The domain of From, "" when there is none."""
        return "" if self.author is None else self.author.domain


def gather(content: bytes, envelope: Envelope, principal: Principal, origin: Origin = NOWHERE) -> Facts:
    """Read a message once for all rules. Never raises on what the content holds."""
    section, _ = split(content)
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(section):
        fields.setdefault(name.lower(), []).append(value)
    walked = walk(content, LIMITS)
    leaves = [part for part in walked.parts if not (part.is_multipart or part.is_message)]
    texts = tuple(_text(content, part) for part in leaves if part.content_type in _TEXTS)[:TEXTS_MAX]
    return Facts(
        envelope=envelope,
        own_domains=_own_domains(principal.senders),
        content=content,
        section=section,
        fields=fields,
        author=_first_mailbox(fields, b"from"),
        reply_to=_first_mailbox(fields, b"reply-to"),
        parts=walked.parts,
        mime_faults=walked.faults,
        texts=texts,
        links=_links(texts),
        attachments=tuple(
            each for part in leaves if (each := attachment_of(content, part)).filename or each.kind is not Kind.OTHER
        ),
        origin=origin,
    )


_TEXTS = frozenset({"text/plain", "text/html"})


def _text(content: bytes, part: Part) -> Text:
    octets = head(content, part, TEXT_MAX_BYTES)
    return Text(part, octets.lower(), octets)


def _links(texts: tuple[Text, ...]) -> tuple[Link, ...]:
    links: list[Link] = []
    for text in texts:
        links += html_links(text.lowered) if text.is_html else text_links(text.lowered)
    return tuple(links[:LINKS_MAX])


def _first_mailbox(fields: Mapping[bytes, list[bytes]], name: bytes) -> Mailbox | None:
    values = fields.get(name)
    if not values:
        return None
    mailboxes = addresses(values[0][:MAILBOX_MAX_BYTES]).mailboxes
    return mailboxes[0] if mailboxes else None


@lru_cache(maxsize=1024)
def _own_domains(senders: tuple[str, ...]) -> frozenset[str]:
    return frozenset(sender.rpartition("@")[2] for sender in senders)
