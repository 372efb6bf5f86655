"""What a MailDomain says of content is read, told when unfit, and fills up from the levels that a model comes with."""

from typing import Any

import pytest

from paquebot.mail.verdict import Levels
from paquebot.policy.compile import compile_policy
from paquebot.policy.content import OnHoldExpiry, Thresholds
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.values import MailDomain, Policy

API = "paquebot.dev/v1alpha1"
POOL = {
    "apiVersion": API,
    "kind": "SendingPool",
    "metadata": {"name": "default", "namespace": "mail-system"},
    "spec": {"heloHostname": "out.example", "scaling": {"mode": "Manual"}, "allowedNamespaces": {"names": ["*"]}},
}
CARD = Levels(0.6, 0.8, 0.97)


def read(**content: Any) -> Thresholds:
    spec = {"domain": "shop.example", "content": content}
    metadata = {"name": "shop", "namespace": "shop"}
    shop = {"apiVersion": API, "kind": "MailDomain", "metadata": metadata, "spec": spec}
    return compile_policy([POOL, shop]).domains["shop.example"].content


def test_held_mail_waits_four_hours_and_is_delivered_unless_something_else_is_said() -> None:
    assert (read().hold_for_s, read().on_hold_expiry, read().certain) == (4 * 3600, OnHoldExpiry.DELIVER, 0.9995)
    given = read(holdFor="14d", onHoldExpiry="Refuse", certain="99%", shareForTraining=True)
    assert given == Thresholds(
        certain=0.99, hold_for_s=14 * 86_400, on_hold_expiry=OnHoldExpiry.REFUSE, share_for_training=True
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"holdFor": "15d"}, '.holdFor: "15d" is out of range; give a duration from 1s to 14d'),
        ({"onHoldExpiry": "Drop"}, '.onHoldExpiry: "Drop" is not known; write one of Deliver, Refuse'),
        ({"hold": "95%", "reject": "95%"}, ".hold: is not below `reject`"),
    ],
)
def test_what_is_unfit_is_told_with_its_place_and_a_cure(given: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyFaults) as refused:
        read(**given)
    assert f"spec.content{told}" in str(refused.value)


@pytest.mark.parametrize(
    ("wanted", "levels"),
    [
        (Thresholds(), CARD),
        (Thresholds(tag=0.1, hold=0.2, reject=0.3), Levels(0.1, 0.2, 0.3)),
        (Thresholds(hold=0.99), Levels(0.6, 0.99, 0.99)),
        (Thresholds(hold=2.0), Levels(0.6, 2.0, 0.97)),
        (Thresholds(reject=2.0), Levels(0.6, 0.8, 2.0)),
    ],
)
def test_what_is_not_given_is_as_the_card_says_and_nothing_is_rejected_below_what_is_held(
    wanted: Thresholds, levels: Levels
) -> None:
    assert wanted.over(CARD) == levels


def test_the_first_declared_of_the_senders_domains_decides() -> None:
    one = MailDomain("shop", "one", "one.example", "p", content=Thresholds(tag=0.1))
    two = MailDomain("shop", "two", "two.example", "p", content=Thresholds(tag=0.2))
    policy = Policy(domains={each.domain: each for each in (one, two)})
    assert policy.content_of("sub.one.example", "two.example") is one.content
    assert policy.content_of("other.example", "two.example") is two.content
    assert policy.content_of("other.example", "") == Thresholds()
