"""Who has authenticated, and what it may send."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A credential of a tenant with its rights.

    `senders` are mailboxes and patterns `*@domain`, all lower case. `internal` marks our own
    services, recognised by their certificate: they send reports with the null reverse-path and
    meet neither filter, quota, suppression nor admission limits.
    """

    tenant: str
    credential: str
    senders: tuple[str, ...] = ()
    any_sender: bool = False
    internal: bool = False
    messages_per_hour: int = 0  # 0: unlimited
    message_size_max_bytes: int = 26_214_400
    recipients_max: int = 100

    def may_send_as(self, mailbox: str) -> bool:
        """Say whether MAIL FROM or From may carry this mailbox. The local part is compared without case."""
        if self.any_sender or self.internal:
            return True
        lowered = mailbox.lower()
        _, at, domain = lowered.rpartition("@")
        return lowered in self.senders or (at == "@" and f"*@{domain}" in self.senders)
