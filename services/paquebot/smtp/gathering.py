"""A transaction that a server is being told: what MAIL and RCPT said so far. Values only."""

from dataclasses import dataclass, field

from paquebot.mail.envelope import Envelope, Wish
from paquebot.smtp.events import MailFrom, RcptTo


@dataclass(slots=True)
class Gathering:
    """A sender and the recipients that were accepted, with the last wish that was said for each."""

    mail: MailFrom
    recipients: dict[str, Wish] = field(default_factory=dict)

    def add(self, rcpt: RcptTo) -> None:
        """Add a recipient."""
        self.recipients[rcpt.path] = rcpt.wish

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
