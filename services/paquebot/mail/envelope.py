"""The envelope of a message (RFC 5321 §2.3.1): who gets reports, who gets the message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """A reverse-path and the recipients, as given in MAIL and RCPT.

    Paths are bare mailboxes without angle brackets; the local part is kept byte for byte
    (it is case-sensitive, RFC 5321 §2.4) and the domain is lower case. The null reverse-path is "".
    """

    reverse_path: str
    recipients: tuple[str, ...]
    eight_bit: bool = False  # BODY=8BITMIME was said, or the content holds octets above 127
