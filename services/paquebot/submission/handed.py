"""What a client hands over, whoever it is and over whatever protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paquebot.mail.delivery import Lane
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal


@dataclass(frozen=True, slots=True)
class Mail:
    """What a client hands over, and how it came. `id`, `pool` and `report_of` only come with our own reports."""

    principal: Principal
    envelope: Envelope
    content: bytes
    protocol: str
    client_name: str = ""
    client_address: str = ""
    id: str = ""
    pool: str = ""
    report_of: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)  # win over those of the header section
    lane: Lane | None = None  # None: the credential's
    idempotency_key: str = ""  # the client's own name for it, if it wants it known when it comes again
