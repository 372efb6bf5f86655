"""How its sender wants a message handled: lane and tags, in header fields that are for us alone. Pure.

`Paquebot-Lane: bulk` and `Paquebot-Tags: class=transactional, campaign=spring` are taken out of the content as Bcc
is, unless a signature covers them: then they are read and stay, for who signed over them wants them seen.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from paquebot.mail.delivery import Lane
from paquebot.mail.header import fields
from paquebot.mail.refusal import refuse

LANE = "Paquebot-Lane"
TAGS = "Paquebot-Tags"
TAGS_MAX = 10

_NAMES = {LANE.lower().encode(), TAGS.lower().encode()}
_OURS = re.compile(rb"^(Paquebot-(?:Lane|Tags)):[^\r\n]*+\r\n(?:[ \t][^\r\n]*+\r\n)*+", re.MULTILINE | re.IGNORECASE)
_SIGNATURES = {"dkim-signature", "arc-message-signature"}
_SIGNED = re.compile(rb"(?:\A|;)\s*h\s*=([^;]*)", re.IGNORECASE)
_TAG_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}\Z")
_TAG_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Handling:
    """What the sender said; no lane: the credential's."""

    lane: Lane | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


AS_USUAL = Handling()


def take_out(section: bytes, names: Iterable[bytes]) -> tuple[bytes, Handling]:
    """Return a header section without our fields, and what they say; raises ContentRefused for unfit ones.

    `names` are those of all its fields, in lower case.
    """
    if _NAMES.isdisjoint(names):
        return section, AS_USUAL
    found = fields(section)
    ours = [each for each in found if each.name.encode() in _NAMES]
    for name in (LANE, TAGS):
        if sum(each.name == name.lower() for each in ours) > 1:
            refuse("5.6.0", f"{name} is there more than once: say it once")
    said = {each.name: each.text for each in ours}
    handling = Handling(
        lane_of(said[LANE.lower()], LANE) if LANE.lower() in said else None,
        tags_of(_pairs(said.get(TAGS.lower(), "")), TAGS),
    )
    signed = {name for each in found if each.name in _SIGNATURES for name in _covered(each.value)}
    return _OURS.sub(lambda match: match[0] if match[1].lower() in signed else b"", section), handling


def lane_of(word: str, where: str) -> Lane:
    """Return the lane that a word names, in any case; refuses others in the name of the field `where`."""
    try:
        return Lane[word.strip().upper()]
    except KeyError:
        refuse("5.6.0", f"{where} is {word.strip()[:40]!a}: write normal, bulk or urgent")


def tags_of(pairs: Iterable[tuple[str, str]], where: str) -> dict[str, str]:
    """Return tags, their names in lower case; refuses unfit ones in the name of the field `where`."""
    tags: dict[str, str] = {}
    for given, value in pairs:
        name = given.lower()
        if not _TAG_NAME.match(name):
            refuse("5.6.0", f"{where}: {given[:40]!a} is no name: 1 to 32 letters, digits and ._-")
        if not _TAG_VALUE.match(value):
            refuse("5.6.0", f"{where}: the value of {name} is unfit: 1 to 64 letters, digits and ._:/@+-")
        if name in tags:
            refuse("5.6.0", f"{where}: {name} is there more than once: say it once")
        tags[name] = value
    if len(tags) > TAGS_MAX:
        refuse("5.6.0", f"{where} has {len(tags)} tags: at most {TAGS_MAX} are kept")
    return tags


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            refuse("5.6.0", f"{TAGS}: {part[:40]!a} is no tag: write name=value, with commas between")
        yield name.strip(), value.strip()


def _covered(value: bytes) -> set[bytes]:
    """Return the names of the fields that a signature covers (RFC 6376 §3.5, the tag h=)."""
    listed = _SIGNED.search(value)
    names = listed[1].split(b":") if listed else []
    return {name.strip().lower() for name in names}
