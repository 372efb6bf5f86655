"""Stories: what a kind of mail says, in TOML, read into values. How one becomes a message is the composer's part.

`stories/<spam|ham>/<family>.toml` holds the family's defaults and a table for each story, named by its language.
A story that cannot be read is refused with its file, its place and the cure.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from paquebot.spamfilter.training.place import PLACES, languages
from paquebot.spamfilter.training.scene import SLOTS
from paquebot.spamfilter.training.wording import Wording, wording

FOLDER = Path(__file__).parent / "stories"
LABELS = ("spam", "ham")
FORMS = ("alternative", "html", "plain")
AUTHORS = (
    "brand", "lookalike", "helpdesk", "person", "freemail", "taken_over", "shop", "list", "machine", "colleague",
)  # fmt: skip
LINKS = ("own", "tracker", "stranger", "lookalike", "shortener", "address", "pages", "storage", "none")
LAYOUTS = ("notice", "card", "receipt", "newsletter", "shop", "letter", "bare", "digest", "table")
ITEMS_MAX = 12

_FAMILY_KEYS = frozenset({"family", "forms", "author", "links", "layouts"})
_STORY_KEYS = frozenset({"subject", "weight", "forms", "author", "links", "layouts", "parts"})
_PART_KEYS = frozenset({"as", "say", "rows", "chance", "count"})
_COUNT_DEFAULT = (2, 5)


class StoryError(ValueError):
    """A story cannot be read; the text names its file, its place and the cure."""


class As(StrEnum):
    """What a part of a story becomes."""

    PREHEADER = "preheader"  # a preview that the page hides
    HEADING = "heading"
    GREETING = "greeting"
    PARAGRAPH = "paragraph"
    BUTTON = "button"
    LINK = "link"
    ROWS = "rows"  # labels and values
    ITEMS = "items"  # products, articles
    CODE = "code"
    PICTURE = "picture"
    QR = "qr"  # a picture of a code, attached or hosted
    QUOTE = "quote"  # earlier mail
    CLOSING = "closing"
    SIGNATURE = "signature"
    SMALL = "small"  # why one gets this, addresses, how to stop it
    HIDDEN = "hidden"
    ATTACHMENT = "attachment"  # its file name


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a story. `rows` is there for As.ROWS alone, `count` for As.ITEMS."""

    kind: As
    say: tuple[Wording, ...]
    rows: tuple[tuple[Wording, Wording], ...] = ()
    chance: float = 1.0
    count: tuple[int, int] = _COUNT_DEFAULT


@dataclass(frozen=True, slots=True)
class Story:
    """One story in one language. `forms` maps a form to its weight."""

    label: str
    family: str
    language: str
    subject: tuple[Wording, ...]
    parts: tuple[Part, ...]
    forms: Mapping[str, float]
    author: tuple[str, ...]
    links: tuple[str, ...]
    layouts: tuple[str, ...]
    weight: float = 1.0


@lru_cache(maxsize=1)
def stories() -> tuple[Story, ...]:
    """Return every story of the project, in the order of labels, families and files."""
    return tuple(story for label in LABELS for path in sorted((FOLDER / label).glob("*.toml")) for story in read(path))


