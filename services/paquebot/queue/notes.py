"""What the journal of attempts says of a delivery, as lines of text, and what follows from it. Pure.

Recipients are told by their place in the delivery: no address is in the journal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from paquebot.mail.delivery import Delivery

FORMAT = "paquebot journal 1"
_PARTS = 7


class Stage(StrEnum):
    """How far an attempt is."""

    WAITS = "w"  # none is under way; what earlier crashes left is told
    BEGUN = "b"
    DOT = "d"  # the final dot may be out, its reply has not come
    ANSWERED = "a"  # it was delivered to some recipients


@dataclass(frozen=True, slots=True)
class Past:
    """What became of an item in other hands.

    `doubt` is the host whose reply to a final dot is missing ("": it is not known which; None: there is no doubt);
    `delivered` are the places of those whom `host` took it for.
    """

    is_settled: bool = False
    crashes: int = 0
    doubt: str | None = None
    delivered: tuple[int, ...] = ()
    host: str = ""


UNTOUCHED = Past()


@dataclass(slots=True, eq=False)
class Note:
    """A delivery in hand, as the journal is to tell it."""

    delivery: Delivery
    doubt: str | None = None  # the host that did not answer an earlier final dot
    stage: Stage = Stage.WAITS
    host: str = ""  # that the last final dot went to
    delivered: tuple[int, ...] = ()
    batch: int = -1  # that tells its newest state

    def line(self) -> str:
        """Return it as the journal has it."""
        doubt = self.host if self.stage is Stage.DOT else self.doubt
        told = "" if doubt is None else f"={doubt}"
        places = ",".join(map(str, self.delivered))
        delivery = self.delivery
        return f"{delivery.name}\t{delivery.attempts}\t{delivery.crashes}\t{self.stage}\t{told}\t{places}\t{self.host}"


def write_batch(notes: Iterable[Note]) -> bytes:
    """Return notes as one message of the journal."""
    return "\n".join((FORMAT, *(note.line() for note in notes))).encode()


def read_batch(payload: bytes) -> Iterator[tuple[str, int, Past]]:
    """Yield name, attempts and past of each delivery that a message tells of; nothing when another release wrote it."""
    form, *lines = payload.decode(errors="replace").split("\n")
    for line in lines if form == FORMAT else ():
        parts = line.split("\t")
        if len(parts) != _PARTS:
            continue
        name, attempts, crashes, stage, told, places, host = parts
        doubt = told[1:] if told else None
        delivered = tuple(map(int, filter(None, places.split(","))))
        yield name, int(attempts), Past(False, int(crashes) + (stage != Stage.WAITS), doubt, delivered, host)


def joined(pasts: Iterable[Past]) -> Past:
    """Return what several owners' journals say together: none of them can take back what another saw."""
    whole = UNTOUCHED
    for past in pasts:
        whole = Past(
            whole.is_settled or past.is_settled,
            max(whole.crashes, past.crashes),
            whole.doubt if past.doubt is None else past.doubt or whole.doubt or "",
            tuple(sorted({*whole.delivered, *past.delivered})),
            past.host or whole.host,
        )
    return whole
