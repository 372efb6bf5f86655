"""Composes messages from stories: chance decides about everything that a story leaves open, from a seed.

The same seed gives the same octets. Wanted and unwanted mail go through the same hands, so that form tells nothing:
what differs is what a story says, who signs, and where links lead. Nothing here sends anything: recipients are in
domains kept for examples.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paquebot.spamfilter.training import enclosure, invented
from paquebot.spamfilter.training.block import Block, blocks
from paquebot.spamfilter.training.letterhead import letterhead
from paquebot.spamfilter.training.page import page, press_for
from paquebot.spamfilter.training.place import place
from paquebot.spamfilter.training.scene import Scene
from paquebot.spamfilter.training.sender import Links, links, sender
from paquebot.spamfilter.training.story import As, Story, stories
from paquebot.spamfilter.training.text import plain
from paquebot.spamfilter.training.wrapping import Entity, charset_for, file_part, multipart, picture_part, text_part

__all__ = ["Composed", "compose", "sample", "stories"]

SUBJECT_MAX = 200  # letters
_LATEST_S = 1_790_000_000  # sampled messages are written in the five years before
_SPAN_DAYS = 1_800


@dataclass(frozen=True, slots=True)
class Composed:
    """A message and what it was made from. `content` has CRLF line ends."""

    label: str
    family: str
    language: str
    content: bytes


def compose(story: Story, rng: random.Random, now_s: int) -> Composed:
    """Return one message of a story, written at `now_s` (Unix seconds)."""
    scene = Scene(rng, place(story.language), datetime.fromtimestamp(now_s, UTC))
    kind = rng.choice(story.author)
    author = sender(kind, scene)
    led = links(rng.choice(story.links), scene, author)
    scene.drawn["url"] = led.main
    subject = " ".join(rng.choice(story.subject).draw(rng, scene.fill).split())[:SUBJECT_MAX]
    said = blocks(story, scene)
    head = letterhead(kind, author, scene, subject, led)
    charset = charset_for(subject, scene.place, rng)
    entity = _body(story, scene, said, led, subject)
    section = head.section(charset, rng) + b"MIME-Version: 1.0\r\n" + entity.fields
    return Composed(story.label, story.family, story.language, section + b"\r\n" + entity.content)


def sample(seed: int, count_by_label: Mapping[str, int], chosen: Sequence[Story] | None = None) -> Iterator[Composed]:
    """Yield so many messages of each label, label after label, balanced over families and languages.

    `chosen` are the stories to draw from, all by default. A language comes as often in each label, and one that
    only one label has is left out: else the language would tell the label.
    """
    known = stories() if chosen is None else chosen
    weights = _language_weights(known)
    for label, count in count_by_label.items():
        rng = random.Random(f"{seed} {label}")  # noqa: S311  (variety, not secrecy)
        yield from _drawn(rng, [story for story in known if story.label == label], weights, count)


def _language_weights(known: Sequence[Story]) -> dict[str, int]:
    """Return how often each language comes: by its stories, so that those of a small one are not told too often."""
    labels = {story.label for story in known}
    tellers: dict[str, set[str]] = {}
    for story in known:
        tellers.setdefault(story.language, set()).add(story.label)
    counts = Counter(story.language for story in known)
    return {language: counts[language] for language in sorted(tellers) if tellers[language] == labels}


def _drawn(rng: random.Random, known: Sequence[Story], weights: Mapping[str, int], count: int) -> Iterator[Composed]:
    shelves: dict[str, dict[str, list[Story]]] = {}
    for story in known:
        if story.language in weights:
            shelves.setdefault(story.language, {}).setdefault(story.family, []).append(story)
    languages = sorted(shelves)
    for _ in range(count if languages else 0):
        families = shelves[rng.choices(languages, [weights[language] for language in languages])[0]]
        among = families[rng.choice(sorted(families))]
        story = rng.choices(among, [each.weight for each in among])[0]
        now = datetime.fromtimestamp(_LATEST_S, UTC) - timedelta(seconds=rng.randrange(_SPAN_DAYS * 86_400))
        yield compose(story, rng, int(now.timestamp()))


def _body(story: Story, scene: Scene, said: tuple[Block, ...], led: Links, subject: str) -> Entity:
    """Return the body in one of the story's forms, with what is attached."""
    rng = scene.rng
    form = rng.choices(list(story.forms), list(story.forms.values()))[0]
    parts: list[Entity] = []
    if form != "html":
        text = plain(said, led, rng)
        parts.append(text_part("plain", text, charset_for(text, scene.place, rng), rng))
    if form != "plain":
        parts.append(_html(story, scene, said, led, subject))
    body = multipart("alternative", parts, rng)
    files = [file_part(" ".join(block.text.split()), led.main, rng) for block in said if block.kind is As.ATTACHMENT]
    if form == "plain":
        files += [file_part("qr.png", led.main, rng) for block in said if block.kind is As.QR]
    return multipart("mixed", [body, *files], rng)


def _html(story: Story, scene: Scene, said: tuple[Block, ...], led: Links, subject: str) -> Entity:
    rng = scene.rng
    press = press_for(rng.choice(story.layouts), led, scene.place, scene.fill("brand"), rng)
    shows_code = any(block.kind is As.QR for block in said)
    ident = f"{invented.token(rng, 16)}@{rng.choice(('local', 'mail', led.main.split('/')[2]))}"
    attached = shows_code and rng.random() < 0.6  # noqa: PLR2004  (else it is hosted as other pictures are)
    if attached:
        press.code_ident = ident
    utf8 = page(said, press, subject, "utf-8")
    charset = charset_for(utf8, scene.place, rng)
    text = utf8.replace("charset=utf-8", f"charset={charset}", 1)
    html = text_part("html", text, charset, rng)
    if not attached:
        return html
    return multipart("related", [html, picture_part(enclosure.code_picture(rng), ident, rng)], rng)
