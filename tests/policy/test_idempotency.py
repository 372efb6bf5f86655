"""What an SMTPCredential says about messages that are sent again is read, and told when unfit."""

from typing import Any

import pytest

from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.idempotency import Idempotency, Key

API = "paquebot.dev/v1alpha1"
POOL = {
    "apiVersion": API,
    "kind": "SendingPool",
    "metadata": {"name": "default", "namespace": "mail-system"},
    "spec": {"heloHostname": "out.example", "scaling": {"mode": "Manual"}},
}


def objects(**idempotency: Any) -> list[dict[str, Any]]:
    metadata = {"name": "relay", "namespace": "mail-system"}
    spec = {"anySender": True, "idempotency": idempotency}
    return [POOL, {"apiVersion": API, "kind": "SMTPCredential", "metadata": metadata, "spec": spec}]


def read(**idempotency: Any) -> Idempotency:
    return compile_policy(objects(**idempotency)).credentials["mail-system.relay"].idempotency


def test_an_envelope_id_names_a_message_for_a_day_unless_something_else_is_said() -> None:
    assert read() == Idempotency(Key.ENVELOPE_ID, 86_400)
    assert read(key="MessageID", window="7d") == Idempotency(Key.MESSAGE_ID, 7 * 86_400)
    assert read(key="None", window="1m") == Idempotency(Key.NONE, 60)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"key": "Off"}, '.key: "Off" is not known; write one of EnvelopeID, MessageID, None'),
        ({"window": "8d"}, '.window: "8d" is out of range; give a duration from 1m to 168h'),
        ({"window": "59s"}, '.window: "59s" is out of range; give a duration from 1m to 168h'),
        ({"for": "1d"}, ".for: is not a known field"),
    ],
)
def test_what_is_unfit_is_told_with_its_field_and_cure(given: dict[str, Any], told: str) -> None:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy(objects(**given))
    (fault,) = refused.value.faults
    assert f"spec.idempotency{told}" in str(fault)
