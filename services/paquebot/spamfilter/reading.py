"""A message as the model reads it, made once from facts: slots of words and letters, its form, its language.

Two models, one in force and one on trial, score the same reading.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paquebot.mail.header import decode_words, unfold
from paquebot.spamfilter.alphabet import TEXT_MAX, letters
from paquebot.spamfilter.charsets import decode
from paquebot.spamfilter.facts import Facts, Text
from paquebot.spamfilter.grams import AUTHOR, BODY, SUBJECT, Slots, letter_slots, word_slots
from paquebot.spamfilter.language import language
from paquebot.spamfilter.lookalike import organisation
from paquebot.spamfilter.shape import Seen, shape
from paquebot.spamfilter.visible import NO_PAGE, Page, page

_SUBJECT_MAX_BYTES = 4_096
_PAGES_MAX = 4
_FIELD_MAX = 400  # letters of a subject or a name


@dataclass(frozen=True, slots=True)
class Reading:
    """Slots may repeat; `shape` holds NaN where something is unknown."""

    words: Slots
    letters: Slots
    shape: NDArray[np.float32]
    language: str


def read(facts: Facts) -> Reading:
    """Read what facts hold. Never raises on what the content holds."""
    subject = _subject(facts)
    whole, plain = _page(facts.texts), _plain(facts.texts)
    text = whole.text if len(whole.text) > len(plain) // 2 else plain
    body = letters(text)
    heading = letters(subject)
    author = letters(facts.author.display[:_FIELD_MAX] if facts.author else "")
    hosts = tuple(dict.fromkeys(link.host for link in facts.links if link.host))
    seen = Seen(facts, subject, whole, plain, body, hosts, frozenset(map(organisation, hosts)))
    return Reading(
        words=np.concatenate(
            (
                word_slots(heading.points, SUBJECT, BODY),
                word_slots(author.points, AUTHOR),
                word_slots(body.points, BODY),
            )
        ),
        letters=np.concatenate((letter_slots(heading.points), letter_slots(body.points))),
        shape=shape(seen),
        language=language(text, body.points),
    )


def _subject(facts: Facts) -> str:
    values = facts.fields.get(b"subject")
    return decode_words(unfold(values[0][:_SUBJECT_MAX_BYTES])).strip()[:_FIELD_MAX] if values else ""


def _plain(texts: tuple[Text, ...]) -> str:
    found: list[str] = []
    length = 0
    for text in texts:
        if not text.is_html and length < TEXT_MAX:
            found.append(decode(text.octets[: 4 * TEXT_MAX], text.part.parameters.get("charset", b""))[:TEXT_MAX])
            length += len(found[-1])
    return "\n".join(found)


def _page(texts: tuple[Text, ...]) -> Page:
    """Return all HTML parts as one."""
    pages = [page(decode(text.octets, text.part.parameters.get("charset", b""))) for text in texts if text.is_html][
        :_PAGES_MAX
    ]
    if len(pages) < 2:  # noqa: PLR2004  (one needs no sum)
        return pages[0] if pages else NO_PAGE
    return Page(
        " ".join(each.text for each in pages),
        *(sum(counts) for counts in zip(*(each.counts for each in pages), strict=True)),
    )
