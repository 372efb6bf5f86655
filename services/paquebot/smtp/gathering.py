"""A transaction that a server is being told: what MAIL, RCPT and BDAT said so far. Values only."""

from dataclasses import dataclass, field

from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.reply import Reply
from paquebot.smtp.chunk import Chunk
from paquebot.smtp.events import MailFrom, RcptTo
from paquebot.smtp.table import NO_RECIPIENTS, TOO_LARGE, ServerLimits


@dataclass(slots=True)
class Gathering:
    """A sender, the recipients that were accepted with the last wish that was said for each, and chunks of content."""

    mail: MailFrom
    recipients: dict[str, Wish] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    size_bytes: int = 0  # of the pieces

    def add(self, rcpt: RcptTo) -> None:
        """Add a recipient."""
        self.recipients[rcpt.path] = rcpt.wish

    def refusal_of(self, chunk: Chunk, limits: ServerLimits) -> Reply | None:
        """Say why a chunk is not taken, None if it is."""
        if not self.recipients:
            return NO_RECIPIENTS
        return TOO_LARGE if self.size_bytes + chunk.size_bytes > limits.content_max_bytes else None

    def keep(self, chunk: Chunk) -> None:
        """Add a chunk that has come whole."""
        self.pieces += chunk.pieces
        self.size_bytes += chunk.size_bytes

    def envelope(self) -> Envelope:
        """Return the envelope."""
        mail = self.mail
        wishes = {path: wish for path, wish in self.recipients.items() if wish.notify or wish.orcpt}
        return Envelope(
            mail.path,
            tuple(self.recipients),
            mail.eight_bit,
            mail.utf8,
            envelope_id=mail.envelope_id,
            ret=mail.ret,
            wishes=wishes,
        )
