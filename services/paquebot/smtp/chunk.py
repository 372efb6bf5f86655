"""One chunk of a content that comes by BDAT (RFC 3030 §2): how much of it is still to come, and what becomes of it."""

import re
from dataclasses import dataclass, field

from paquebot.mail.reply import Reply
from paquebot.smtp.receivebuffer import ReceiveBuffer
from paquebot.smtp.table import TOO_LARGE

_UNREADABLE = Reply(501, "5.5.4", "BDAT wants a size, then LAST for the last chunk; what follows cannot be read")
_ARGUMENT = re.compile(rb"(\d{1,18})(?: +(LAST))?", re.IGNORECASE)


@dataclass(slots=True)
class Chunk:
    """`refusal`: its octets are read, because nothing else could be read behind them, and thrown away."""

    size_bytes: int
    last: bool
    refusal: Reply | None = None
    pieces: list[bytes] = field(default_factory=list)
    left_bytes: int = 0

    def __post_init__(self) -> None:
        self.left_bytes = self.size_bytes

    @property
    def kept_bytes(self) -> int:
        """How many octets have come and are kept."""
        return self.size_bytes - self.left_bytes if self.refusal is None else 0

    def read(self, buffer: ReceiveBuffer) -> bool:
        """Take what has come; return True once all of it has."""
        piece = buffer.take(self.left_bytes)
        self.left_bytes -= len(piece)
        if piece and self.refusal is None:
            self.pieces.append(piece)
        return self.left_bytes == 0


def chunk(argument: bytes, size_max_bytes: int) -> Chunk | Reply:
    """Read `size [LAST]`; a Reply: it cannot be known where the chunk ends, or it is too far away to be reached."""
    match = _ARGUMENT.fullmatch(argument)
    if match is None:
        return _UNREADABLE
    size_bytes = int(match[1])
    return TOO_LARGE if size_bytes > size_max_bytes else Chunk(size_bytes, match[2] is not None)
