"""The envelope of a message (RFC 5321 §2.3.1): who gets reports, who gets the message, and what is told to whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wish:
    """What the sender wants to be told about one recipient (RFC 3461 §4.1, §4.2).

    `notify`: NEVER alone, or some of SUCCESS, FAILURE, DELAY; () when nothing was said, which means FAILURE and DELAY.
    `orcpt` is the original recipient as `type;address`, decoded from xtext; "" when it was not given.
    """

    notify: tuple[str, ...] = ()
    orcpt: str = ""

    def wants(self, what: str) -> bool:
        """Say whether a report of this kind (SUCCESS, FAILURE or DELAY) is wanted."""
        return what in (self.notify or ("FAILURE", "DELAY"))


NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class Envelope:
    """A reverse-path and the recipients, as given in MAIL and RCPT.

    Paths are bare mailboxes without angle brackets; the local part is kept byte for byte
    (it is case-sensitive, RFC 5321 §2.4) and the domain is lower case. The null reverse-path is "".
    """

    reverse_path: str
    recipients: tuple[str, ...]
    eight_bit: bool = False  # BODY=8BITMIME was said, or the content holds octets above 127
    utf8: bool = False  # SMTPUTF8 was said (RFC 6531): paths or header fields may go beyond ASCII
    envelope_id: str = ""  # ENVID, decoded from xtext (RFC 3461 §4.4)
    ret: str = ""  # FULL or HDRS, what a report returns (RFC 3461 §4.3); "" when nothing was said
    wishes: Mapping[str, Wish] = field(default_factory=dict)  # by recipient; only those that were said
