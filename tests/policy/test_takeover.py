"""What may be done by itself about a taken-over account: its credential says, else its sender's domain."""

from typing import Any

import pytest

from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.takeover import TakeoverAction
from paquebot.policy.values import Policy

API = "paquebot.dev/v1alpha1"


def policy(domain: dict[str, Any], credential: dict[str, Any]) -> Policy:
    pool = {"heloHostname": "out.example", "scaling": {"mode": "Manual"}, "allowedNamespaces": {"names": ["*"]}}
    objects = [
        ("SendingPool", "default", "mail-system", pool),
        ("MailDomain", "shop", "shop", {"domain": "shop.example"} | domain),
        ("SMTPCredential", "orders", "shop", {"domainRefs": [{"name": "shop"}]} | credential),
    ]
    return compile_policy(
        [
            {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
            for kind, name, namespace, spec in objects
        ]
    )


@pytest.mark.parametrize(
    ("domain", "credential", "action"),
    [
        ({}, {}, TakeoverAction.SUSPEND),
        ({"takeover": {"action": "Observe"}}, {}, TakeoverAction.OBSERVE),
        ({"takeover": {"action": "Observe"}}, {"takeover": {"action": "Cancel"}}, TakeoverAction.CANCEL),
        ({"takeover": {"action": "Hold"}}, {"takeover": {}}, TakeoverAction.HOLD),
    ],
)
def test_the_credential_goes_before_the_domain(
    domain: dict[str, Any], credential: dict[str, Any], action: TakeoverAction
) -> None:
    assert policy(domain, credential).takeover_of("shop.orders", "shop.example") is action


def test_of_who_is_not_declared_the_default_holds() -> None:
    assert Policy().takeover_of("shop.gone", "gone.example") is TakeoverAction.SUSPEND


def test_an_unknown_action_is_told_with_its_place() -> None:
    with pytest.raises(PolicyFaults, match=r"spec\.takeover\.action.*write one of Observe, Hold, Suspend, Cancel"):
        policy({}, {"takeover": {"action": "Block"}})
