"""Text as the model reads it: folded code points, one space between tokens, nothing that tells how it was spaced.

Compatibility forms, case, zero-width letters, look-alike letters inside a word of mixed scripts and the digits 1 to 9
are folded. Punctuation divides; marks that carry meaning (money, %, !, ?, emoji) stay as tokens of their own.
Addresses of hosts and mailboxes become one token each: whose they are is a matter of reputation, not of content.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paquebot.spamfilter.lookalike import LATIN_READING

TEXT_MAX = 24_576  # code points of a message that are read

SPACE: Final = 32
WORD, MARK, IDEOGRAPH, CUT, DROP = 1, 2, 3, 0, 4  # classes of code points
_PLANE = 65_536
_HIGH_IDEOGRAPHS = 0x20000
_CHUNK = 4_096

# Old collections put spaces around every mark; so does who hides an address. Nothing here is tried twice:
# beginnings are word beginnings, repetitions are possessive.
_URL = re.compile(
    r"(?<!\w)(?:https?\s{0,3}:\s{0,3}/\s{0,3}/\s?|www\s?\.\s?)[^\s<>\"]{1,400}+(?:\s?[./]\s?[^\s<>\"./]{1,100}+){0,12}"
)
_MAILBOX = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}+\s?@\s?[\w-]{1,63}+(?:\s?\.\s?[\w-]{2,63}+){1,4}")
_HOST = re.compile(
    r"(?<![\w-])[\w-]{2,63}+(?:\s?\.\s?(?!(?:com|net|org|info|biz)\b)[\w-]{2,63}+){0,3}"
    r"\s?\.\s?(?:com|net|org|info|biz)\b(?:/[^\s<>\"]{0,200}+)?"
)
_URL_TOKEN, _MAILBOX_TOKEN = " ulinku ", " umailu "
_MARKS = "!?$%&€£¥₩₽₹₿@#*=+"
# The same folding for ASCII, where whole octets can be replaced at once.
_ASCII = (
    bytes(
        ord("0") if chr(octet).isdigit() else octet if chr(octet).isalnum() or chr(octet) in _MARKS else SPACE
        for octet in range(128)
    )
    + bytes([SPACE]) * 128
)
_ASCII_MARKS = tuple((mark.encode(), f" {mark} ".encode()) for mark in _MARKS if mark.isascii())


@dataclass(frozen=True, slots=True)
class Tables:
    """What becomes of each code point of the basic plane, and of which class it is then."""

    folded: NDArray[np.uint32]
    classes: NDArray[np.uint8]
    scripts: NDArray[np.uint8]  # 1 Latin, 2 Cyrillic or Greek, which are mixed to deceive


@dataclass(frozen=True, slots=True)
class Letters:
    """A normalised text: code points with single spaces between tokens, and what folding came across."""

    points: NDArray[np.uint32]
    zero_width: int  # letters that nobody sees
    mixed_words: int  # words of Latin and Cyrillic or Greek letters


_NOTHING = Letters(np.empty(0, np.uint32), 0, 0)


def letters(text: str) -> Letters:
    """Normalise at most TEXT_MAX code points of a text. There is a space before the first token and after the last."""
    text = _without_addresses(_compatible(text[:TEXT_MAX]).casefold()[:TEXT_MAX])
    return _of_ascii(text) if text.isascii() else _of_any(text)


def prepare() -> None:
    """Make the tables now, some 50 ms, and not while the first text that is not ASCII waits."""
    _tables()
    _latin_readings()


def _of_ascii(text: str) -> Letters:
    octets = text.encode("ascii").translate(_ASCII)
    for mark, spaced in _ASCII_MARKS:
        if mark in octets:
            octets = octets.replace(mark, spaced)
    tokens = octets.split()
    if not tokens:
        return _NOTHING
    octets = b" %b " % b" ".join(tokens)
    return Letters(np.frombuffer(octets, np.uint8).astype(np.uint32), 0, 0)


def _of_any(text: str) -> Letters:
    raw = np.frombuffer(f" {text} ".encode("utf-32-le", "replace"), np.uint32)
    tables = _tables()
    low = np.minimum(raw, _PLANE - 1)
    points = np.where(raw < _PLANE, tables.folded[low], raw)
    classes = np.where(raw < _PLANE, tables.classes[low], _high_classes(raw))
    kept = classes != DROP
    zero_width = int(raw.size - np.count_nonzero(kept))
    if zero_width:
        points, classes = points[kept], classes[kept]
    points = _spaced(points, classes)
    if points.size == 1:  # nothing but a space
        return Letters(_NOTHING.points, zero_width, 0)
    return Letters(points, zero_width, _fold_mixed(points, tables))


def _compatible(text: str) -> str:
    """Return the NFKC form, TEXT_MAX at most: one letter may stand for eighteen."""
    if text.isascii():
        return text
    pieces: list[str] = []
    room = TEXT_MAX
    for start in range(0, len(text), _CHUNK):
        pieces.append(unicodedata.normalize("NFKC", text[start : start + _CHUNK])[:room])
        room -= len(pieces[-1])
        if room <= 0:
            break
    return "".join(pieces)


def _without_addresses(text: str) -> str:
    if "http" in text or "www" in text:
        text = _URL.sub(_URL_TOKEN, text)
    if "@" in text:
        text = _MAILBOX.sub(_MAILBOX_TOKEN, text)
    if ".com" in text or ". com" in text or ".net" in text or ".org" in text:
        text = _HOST.sub(_URL_TOKEN, text)
    return text


def _spaced(points: NDArray[np.uint32], classes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Put single spaces around marks and instead of everything that divides."""
    marks = classes == MARK
    if marks.any():
        times = np.where(marks, 3, 1)
        ends = np.cumsum(times)
        middle = ends[marks] - 2
        points, classes = np.repeat(points, times), np.repeat(classes, times)
        for side in (middle - 1, middle + 1):
            points[side], classes[side] = SPACE, CUT
    spaces = classes == CUT
    points = np.where(spaces, np.uint32(SPACE), points)
    kept = ~spaces
    kept[0] = True
    kept[1:] |= ~spaces[:-1]
    spaced: NDArray[np.uint32] = points[kept]
    return spaced