def read(path: Path) -> tuple[Story, ...]:
    """Return the stories of a file whose folder is its label. Raises StoryError."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise StoryError(f"{path.name} is not TOML: {error}") from error
    if table.get("family") != path.stem:
        raise StoryError(f'{path.name}: family must be the file\'s name: write family = "{path.stem}"')
    defaults = {key: table[key] for key in _FAMILY_KEYS & table.keys()}
    return tuple(
        _story(f"{path.name}: [[{language}]] number {number}", path, language, defaults | told)
        for language in table
        if language not in _FAMILY_KEYS
        for number, told in enumerate(_tables(path, language, table[language]), 1)
    )


def _tables(path: Path, language: str, tables: Any) -> list[dict[str, Any]]:
    if language not in languages():
        raise StoryError(
            f"{path.name}: {language} is no language with a page in {PLACES.name}/: add {language}.toml there"
        )
    if not isinstance(tables, list):
        raise StoryError(f"{path.name}: write [[{language}]] instead of [{language}]")
    return tables


def _story(place: str, path: Path, language: str, told: dict[str, Any]) -> Story:
    unknown = told.keys() - _STORY_KEYS - {"family"}
    if unknown:
        raise StoryError(f"{place}: {', '.join(sorted(unknown))} unknown: a story has {', '.join(sorted(_STORY_KEYS))}")
    parts = tuple(_part(f"{place}, part {number}", part) for number, part in enumerate(told.get("parts", ()), 1))
    if not parts:
        raise StoryError(f"{place}: parts is missing: a story says at least one thing")
    forms = told.get("forms", {"alternative": 1})
    _among(place, "forms", forms, FORMS)
    return Story(
        label=path.parent.name,
        family=path.stem,
        language=language,
        subject=_say(f"{place}, subject", told.get("subject")),
        parts=parts,
        forms=forms,
        author=_among(place, "author", told.get("author", ("brand",)), AUTHORS),
        links=_among(place, "links", told.get("links", ("none",)), LINKS),
        layouts=_among(place, "layouts", told.get("layouts", LAYOUTS), LAYOUTS),
        weight=float(told.get("weight", 1)),
    )


def _among(place: str, key: str, given: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is given, if all of it is known and there is any."""
    if isinstance(given, str) or not given or not set(given) <= set(known):
        raise StoryError(f"{place}: {key} is {given!r}: write a list of {', '.join(known)}")
    return tuple(given)


def _part(place: str, told: dict[str, Any]) -> Part:
    unknown = told.keys() - _PART_KEYS
    if unknown or told.get("as") not in set(As):
        raise StoryError(f"{place}: {told.get('as')!r} with {sorted(told)}: `as` is one of {', '.join(As)}")
    kind = As(told["as"])
    low, high = told.get("count", _COUNT_DEFAULT)
    if not 1 <= low <= high <= ITEMS_MAX:
        raise StoryError(f"{place}: count is {[low, high]}: write [least, most] between 1 and {ITEMS_MAX}")
    chance = told.get("chance", 1.0)
    if not 0 < chance <= 1:
        raise StoryError(f"{place}: chance is {chance}: write a number above 0 and at most 1")
    if kind is As.ROWS:
        return Part(kind, (), _rows(place, told), chance)
    return Part(kind, _say(place, told.get("say")), chance=chance, count=(low, high))


def _rows(place: str, told: dict[str, Any]) -> tuple[tuple[Wording, Wording], ...]:
    """Return labels and values: pairs, or texts that a colon divides."""
    pairs = told.get("rows") or [_divided(place, text) for text in told.get("say", ())]
    if not pairs or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004  (a label and a value)
        raise StoryError(f'{place}: rows need pairs: write rows = [["Order", "{{order}}"], …]')
    return tuple((_wording(place, label), _wording(place, value)) for label, value in pairs)


def _divided(place: str, text: str) -> tuple[str, str]:
    for colon in (": ", "\uff1a", " : "):
        label, found, value = text.partition(colon)
        if found:
            return label.strip(), value.strip()
    raise StoryError(f'{place}: {text!r} is no row: write "label: value"')


def _say(place: str, texts: Any) -> tuple[Wording, ...]:
    if not isinstance(texts, list) or not texts:
        raise StoryError(f'{place}: say is missing: write say = ["…"], a list with at least one text')
    return tuple(_wording(place, text) for text in texts)


def _wording(place: str, text: str) -> Wording:
    try:
        parsed = wording(text)
    except ValueError as error:
        raise StoryError(f"{place}: {error}, in {text!r}") from error
    strange = sorted({slot.base for slot in parsed.slots()} - SLOTS)
    if strange:
        raise StoryError(f"{place}: no slot is called {', '.join(strange)}: there are {', '.join(sorted(SLOTS))}")
    return parsed
