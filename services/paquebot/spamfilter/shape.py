"""The form of a message as numbers: who it says it is from, where it leads, how it is made. Not what it says.

A number that a message cannot have is unknown (NaN), never zero: a collection of mail without header fields
must not teach that missing fields mean anything.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.alphabet import Letters
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.lookalike import organisation
from paquebot.spamfilter.names import FREE_MAIL_DOMAINS, WELL_KNOWN_WORDS
from paquebot.spamfilter.visible import Page

SENDER, SUBJECT, LINKS, MAKE, CARRIED = "sender", "subject", "links", "make", "carried"

_UNKNOWN = math.nan
_COMMON_ENDS = frozenset({"com", "net", "org", "edu", "gov", "io", "info", "eu"})
_COUNTRY_LETTERS = 2
_REPLY = re.compile(r"\s*(?:re|aw|fw|fwd|wg|tr|rv|enc|antw|sv)\s*:", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]+")
_IMAGE_ONLY_TEXT = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """What the form is read from: facts, the decoded subject, all HTML together, plain text, the folded letters."""

    facts: Facts
    subject: str
    page: Page
    plain: str
    letters: Letters
    hosts: tuple[str, ...]  # of links, each once
    organisations: frozenset[str]

    @property
    def has_header(self) -> bool:
        """True when there is more than a Subject: a collection without headers teaches nothing about them."""
        return self.facts.author is not None or b"to" in self.facts.fields

    @property
    def author_organisation(self) -> str:
        """The organisation of From, "" when there is no From."""
        return organisation(self.facts.author_domain)


Feature = tuple[str, str, Callable[[Seen], float]]


def _log(count: float) -> float:
    return math.log1p(max(0.0, count))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _upper(text: str) -> float:
    return _share(sum(map(str.isupper, text)), sum(map(str.isalpha, text)))


def _types(seen: Seen, *beginnings: str) -> float:
    return _log(sum(part.content_type.startswith(beginnings) for part in seen.facts.parts))


def _named(seen: Seen, *ends: str) -> float:
    return float(any(each.filename.lower().endswith(ends) for each in seen.facts.attachments))


def _display(seen: Seen) -> str:
    return seen.facts.author.display if seen.facts.author else ""


def _local(seen: Seen) -> str:
    return seen.facts.author.address.rpartition("@")[0] if seen.facts.author else ""


def _known_author(seen: Seen, value: float) -> float:
    return value if seen.facts.author is not None else _UNKNOWN


def _known_header(seen: Seen, value: float) -> float:
    return value if seen.has_header else _UNKNOWN


def _known_links(seen: Seen, value: float) -> float:
    return value if seen.hosts and seen.facts.author is not None else _UNKNOWN


def _hosts(seen: Seen, value: Callable[[str], float]) -> float:
    return max(map(value, seen.hosts), default=_UNKNOWN)


def _digits(text: str) -> float:
    return float(sum(map(str.isdigit, text)))


def _odd_end(host: str) -> float:
    end = host.rpartition(".")[2]
    return float(end not in _COMMON_ENDS and len(end) != _COUNTRY_LETTERS and not end.isdigit())


def _elsewhere(seen: Seen) -> float:
    return _share(sum(each != seen.author_organisation for each in seen.organisations), len(seen.organisations))


def _reply_elsewhere(seen: Seen) -> float:
    reply = seen.facts.reply_to
    return float(reply is not None and organisation(reply.domain) != seen.author_organisation)


def _reply_free(seen: Seen) -> float:
    reply = seen.facts.reply_to
    return float(reply is not None and reply.domain in FREE_MAIL_DOMAINS)


def _borrowed_name(seen: Seen) -> float:
    words = set(map(str.lower, _LETTER.findall(_display(seen))))
    return float(any(word not in seen.facts.author_domain for word in words & WELL_KNOWN_WORDS))


def _to_itself(seen: Seen) -> float:
    to = seen.facts.fields.get(b"to", ())
    address = seen.facts.author.address.encode("utf-8", "replace") if seen.facts.author else b""
    return float(bool(address) and any(address in value.lower() for value in to))


def _mark(seen: Seen, mark: str) -> float:
    text = seen.plain or seen.page.text
    return math.sqrt(_share(text.count(mark), len(text)) * 100)


FEATURES: Final[tuple[Feature, ...]] = (
    ("display_empty", SENDER, lambda s: _known_author(s, float(not _display(s)))),
    ("display_length", SENDER, lambda s: _known_author(s, _log(len(_display(s))))),
    ("display_address", SENDER, lambda s: _known_author(s, float("@" in _display(s)))),
    ("display_borrowed", SENDER, lambda s: _known_author(s, _borrowed_name(s))),
    ("display_upper", SENDER, lambda s: _known_author(s, _upper(_display(s)))),
    ("local_digits", SENDER, lambda s: _known_author(s, _log(_digits(_local(s))))),
    ("local_length", SENDER, lambda s: _known_author(s, _log(len(_local(s))))),
    ("author_free", SENDER, lambda s: _known_author(s, float(s.facts.author_domain in FREE_MAIL_DOMAINS))),
    ("author_length", SENDER, lambda s: _known_author(s, _log(len(s.facts.author_domain)))),
    ("author_labels", SENDER, lambda s: _known_author(s, _log(s.facts.author_domain.count(".")))),
    ("author_hyphens", SENDER, lambda s: _known_author(s, _log(s.facts.author_domain.count("-")))),
    ("author_digits", SENDER, lambda s: _known_author(s, _log(_digits(s.facts.author_domain)))),
    ("author_odd_end", SENDER, lambda s: _known_author(s, _odd_end(s.facts.author_domain))),
    ("reply_elsewhere", SENDER, lambda s: _known_author(s, _reply_elsewhere(s))),
    ("reply_free", SENDER, lambda s: _known_author(s, _reply_free(s))),
    ("to_itself", SENDER, lambda s: _known_author(s, _to_itself(s))),
    ("no_recipient", SENDER, lambda s: _known_header(s, float(not s.facts.fields.get(b"to")))),
    ("subject_length", SUBJECT, lambda s: _log(len(s.subject))),
    ("subject_upper", SUBJECT, lambda s: _known_header(s, _upper(s.subject))),
    ("subject_digits", SUBJECT, lambda s: _share(_digits(s.subject), len(s.subject))),
    ("subject_urgent", SUBJECT, lambda s: float("!" in s.subject)),
    ("subject_asks", SUBJECT, lambda s: float("?" in s.subject)),
    ("subject_reply", SUBJECT, lambda s: float(_REPLY.match(s.subject) is not None)),
    ("subject_brackets", SUBJECT, lambda s: _known_header(s, float("[" in s.subject))),
    ("links", LINKS, lambda s: _log(len(s.facts.links))),
    ("link_hosts", LINKS, lambda s: _log(len(s.hosts))),
    ("link_organisations", LINKS, lambda s: _log(len(s.organisations))),
    ("links_elsewhere", LINKS, lambda s: _known_links(s, _elsewhere(s))),
    ("links_home", LINKS, lambda s: _known_links(s, float(s.author_organisation in s.organisations))),
    ("link_shows_other", LINKS, lambda s: _log(sum(bool(each.shown) for each in s.facts.links))),
    ("link_numeric", LINKS, lambda s: float(any(each.is_numeric for each in s.facts.links))),
    ("link_user", LINKS, lambda s: float(any(each.has_user for each in s.facts.links))),
    ("host_length", LINKS, lambda s: _hosts(s, lambda host: _log(len(host)))),
    ("host_labels", LINKS, lambda s: _hosts(s, lambda host: _log(host.count(".")))),
    ("host_digits", LINKS, lambda s: _hosts(s, lambda host: _log(_digits(host)))),
    ("host_hyphens", LINKS, lambda s: _hosts(s, lambda host: _log(host.count("-")))),
    ("host_odd_end", LINKS, lambda s: _hosts(s, _odd_end)),
    ("html", MAKE, lambda s: float(s.page.tags > 0)),
    ("html_only", MAKE, lambda s: float(s.page.tags > 0 and not s.plain)),
    ("parts", MAKE, lambda s: _log(len(s.facts.parts))),
    ("tags", MAKE, lambda s: _log(s.page.tags)),
    ("letters", MAKE, lambda s: _log(s.letters.points.size)),
    ("letters_a_tag", MAKE, lambda s: _log(len(s.page.text) / s.page.tags) if s.page.tags else _UNKNOWN),
    ("hidden", MAKE, lambda s: _log(s.page.hidden)),
    ("images", MAKE, lambda s: _log(s.page.images)),
    ("remote_images", MAKE, lambda s: _log(s.page.remote_images)),
    ("pixels", MAKE, lambda s: _log(s.page.pixels)),
    ("image_only", MAKE, lambda s: float(s.page.images > 0 and s.letters.points.size < _IMAGE_ONLY_TEXT)),
    ("anchors", MAKE, lambda s: _log(s.page.anchors)),
    ("buttons", MAKE, lambda s: _log(s.page.buttons)),
    ("one_button", MAKE, lambda s: float(s.page.buttons == 1)),
    ("tables", MAKE, lambda s: _log(s.page.tables)),
    ("fonts", MAKE, lambda s: _log(s.page.fonts)),
    ("forms", MAKE, lambda s: _log(s.page.forms)),
    ("zero_width", MAKE, lambda s: _log(s.letters.zero_width)),
    ("mixed_words", MAKE, lambda s: _log(s.letters.mixed_words)),
    ("exclamations", MAKE, lambda s: _mark(s, "!")),
    ("money", MAKE, lambda s: _mark(s, "$") + _mark(s, "€") + _mark(s, "£")),
    ("questions", MAKE, lambda s: _mark(s, "?")),
    ("attachments", CARRIED, lambda s: _log(len(s.facts.attachments))),
    ("pictures", CARRIED, lambda s: _types(s, "image/")),
    ("page_carried", CARRIED, lambda s: _named(s, ".html", ".htm", ".shtml", ".svg")),
    ("archive_carried", CARRIED, lambda s: _named(s, ".zip", ".rar", ".7z", ".gz", ".iso")),
    ("document_carried", CARRIED, lambda s: _named(s, ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".xlsm", ".ppt")),
)
NAMES: Final = tuple(name for name, _, _ in FEATURES)
GROUPS: Final = tuple(group for _, group, _ in FEATURES)


def shape(seen: Seen) -> NDArray[np.float32]:
    """Return the features in their order; NaN where one is unknown."""
    return np.fromiter((feature(seen) for _, _, feature in FEATURES), np.float32, len(FEATURES))
