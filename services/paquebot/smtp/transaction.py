"""One mail transaction of a client: what is asked for, and what became of it. Values only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from paquebot.mail.envelope import NO_WISH, Wish
from paquebot.mail.reply import Reply
from paquebot.smtp.dsn import mail_parameters, rcpt_parameters
from paquebot.smtp.grammar import is_mailbox, is_utf8_mailbox

_SIZE = re.compile(r"\d{1,20}")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A message for recipients of one host. `prefix` is whole header fields, sent before the content."""

    return_path: str  # "" is the null reverse-path
    recipients: tuple[str, ...]
    content: bytes
    prefix: bytes = b""
    eight_bit: bool = False
    utf8: bool = False  # the header section goes beyond ASCII (RFC 6532); paths show for themselves
    envelope_id: str = ""
    ret: str = ""
    wishes: Mapping[str, Wish] = field(default_factory=dict)  # by recipient, see Envelope

    @property
    def size_bytes(self) -> int:
        """The size RFC 1870 §3 means: with CRLF, before dot-stuffing."""
        return len(self.prefix) + len(self.content)


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """The server's words. None stands for what was not asked or not answered."""

    mail: Reply | None
    recipients: tuple[Reply | None, ...]
    data: Reply | None = None
    final: Reply | None = None
    in_doubt: bool = False  # the final dot was sent and its reply never came (RFC 1047)
    local: bool = False  # the refusals are our own words, and nothing was sent

    @property
    def accepted(self) -> tuple[bool, ...]:
        """Tell for each recipient whether the server has taken responsibility."""
        taken = self.final is not None and self.final.is_positive
        return tuple(taken and reply is not None and reply.is_positive for reply in self.recipients)


def mail_command(wanted: Transaction, extensions: Mapping[str, str]) -> str:
    """Write MAIL with the parameters this server knows (RFC 3461 §5.2.1 for those about reports)."""
    size = f" SIZE={wanted.size_bytes}" if "SIZE" in extensions else ""
    body = " BODY=8BITMIME" if wanted.eight_bit and "8BITMIME" in extensions else ""
    utf8 = " SMTPUTF8" if "SMTPUTF8" in extensions and needs_utf8(wanted) else ""
    dsn = mail_parameters(wanted.ret, wanted.envelope_id) if "DSN" in extensions else ""
    return f"MAIL FROM:<{wanted.return_path}>{size}{body}{utf8}{dsn}\r\n"


def rcpt_command(wanted: Transaction, recipient: str, extensions: Mapping[str, str]) -> str:
    """Write RCPT with what is wished for this recipient, if the server knows how to say it."""
    dsn = rcpt_parameters(wanted.wishes.get(recipient, NO_WISH)) if "DSN" in extensions else ""
    return f"RCPT TO:<{recipient}>{dsn}\r\n"


def needs_utf8(wanted: Transaction) -> bool:
    """Say whether MAIL needs SMTPUTF8: it is said only then (RFC 6531 §3.4)."""
    paths = (wanted.return_path, *wanted.recipients)
    return wanted.utf8 or not all(path.isascii() for path in paths)


def unfit(wanted: Transaction, extensions: Mapping[str, str]) -> Reply | None:
    """Say why this message must not be offered to this server, as the reply it would have given."""
    if wanted.return_path and (fault := unfit_path(wanted.return_path, "5.1.7", extensions)):
        return fault
    if wanted.utf8 and "SMTPUTF8" not in extensions:
        return Reply(554, "5.6.7", "The header section is UTF-8 and the host does not offer SMTPUTF8")
    if wanted.eight_bit and "8BITMIME" not in extensions:
        return Reply(554, "5.6.3", "The content is 8-bit and the host does not offer 8BITMIME")
    limit = extensions.get("SIZE", "")
    # RFC 1870 §4: no number, or 0, is no fixed limit.
    if _SIZE.fullmatch(limit) and 0 < int(limit) < wanted.size_bytes:
        text = f"The message has {wanted.size_bytes} octets and the host takes {limit}"
        return Reply(552, "5.3.4", text)
    return None


def unfit_path(mailbox: str, enhanced: str, extensions: Mapping[str, str]) -> Reply | None:
    """Refuse what could not stand between angle brackets: no octet of it may become a command."""
    if is_mailbox(mailbox):
        return None
    if is_utf8_mailbox(mailbox):
        lacking = Reply(553, "5.6.7", "The address goes beyond ASCII and the host does not offer SMTPUTF8")
        return None if "SMTPUTF8" in extensions else lacking
    return Reply(553, enhanced, "The address is not a mailbox")
