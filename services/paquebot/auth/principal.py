"""What a credential amounts to under a policy: whether it stands, and as what. Pure."""

from paquebot.mail.principal import Principal
from paquebot.policy.values import MailDomain, Policy, SMTPCredential


def fallen(credential: SMTPCredential | None, now_ms: int) -> str:
    """Return why nobody may use the credential, for the log; empty when it stands."""
    if credential is None:
        return "unknown"
    if credential.suspend:
        return "suspended"
    if credential.expires_at_ms and now_ms >= credential.expires_at_ms:
        return "expired"
    return ""


def principal_of(credential: SMTPCredential, policy: Policy) -> Principal:
    """Return who the credential is, limited as strictly as itself and every domain it may send from."""
    limits = credential.limits
    domains = _domains(credential, policy)
    rates = [each.limits.messages_per_hour for each in domains]
    sizes = [each.limits.message_size_max_bytes for each in domains]
    together = sum(rates) if all(rates) else 0
    return Principal(
        tenant=credential.namespace,
        credential=credential.name,
        senders=credential.senders,
        any_sender=credential.any_sender,
        messages_per_hour=_least(limits.messages_per_hour, together),
        message_size_max_bytes=min([limits.message_size_max_bytes, *sizes]),
        recipients_max=min([limits.recipients_max, *(each.limits.recipients_max for each in domains)]),
    )


def _domains(credential: SMTPCredential, policy: Policy) -> list[MailDomain]:
    found = (policy.domain_of(sender.rpartition("@")[2]) for sender in credential.senders)
    return list({each.domain: each for each in found if each is not None}.values())


def _least(one: int, other: int) -> int:
    """Return the lower limit, where 0 is none."""
    return min(one, other) if one and other else one or other
