"""Who does not hold a domain may prove that he should, and gets nothing until then."""

from typing import Any

from paquebot.policy.values import MailDomain
from paquebot_operator.dkim.advance import Given
from paquebot_operator.dkim.contest import LOOK_S, claim_of, contend
from paquebot_operator.dkim.ownership import Claim, holder
from paquebot_operator.dns.verify import Answer, Look
from paquebot_operator.names import Key

NOW_S = 1_764_000_000
DOMAIN = MailDomain("late", "main", "shop.example", "mail-system_default")


def given(status: dict[str, Any], **fields: Any) -> Given:
    return Given(DOMAIN, "uid", "namespace uid", 0, status, None, **fields)


def entry(namespace: str, created: str, status: dict[str, Any]) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": "main", "creationTimestamp": created}
    return {"metadata": metadata, "status": status}


def test_a_token_that_is_seen_wins_the_domain() -> None:
    told = contend(given({}), NOW_S)
    (asked,) = told.questions
    assert (told.secret, told.next_s, told.report.fields["dkim"]["signing"]) == (None, 0, [])
    (condition,) = told.report.conditions
    assert condition.reason == "OwnershipUnproven"
    token = told.report.fields["ownershipToken"]
    assert condition.message.endswith(f'_mail-challenge.shop.example. 3600 IN TXT "{token}"')

    absent = Look(NOW_S, (Answer("ns.example", authoritative=True),))
    told = contend(given(dict(told.report.fields), looks={asked: absent}), NOW_S)
    assert (told.questions, told.next_s) == ((), LOOK_S)
    assert not claim_of(entry("late", "2026-02-01T00:00:00Z", dict(told.report.fields))).is_proven

    there = Look(NOW_S + LOOK_S, (Answer("ns.example", authoritative=True, values=(token,)),))
    told = contend(given(dict(told.report.fields), looks={asked: there}), NOW_S + LOOK_S)
    late = claim_of(entry("late", "2026-02-01T00:00:00Z", dict(told.report.fields)))
    assert late == Claim(Key("MailDomain", "late", "main"), "2026-02-01T00:00:00Z", is_proven=True)
    assert holder([claim_of(entry("early", "2026-01-01T00:00:00Z", {})), late]) == late


def test_a_look_that_fails_takes_no_proof_away() -> None:
    told = contend(given({}), NOW_S)
    (asked,) = told.questions
    token = told.report.fields["ownershipToken"]
    there = Look(NOW_S, (Answer("ns.example", authoritative=True, values=(token,)),))
    told = contend(given(dict(told.report.fields), looks={asked: there}), NOW_S)
    told = contend(given(dict(told.report.fields), looks={asked: Look(NOW_S + 300, failure="down")}), NOW_S + 300)
    assert claim_of(entry("late", "", dict(told.report.fields))).is_proven
