"""One call tells what keys and records come to; followed to the letter, mail is signed by keys that verify."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from paquebot.dkim.keys import generate
from paquebot.policy.publication import Mode, Publication, Rotation
from paquebot.policy.values import MailDomain
from paquebot_operator.conditions import Condition
from paquebot_operator.dkim import keystore
from paquebot_operator.dkim.advance import Advance, Given, Platform, advance, with_signing
from paquebot_operator.dkim.rotation import HANDOVER_S, MARGIN_S
from paquebot_operator.dns.lookup import Question
from paquebot_operator.dns.verify import Answer, Look

HOUR_S, DAY_S = 3600, 86_400
START_S = 1_764_000_000
PLATFORM = Platform("mail-system", ("dkim.mail.example",), "spf.mail.example")
DOMAIN = MailDomain("shop", "main", "shop.example", "mail-system_default", dkim_algorithms=("Ed25519",))
KEY_NAME = "pq1-ed._domainkey.shop.example"
POOL_EXPIRY_S = 5 * DAY_S


class Cluster:
    """An API server that keeps what it is told, and a DNS that says what it is told."""

    def __init__(self, domain: MailDomain = DOMAIN) -> None:
        self.domain = domain
        self.status: dict[str, Any] = {"observedGeneration": -1}
        self.secret: dict[str, Any] | None = None
        self.endpoint: dict[str, Any] | None = None
        self.namespace_uid = "namespace uid"
        self.now_s = START_S
        self.dns: dict[tuple[str, str], list[str]] = {}
        self.failure = ""
        self.events: list[str] = []
        self.looked = 0
        self.last: Advance | None = None

    def advance(self, looks: dict[Question, Look] | None = None, *, contested: bool = False) -> Advance:
        given = Given(
            self.domain, "uid", self.namespace_uid, POOL_EXPIRY_S, self.status, self.secret, looks or {}, contested
        )
        told = advance(given, PLATFORM, self.now_s)
        self.secret = dict(told.secret) if told.secret else self.secret
        self.endpoint = dict(told.endpoint) if told.endpoint else None
        self.status = {"observedGeneration": 1} | dict(told.report.fields)
        self.events += told.changes
        self.last = told
        return told

    def settle(self, *, contested: bool = False) -> Advance:
        """Do what is told until only time can go on."""
        told = self.advance(contested=contested)
        for _ in range(20):
            if told.questions:
                self.looked += 1
                told = self.advance({each: self.look(each) for each in told.questions}, contested=contested)
            elif told.next_s == 0:
                told = self.advance(contested=contested)
            else:
                return told
        pytest.fail("it never rests")

    def look(self, question: Question) -> Look:
        values = tuple(self.dns.get((question.name, question.type), ()))
        own = Answer("ns.example", authoritative=True, values=values, failure=self.failure, ttl_s=60)
        return Look(self.now_s, (own, replace(own, server="192.0.2.1", authoritative=False)))

    def go_on(self, seconds: int) -> Advance:
        """Let time go by, called when it was asked for and at the end."""
        end_s = self.now_s + seconds
        told = self.settle()
        while self.now_s + told.next_s < end_s:
            self.now_s += told.next_s
            told = self.settle()
        self.now_s = end_s
        return self.settle()

    def publish(self, *purposes: str) -> None:
        """Put the records that the status lists into the DNS, and nothing else."""
        self.dns.clear()
        for record in self.status["dns"]["records"]:
            if record["purpose"] in (purposes or ("DKIM",)):
                self.dns.setdefault((record["name"], record["type"]), []).append(record["value"])

    def condition(self, kind: str) -> Condition:
        assert self.last is not None
        return next(each for each in self.last.report.conditions if each.type == kind)

    @property
    def signing(self) -> list[str]:
        return list(self.status["dkim"]["signing"])

    def states(self) -> dict[str, str]:
        return {each["name"]: each["state"] for each in self.status["dkim"]["selectors"]}


def signing_cluster(domain: MailDomain = DOMAIN) -> Cluster:
    cluster = Cluster(domain)
    cluster.settle()
    cluster.publish()
    cluster.go_on(60)
    assert cluster.signing == ["pq1-ed"]
    return cluster


def test_a_new_domain_has_keys_in_a_secret_and_says_what_to_add() -> None:
    cluster = Cluster()
    told = cluster.advance()
    assert told.secret is not None
    assert set(keystore.read(told.secret).pems) == {"pq1-ed"}
    assert (told.questions, told.next_s, cluster.signing) == ((), 10, [])
    assert cluster.condition("KeysReady") == Condition("KeysReady", "True", "KeysAvailable", "pq1-ed is Pending")
    condition = cluster.condition("DNSVerified")
    assert (condition.status, condition.reason) == ("Unknown", "NotChecked")
    assert f'{KEY_NAME}. 3600 IN TXT "v=DKIM1; k=ed25519; p=' in condition.message


def test_what_is_missing_is_told_with_the_line_to_add_and_what_is_there_signs() -> None:
    cluster = Cluster()
    cluster.go_on(15)
    condition = cluster.condition("DNSVerified")
    assert (condition.status, condition.reason) == ("False", "RecordMissing")
    assert condition.message.startswith(f"1 of 1 records missing; add:\n{KEY_NAME}. 3600 IN TXT ")
    cluster.publish()
    cluster.go_on(60)
    assert cluster.signing == ["pq1-ed"]
    assert cluster.condition("DNSVerified").status == "True"
    assert cluster.events == [
        "pq1-ed is Pending now",
        "pq1-ed is Verified now, it was Pending",
        "pq1-ed is Active now, it was Verified",
    ]


def test_something_else_in_its_place_is_quoted() -> None:
    cluster = Cluster()
    cluster.settle()
    cluster.dns[KEY_NAME, "TXT"] = ["v=DKIM1; p=mine"]
    cluster.go_on(15)
    condition = cluster.condition("DNSVerified")
    assert condition.reason == "RecordMismatch"
    assert f'TXT {KEY_NAME} is "v=DKIM1; p=mine"; it should be:\n{KEY_NAME}. 3600' in condition.message
    assert cluster.status["dns"]["records"][0]["observed"] == "v=DKIM1; p=mine"


def test_a_resolver_that_hiccups_makes_it_unknown_and_stops_nothing() -> None:
    cluster = signing_cluster()
    cluster.failure = "SERVFAIL"
    cluster.go_on(8 * HOUR_S)
    assert (cluster.condition("DNSVerified").status, cluster.condition("DNSVerified").reason) == (
        "Unknown",
        "LookupFailed",
    )
    assert cluster.signing == ["pq1-ed"]
    cluster.failure = ""
    cluster.go_on(2 * HOUR_S)
    assert cluster.condition("DNSVerified").status == "True"


def test_a_record_that_vanishes_is_missing_after_an_hour_and_the_key_signs_on() -> None:
    cluster = signing_cluster()
    records = dict(cluster.dns)
    cluster.go_on(8 * HOUR_S)
    looked, cluster.dns = cluster.looked, {}
    while cluster.looked == looked:
        cluster.go_on(600)
    assert cluster.condition("DNSVerified").status == "True"
    cluster.go_on(2 * HOUR_S)
    assert cluster.condition("DNSVerified").reason == "RecordMissing"
    assert cluster.signing == ["pq1-ed"]
    cluster.dns = records
    cluster.go_on(HOUR_S)
    assert cluster.condition("DNSVerified").status == "True"


def test_steady_domains_are_looked_at_four_times_a_day() -> None:
    cluster = signing_cluster()
    cluster.looked = 0
    cluster.go_on(5 * DAY_S)
    assert 15 <= cluster.looked <= 25


def test_by_hand_the_next_key_waits_for_its_record_while_the_one_before_signs() -> None:
    cluster = signing_cluster(replace(DOMAIN, rotation=Rotation(30 * DAY_S, 6 * DAY_S)))
    cluster.go_on(30 * DAY_S)
    condition = cluster.condition("DNSVerified")
    assert (condition.status, condition.reason, cluster.signing) == ("False", "RotationPending", ["pq1-ed"])
    assert "add:\npq2-ed._domainkey.shop.example. 3600 IN TXT" in condition.message
    cluster.publish()
    cluster.go_on(HOUR_S)  # found by then, and everybody has to forget for as long again
    assert (cluster.states(), cluster.signing) == ({"pq1-ed": "Active", "pq2-ed": "Published"}, ["pq1-ed"])
    cluster.go_on(HOUR_S + MARGIN_S)
    assert cluster.signing == ["pq2-ed", "pq1-ed"]
    cluster.go_on(HANDOVER_S + 1)
    assert cluster.signing == ["pq2-ed"]
    assert len([each for each in cluster.status["dns"]["records"] if each["purpose"] == "DKIM"]) == 2
    cluster.go_on(6 * DAY_S)
    assert cluster.states() == {"pq1-ed": "Retired", "pq2-ed": "Active"}
    assert set(keystore.read(cluster.secret).pems) == {"pq2-ed"}
    assert [each["name"] for each in cluster.status["dns"]["records"] if each["purpose"] == "DKIM"] == [
        "pq2-ed._domainkey.shop.example"
    ]


def test_a_key_stays_published_for_as_long_as_its_pool_tries() -> None:
    pool_tries_s = 20 * DAY_S
    cluster = signing_cluster(replace(DOMAIN, rotation=Rotation(30 * DAY_S, 6 * DAY_S)))
    given = Given(cluster.domain, "uid", "namespace uid", pool_tries_s, cluster.status, cluster.secret)
    keys = keystore.read(cluster.secret).keys
    assert keys is not None
    cluster.go_on(30 * DAY_S)
    cluster.publish()
    cluster.go_on(3 * HOUR_S)
    assert cluster.states()["pq1-ed"] == "Retiring"
    told = advance(replace(given, status=cluster.status, secret=cluster.secret), PLATFORM, cluster.now_s + 19 * DAY_S)
    assert {each["name"]: each["state"] for each in told.report.fields["dkim"]["selectors"]}["pq1-ed"] == "Retiring"


def delegated(**fields: Any) -> MailDomain:
    publication = Publication(Mode.DELEGATED, "dkim.mail.example")
    return replace(DOMAIN, publication=publication, **fields)


def external_dns(cluster: Cluster) -> None:
    """Publish what the endpoint says, and take out what it does not."""
    names = {name for name, kind in cluster.dns if kind == "TXT" and name.endswith("dkim.mail.example")}
    for name in names:
        del cluster.dns[name, "TXT"]
    for each in (cluster.endpoint or {"spec": {"endpoints": []}})["spec"]["endpoints"]:
        cluster.dns[each["dnsName"], each["recordType"]] = each["targets"]


def test_delegated_two_aliases_are_asked_for_once_and_rotation_needs_nobody() -> None:
    cluster = Cluster(delegated(rotation=Rotation(30 * DAY_S, 6 * DAY_S)))
    cluster.settle()
    external_dns(cluster)
    cluster.go_on(15)
    message = cluster.condition("DNSVerified").message
    assert message.startswith("2 of 3 records missing; add:\n")
    assert [line.split()[3] for line in message.splitlines()[1:]] == ["CNAME", "CNAME"]
    for record in cluster.status["dns"]["records"]:
        if record["type"] == "CNAME":
            cluster.dns[record["name"], "CNAME"] = [record["value"]]
    cluster.go_on(60)
    assert cluster.signing == ["pq1-ed"]
    for passed_s in (26 * DAY_S, *[HOUR_S] * 100, *[DAY_S] * 8):
        cluster.go_on(passed_s)
        external_dns(cluster)
        assert cluster.condition("DNSVerified").status == "True"
    assert cluster.states() == {"pq1-ed": "Retired", "pq2-ed": "Active"}
    assert cluster.signing == ["pq2-ed"]


def test_when_the_platforms_own_publishing_takes_too_long_it_is_told() -> None:
    cluster = Cluster(delegated(rotation=Rotation(30 * DAY_S, 6 * DAY_S)))
    cluster.settle()
    external_dns(cluster)
    for record in cluster.status["dns"]["records"]:
        cluster.dns[record["name"], record["type"]] = [record["value"]]
    cluster.go_on(60)
    cluster.go_on(30 * DAY_S)
    condition = cluster.condition("DNSVerified")
    assert (condition.reason, cluster.signing) == ("RotationPending", ["pq1-ed"])
    assert "look why the platform's zone dkim.mail.example does not have:" in condition.message


def test_a_zone_that_the_platform_does_not_offer_is_refused_and_what_signed_signs_on() -> None:
    cluster = signing_cluster()
    cluster.domain = replace(DOMAIN, publication=Publication(Mode.DELEGATED, "evil.example"))
    told = cluster.advance()
    assert cluster.condition("DNSVerified").reason == "ZoneNotOffered"
    assert "write one of dkim.mail.example" in cluster.condition("DNSVerified").message
    assert (told.secret, told.endpoint, told.questions, cluster.signing) == (None, None, (), ["pq1-ed"])
    assert set(told.stored.pems) == {"pq1-ed"}


def test_a_domain_too_long_for_a_selector_is_told_so() -> None:
    cluster = Cluster(replace(DOMAIN, domain=".".join(["a" * 60] * 4)))
    cluster.advance()
    assert cluster.condition("KeysReady").reason == "DomainTooLong"


def test_a_leaked_key_is_gone_at_once_and_the_next_signs_when_it_is_seen() -> None:
    cluster = signing_cluster()
    cluster.domain = replace(DOMAIN, revoked=("pq1-ed",))
    cluster.settle()
    assert cluster.signing == []
    assert set(keystore.read(cluster.secret).pems) == {"pq2-ed"}
    cluster.publish()
    cluster.go_on(60)
    assert cluster.signing == ["pq2-ed"]


def test_a_secret_that_is_lost_is_made_again_under_the_other_selector() -> None:
    cluster = signing_cluster()
    cluster.secret = None
    cluster.settle()
    assert cluster.signing == []
    assert set(keystore.read(cluster.secret).pems) == {"pq2-ed"}


def test_keys_of_which_all_else_is_lost_sign_on() -> None:
    cluster = signing_cluster()
    assert cluster.secret is not None
    pem = "pq1-ed.Ed25519.pem"
    cluster.secret["data"] = {pem: cluster.secret["data"][pem]}
    cluster.settle()
    assert cluster.signing == ["pq1-ed"]


def test_another_key_put_in_place_of_one_does_not_sign_until_it_is_seen() -> None:
    cluster = signing_cluster()
    assert cluster.secret is not None
    for lost in ({}, {"keys.json": ""}):
        cluster.secret["data"] |= {"pq1-ed.Ed25519.pem": base64.b64encode(generate("Ed25519")).decode()} | lost
        cluster.settle()
        assert cluster.signing == []


def test_keys_that_another_namespace_left_do_not_sign_for_the_next() -> None:
    cluster = signing_cluster()
    left = keystore.read(cluster.secret)
    cluster.status = {}
    cluster.namespace_uid = "another"
    cluster.go_on(60)  # the DNS vouches for the key that was left
    assert cluster.signing == []
    mine = keystore.read(cluster.secret)
    assert set(mine.pems) == {"pq2-ed"}
    assert set(mine.pems.values()).isdisjoint(left.pems.values())
    cluster.publish()
    cluster.go_on(60)
    assert cluster.signing == ["pq2-ed"]


def test_keys_stay_while_their_namespace_is_not_known() -> None:
    cluster = signing_cluster()
    cluster.namespace_uid = ""
    told = cluster.advance()
    assert cluster.condition("KeysReady").reason == "NamespaceNotSeen"
    assert (told.secret, told.endpoint, cluster.signing) == (None, None, ["pq1-ed"])
    cluster.namespace_uid = "namespace uid"
    cluster.go_on(60)
    assert (cluster.signing, cluster.states()) == (["pq1-ed"], {"pq1-ed": "Active"})


def test_a_clock_that_was_set_back_only_delays() -> None:
    cluster = signing_cluster(replace(DOMAIN, rotation=Rotation(30 * DAY_S, 6 * DAY_S)))
    cluster.go_on(30 * DAY_S)
    cluster.publish()
    cluster.go_on(HOUR_S)
    assert cluster.states()["pq2-ed"] == "Published"
    cluster.now_s -= 10 * DAY_S
    cluster.go_on(HOUR_S)
    assert cluster.states()["pq2-ed"] == "Published"
    cluster.go_on(3 * HOUR_S)
    assert cluster.signing[0] == "pq2-ed"


def test_without_a_change_no_secret_is_written() -> None:
    cluster = signing_cluster()
    assert cluster.advance().secret is None


def test_while_another_claims_the_domain_its_token_is_looked_for() -> None:
    cluster = signing_cluster()
    cluster.now_s += DAY_S
    cluster.settle(contested=True)
    cluster.now_s += DAY_S
    cluster.settle(contested=True)
    (record,) = [each for each in cluster.status["dns"]["records"] if each["purpose"] == "Ownership"]
    assert record["value"] == cluster.status["ownershipToken"]
    assert record["state"] == "Missing"
    assert cluster.condition("DNSVerified").status == "True"


def test_spf_and_dmarc_are_advice() -> None:
    cluster = signing_cluster()
    assert "advice: SPF at shop.example" in cluster.condition("DNSVerified").message
    assert "no DMARC record at _dmarc.shop.example" in cluster.condition("DNSVerified").message
    cluster.publish("DKIM", "SPF", "DMARC")
    cluster.go_on(8 * HOUR_S)
    assert cluster.condition("DNSVerified") == Condition("DNSVerified", "True", "Verified", "")


def test_nobody_signs_of_whom_the_status_says_nothing() -> None:
    entry = {"kind": "MailDomain", "metadata": {"name": "a"}, "status": {"observedGeneration": -1}}
    assert with_signing(entry)["status"] == {"dkim": {"signing": []}}
    told = entry | {"status": {"dkim": {"signing": ["pq1-ed"]}}}
    assert with_signing(told) is told