def _fold_mixed(points: NDArray[np.uint32], tables: Tables) -> int:
    """Fold look-alike letters in words that mix scripts, in place; return how many words do."""
    scripts = tables.scripts[np.minimum(points, _PLANE - 1)]
    foreign = scripts == 2  # noqa: PLR2004  (named in Tables)
    if not foreign.any() or not (scripts == 1).any():
        return 0
    word = np.cumsum(points == SPACE)
    latin = np.bincount(word, scripts == 1)
    mixed = (latin > 0) & (np.bincount(word, foreign) > 0)
    if not mixed.any():
        return 0
    inside = mixed[word] & foreign
    points[inside] = _latin_readings()[points[inside]]
    return int(np.count_nonzero(mixed))


def _high_classes(raw: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Class code points beyond the basic plane: ideographs, and signs such as emoji."""
    return np.where(raw >= _HIGH_IDEOGRAPHS, np.uint8(IDEOGRAPH), np.uint8(MARK)).astype(np.uint8)


@lru_cache(maxsize=1)
def _tables() -> Tables:
    folded = np.arange(_PLANE, dtype=np.uint32)
    classes = np.full(_PLANE, CUT, np.uint8)
    plane = "".join(chr(point) if not 0xD800 <= point < 0xE000 else " " for point in range(_PLANE))  # noqa: PLR2004
    for match in re.finditer(r"[^\W_]+", plane):
        classes[match.start() : match.end()] = WORD
    for point in range(_PLANE):
        kind = unicodedata.category(plane[point])
        if kind == "Nd":
            folded[point] = ord("0")
        elif kind in {"Cf", "Mn", "Me"} or 0xFE00 <= point <= 0xFE0F:  # noqa: PLR2004  (variation selectors)
            classes[point] = DROP if kind != "Mn" or 0x300 <= point < 0x370 else WORD  # noqa: PLR2004
        elif kind == "Mc":
            classes[point] = WORD
        elif kind == "So":
            classes[point] = MARK
    for mark in _MARKS:
        classes[ord(mark)] = MARK
    for start, end in ((0x3040, 0x3100), (0x3400, 0xA000), (0xF900, 0xFB00)):  # kana, ideographs
        classes[start:end] = np.where(classes[start:end] == WORD, IDEOGRAPH, classes[start:end])
    return Tables(folded, classes, _scripts(plane))


def _scripts(plane: str) -> NDArray[np.uint8]:
    scripts = np.zeros(_PLANE, np.uint8)
    for start, end, script in ((0x41, 0x250, 1), (0x370, 0x400, 2), (0x400, 0x530, 2)):
        for point in range(start, end):
            scripts[point] = script if plane[point].isalpha() else 0
    return scripts


@lru_cache(maxsize=1)
def _latin_readings() -> NDArray[np.uint32]:
    readings = np.arange(_PLANE, dtype=np.uint32)
    for letter, latin in LATIN_READING.items():
        readings[ord(letter)] = ord(latin)
    return readings
