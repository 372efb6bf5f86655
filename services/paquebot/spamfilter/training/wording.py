"""Texts with choices and slots: `[Dear|Hello] {first_name},` reads as many messages do.

`[a|b]` is a choice, may be nested and may hold an empty branch; `|` outside brackets divides the whole text;
`{slot}` is filled by the scene, `{slot:lower}` and `{slot:upper}` change its case; a backslash takes the next
character as it is.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

NESTING_MAX = 6

_PLAIN = re.compile(r"[^\\\[\]{|]*")
_SLOT = re.compile(r"([a-z]+(?:_[a-z]+)*)(_\d)?(?::(lower|upper))?")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to be filled. `name` has its number, `base` has not: `amount_2` and `amount`."""

    name: str
    base: str
    case: str = ""

    def filled(self, value: str) -> str:
        """Return the value in the case that the slot asks for."""
        if self.case == "lower":
            return value.lower()
        return value.upper() if self.case == "upper" else value


@dataclass(frozen=True, slots=True)
class Wording:
    """Alternatives, each a run of texts, slots and choices."""

    alternatives: tuple[tuple["str | Slot | Wording", ...], ...]

    def draw(self, rng: random.Random, fill: Callable[[str], str]) -> str:
        """Return one reading. `fill` gives a slot's value by its name."""
        pieces = self.alternatives[0] if len(self.alternatives) == 1 else rng.choice(self.alternatives)
        drawn = []
        for piece in pieces:
            if isinstance(piece, str):
                drawn.append(piece)
            elif isinstance(piece, Slot):
                drawn.append(piece.filled(fill(piece.name)))
            else:
                drawn.append(piece.draw(rng, fill))
        return "".join(drawn)

    def slots(self) -> Iterator[Slot]:
        """Yield every slot of every alternative."""
        for pieces in self.alternatives:
            for piece in pieces:
                if isinstance(piece, Slot):
                    yield piece
                elif isinstance(piece, Wording):
                    yield from piece.slots()


def wording(text: str) -> Wording:
    """Return the text as choices and slots. Raises ValueError with the cure for one that cannot be read."""
    parsed, end = _alternatives(text, 0, 0)
    if end < len(text):
        raise ValueError(f"a ] without its [ at character {end + 1}: write \\] for the character itself")
    return parsed


def _alternatives(text: str, at: int, depth: int) -> tuple[Wording, int]:
    if depth > NESTING_MAX:
        raise ValueError(f"choices nested deeper than {NESTING_MAX}: say it in two texts")
    alternatives: list[tuple[str | Slot | Wording, ...]] = []
    pieces: list[str | Slot | Wording] = []
    while at < len(text) and text[at] != "]":
        if text[at] == "|":
            alternatives.append(tuple(pieces))
            pieces = []
            at += 1
            continue
        piece, at = _piece(text, at, depth)
        if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return Wording((*alternatives, tuple(pieces))), at


def _piece(text: str, at: int, depth: int) -> tuple[str | Slot | Wording, int]:
    if text[at] == "\\":
        return text[at + 1 : at + 2], at + 2
    if text[at] == "[":
        choice, end = _alternatives(text, at + 1, depth + 1)
        if end >= len(text):
            raise ValueError(f"the [ at character {at + 1} is not closed: add ], or write \\[ for the character itself")
        return choice, end + 1
    if text[at] == "{":
        return _slot(text, at)
    run = _PLAIN.match(text, at)
    end = run.end() if run else at + 1
    return text[at:end], end


def _slot(text: str, at: int) -> tuple[Slot, int]:
    end = text.find("}", at)
    match = _SLOT.fullmatch(text, at + 1, end) if end > 0 else None
    if match is None:
        raise ValueError(f"the {{ at character {at + 1} begins no slot: write {{amount}}, or \\{{ for the character")
    return Slot(match[1] + (match[2] or ""), match[1], match[3] or ""), end + 1
