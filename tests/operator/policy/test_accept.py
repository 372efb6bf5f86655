"""One object's fault stops no other's mail, nor its own as it was."""

from collections.abc import Mapping
from typing import Any

from paquebot_operator.conditions import FALSE, TRUE
from paquebot_operator.names import Key
from paquebot_operator.policy.accept import Accepted, Verdict, accept, judged

PLATFORM = "mail-system"
POOL: dict[str, Any] = {"heloHostname": "out.example.com", "allowedNamespaces": {"names": ["*"]}}


def entry(kind: str, name: str, spec: Mapping[str, Any], namespace: str = "shop") -> dict[str, Any]:
    metadata = {"name": name} | ({} if kind == "DestinationPolicy" else {"namespace": namespace})
    return {"apiVersion": "paquebot.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": dict(spec)}


def pool(name: str = "default", **spec: Any) -> dict[str, Any]:
    return entry("SendingPool", name, POOL | spec, PLATFORM)


def domain(name: str, **spec: Any) -> dict[str, Any]:
    return entry("MailDomain", name, {"domain": f"{name}.example", "poolRef": {"name": "default"}} | spec)


def credential(name: str, *domains: str) -> dict[str, Any]:
    return entry("SMTPCredential", name, {"domainRefs": [{"name": each} for each in domains]})


def names(accepted: Accepted) -> list[str]:
    return [each["metadata"]["name"] for each in accepted.objects]


def key(kind: str, name: str, namespace: str = "shop") -> Key:
    return Key(kind, namespace, name)


def test_what_is_right_is_all_accepted() -> None:
    accepted = accept([pool(), domain("a"), credential("c", "a")], [], PLATFORM)
    assert names(accepted) == ["default", "a", "c"]
    assert accepted.verdicts == {}
    assert set(accepted.policy.domains) == {"a.example"}


def test_what_is_wrong_is_left_out_and_the_others_stay() -> None:
    wrong = domain("b", limits={"maxRecipients": 0})
    accepted = accept([pool(), domain("a"), wrong], [], PLATFORM)
    assert names(accepted) == ["default", "a"]
    assert [fault.path for fault in accepted.verdicts[key("MailDomain", "b")].faults] == ["spec.limits.maxRecipients"]


def test_a_wrong_change_leaves_the_version_before_in_force() -> None:
    before = [pool(), domain("a", limits={"maxRecipients": 5})]
    accepted = accept([pool(), domain("a", limits={"maxRecipients": -5})], before, PLATFORM)
    assert accepted.policy.domains["a.example"].limits.recipients_max == 5
    assert accepted.verdicts[key("MailDomain", "a")].kept


def test_keys_go_on_while_a_change_is_wrong() -> None:
    before = [pool(), domain("a") | {"status": {"dkim": {"signing": ["pq1-ed"]}}}]
    now = domain("a", limits={"maxRecipients": -5}) | {"status": {"dkim": {"signing": ["pq2-ed"]}}}
    accepted = accept([pool(), now], before, PLATFORM)
    assert accepted.policy.domains["a.example"].signing == ("pq2-ed",)


def test_what_no_longer_goes_as_it_was_is_left_out_too() -> None:
    before = [pool(), domain("a", poolRef={"name": "gone"})]
    accepted = accept([pool(), domain("a", poolRef={"name": "missing"})], before, PLATFORM)
    assert names(accepted) == ["default"]
    verdict = accepted.verdicts[key("MailDomain", "a")]
    assert not verdict.kept
    assert "mail-system/missing" in verdict.faults[0].text  # of the object as it stands, not of the one before


def test_what_refers_to_what_is_left_out_is_left_out_in_turn_and_says_what_it_lacks() -> None:
    accepted = accept([pool(heloHostname="nonsense"), domain("a"), credential("c", "a")], [], PLATFORM)
    assert names(accepted) == []
    assert judged(accepted.verdicts[key("SendingPool", "default", PLATFORM)])[0].status == FALSE
    assert judged(accepted.verdicts[key("MailDomain", "a")])[1].reason == "PoolNotFound"
    assert judged(accepted.verdicts[key("SMTPCredential", "c")])[1].reason == "DomainNotFound"


def test_of_two_that_claim_one_domain_the_first_has_it() -> None:
    other = domain("x", domain="a.example")
    accepted = accept([pool(), domain("a"), other], [], PLATFORM)
    assert names(accepted) == ["default", "a"]
    accepted_condition, resolved = judged(accepted.verdicts[key("MailDomain", "x")])
    assert (accepted_condition.status, accepted_condition.reason) == (FALSE, "DomainConflict")
    assert resolved.status == TRUE
    assert "claimed by shop/a" in accepted_condition.message


def test_a_message_names_the_field_and_the_cure() -> None:
    accepted = accept([pool(), domain("a", content={"reject": 7})], [], PLATFORM)
    condition, _ = judged(accepted.verdicts[key("MailDomain", "a")])
    assert condition.message.startswith("spec.content.reject: ")
    assert "; " in condition.message


def test_nothing_wrong_is_told_of_what_is_right() -> None:
    assert [each.status for each in judged(Verdict())] == [TRUE, TRUE]
