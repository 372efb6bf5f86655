"""Held mail on a desk: rows, where the reader is, and what was decided. Pure: a key in, a desk and a wish out."""

from dataclasses import dataclass, replace
from enum import StrEnum

from paquebot.mail.delivery import Delivery


class Wish(StrEnum):
    """What a key asks for."""

    NOTHING = ""
    RELEASE = "release"
    REFUSE = "refuse"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class HeldMail:
    """A message that the filter holds; its deliveries are decided about together. Texts are as people read them."""

    deliveries: tuple[Delivery, ...]
    author: str
    subject: str

    @property
    def id(self) -> str:
        """The message's id."""
        return self.deliveries[0].id

    @property
    def alarmed(self) -> bool:
        """True when its account did not act like itself."""
        return any(each.alarmed for each in self.deliveries)

    @property
    def why(self) -> str:
        """Why it is held, without the words that all of it begin with."""
        return self.deliveries[0].reason.partition(": ")[2]


@dataclass(frozen=True, slots=True)
class Desk:
    """Rows, the one that the reader is at, whether it is open, and what was decided, by id."""

    rows: tuple[HeldMail, ...]
    at: int = 0
    is_open: bool = False
    said: str = ""

    @property
    def row(self) -> HeldMail | None:
        """The row that the reader is at."""
        return self.rows[self.at] if self.rows else None

    def without(self, ident: str, said: str) -> "Desk":
        """Return the desk when a message has been decided about."""
        rows = tuple(each for each in self.rows if each.id != ident)
        return replace(self, rows=rows, at=max(0, min(self.at, len(rows) - 1)), is_open=False, said=said)


_MOVES = {"j": 1, "k": -1}
_WISHES = {"r": Wish.RELEASE, "x": Wish.REFUSE, "q": Wish.QUIT}
_ALARMED = "its account did not act like itself: only `paquebot spam release --despite-alarm` lets it go"


def pressed(desk: Desk, key: str) -> tuple[Desk, Wish]:
    """Return the desk after a key, and what it asks for."""
    desk, wish = replace(desk, said=""), _WISHES.get(key, Wish.NOTHING)
    if key in _MOVES:
        desk = replace(desk, at=max(0, min(desk.at + _MOVES[key], len(desk.rows) - 1)))
    elif key in "\r\n":
        desk = replace(desk, is_open=not desk.is_open)
    elif wish is Wish.RELEASE and desk.row is not None and desk.row.alarmed:
        return replace(desk, said=_ALARMED), Wish.NOTHING
    return desk, wish
