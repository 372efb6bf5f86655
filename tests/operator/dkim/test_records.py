"""Who publishes decides what is to be published, and nothing of it stands at the domain itself."""

from typing import Any

import pytest

from paquebot.dkim.keys import generate, record
from paquebot.policy.publication import Mode, Publication, TxtFormat
from paquebot.policy.values import MailDomain
from paquebot_operator.dkim.ownership import place
from paquebot_operator.dkim.records import Site, endpoint
from paquebot_operator.dns.record import Purpose

RSA = record(generate("RSA2048"))
ED25519 = record(generate("Ed25519"))
PLACE = place("uid", "shop.example")


def site(mode: Mode, **fields: Any) -> Site:
    publication = Publication(mode, **fields)
    return Site(MailDomain("shop", "main", "shop.example", "mail-system_default", publication=publication), "uid")


MANUAL, EXTERNAL = site(Mode.MANUAL), site(Mode.EXTERNAL_DNS)
DELEGATED = site(Mode.DELEGATED, zone="dkim.mail.example")


def test_by_hand_and_by_external_dns_a_key_is_one_record() -> None:
    for each in (MANUAL, EXTERNAL):
        (txt,) = each.of_key("pq1-rsa", RSA)
        assert (txt.name, txt.type, txt.value) == ("pq1-rsa._domainkey.shop.example", "TXT", RSA)
        assert each.aliases() == ()


def test_delegated_an_alias_leads_to_the_platforms_zone() -> None:
    alias, txt = DELEGATED.of_key("pq1-rsa", RSA)
    assert (alias.name, alias.type) == ("pq1-rsa._domainkey.shop.example", "CNAME")
    assert alias.value == txt.name == f"pq1-rsa.{PLACE}.dkim.mail.example"
    assert (txt.type, txt.value) == ("TXT", RSA)
    assert [each.name.partition(".")[0] for each in DELEGATED.aliases()] == ["pq1-rsa", "pq2-rsa", "pq1-ed", "pq2-ed"]


def test_people_publish_by_hand() -> None:
    assert endpoint(MANUAL, MANUAL.of_key("pq1-rsa", RSA), "mail-system", "uid") is None


@pytest.mark.parametrize(("each", "namespace"), [(EXTERNAL, "shop"), (DELEGATED, "mail-system")])
def test_an_endpoint_stands_where_the_zone_belongs_and_has_keys_alone(each: Site, namespace: str) -> None:
    records = (*each.of_key("pq1-ed", ED25519), each.ownership, *each.advice("spf.mail.example"))
    made = endpoint(each, records, "mail-system", "owner")
    assert made is not None
    assert made["metadata"]["namespace"] == namespace
    owners = [owner["name"] for owner in made["metadata"].get("ownerReferences", ())]
    assert owners == (["main"] if namespace == "shop" else [])
    (only,) = made["spec"]["endpoints"]
    assert only["dnsName"] == each.of_key("pq1-ed", ED25519)[-1].name
    assert (only["recordType"], only["recordTTL"], only["targets"]) == ("TXT", 3600, [ED25519])


def test_the_labels_of_an_endpoint_are_the_tenants_but_not_who_manages_it() -> None:
    labels = {"dns": "public", "app.kubernetes.io/managed-by": "me"}
    each = site(Mode.EXTERNAL_DNS, labels=labels, annotations={"a": "b"})
    made = endpoint(each, (), "mail-system", "owner")
    assert made is not None
    assert made["metadata"]["labels"] == {
        "dns": "public",
        "app.kubernetes.io/managed-by": "paquebot-operator",
        "paquebot.dev/owner-uid": "owner",
    }
    assert made["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize(
    ("txt_format", "value", "quoted"),
    [
        (TxtFormat.AUTO, RSA, True),
        (TxtFormat.AUTO, ED25519, False),
        (TxtFormat.QUOTED, ED25519, True),
        (TxtFormat.RAW, RSA, False),
    ],
    ids=["auto-rsa", "auto-ed25519", "quoted-ed25519", "raw-rsa"],  # not the keys: they differ from run to run
)
def test_long_values_are_cut_as_the_provider_wants_them(txt_format: TxtFormat, value: str, quoted: bool) -> None:
    each = site(Mode.EXTERNAL_DNS, txt_format=txt_format)
    made = endpoint(each, each.of_key("pq1-rsa", value), "mail-system", "owner")
    assert made is not None
    (target,) = made["spec"]["endpoints"][0]["targets"]
    assert target.startswith('"') is quoted
    assert target.replace('" "', "").strip('"') == value


def test_advice_names_what_the_platform_sends_from() -> None:
    spf, dmarc = MANUAL.advice("spf.mail.example")
    assert (spf.name, spf.value) == ("shop.example", "v=spf1 include:spf.mail.example ~all")
    assert (dmarc.name, dmarc.purpose) == ("_dmarc.shop.example", Purpose.DMARC)
    assert MANUAL.ownership.name == "_mail-challenge.shop.example"
