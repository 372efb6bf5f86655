"""A credential's rights and limits under a policy."""

from dataclasses import replace

from paquebot.auth.principal import fallen, principal_of
from paquebot.policy.values import Limits, MailDomain, Policy, SMTPCredential

NOW = 1_790_000_000_000
WEB = SMTPCredential("shop", "web", ("*@a.example", "x@news.b.example"), limits=Limits(9000, 20 << 20, 80))


def policy(**limits: Limits) -> Policy:
    return Policy(
        domains={
            f"{at}.example": MailDomain("shop", at, f"{at}.example", "p", limits=each) for at, each in limits.items()
        }
    )


def test_a_principal_is_limited_as_strictly_as_any_of_its_domains() -> None:
    principal = principal_of(WEB, policy(a=Limits(5000, 10 << 20, 100), b=Limits(3000, 30 << 20, 50)))
    assert (principal.tenant, principal.credential, principal.senders) == ("shop", "web", WEB.senders)
    assert principal.messages_per_hour == 8000
    assert principal.message_size_max_bytes == 10 << 20
    assert principal.recipients_max == 50


def test_an_unlimited_domain_leaves_the_credential_its_own_rate() -> None:
    assert principal_of(WEB, policy(a=Limits(5000), b=Limits(0))).messages_per_hour == 9000


def test_an_unlimited_credential_takes_the_rate_of_its_domains() -> None:
    free = replace(WEB, limits=Limits(0))
    assert principal_of(free, policy(a=Limits(5000), b=Limits(1))).messages_per_hour == 5001


def test_a_relay_keeps_its_own_limits_and_may_send_as_anyone() -> None:
    relay = SMTPCredential("mail-system", "relay", any_sender=True, limits=Limits(7, 8, 9))
    principal = principal_of(relay, policy(a=Limits(1, 1, 1)))
    assert principal.may_send_as("anyone@x.test")
    assert (principal.messages_per_hour, principal.message_size_max_bytes, principal.recipients_max) == (7, 8, 9)


def test_why_a_credential_does_not_stand() -> None:
    assert fallen(None, NOW) == "unknown"
    assert fallen(WEB, NOW) == ""
    assert fallen(replace(WEB, suspend=True), NOW) == "suspended"
    assert fallen(replace(WEB, expires_at_ms=NOW + 1), NOW) == ""
    assert fallen(replace(WEB, expires_at_ms=NOW), NOW) == "expired"
