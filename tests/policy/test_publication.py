"""How keys are published and replaced is read from a MailDomain, and what cannot be is told with its cure."""

from typing import Any

import pytest

from paquebot.policy.compile import compile_policy, faults_alone
from paquebot.policy.publication import Mode, Publication, Rotation, TxtFormat
from paquebot.policy.values import MailDomain


def _entry(spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "main", "namespace": "mail-system"}
    given = {"domain": "shop.example"} | spec
    return {"apiVersion": "paquebot.dev/v1alpha1", "kind": "MailDomain", "metadata": metadata, "spec": given}


def _read(**spec: Any) -> MailDomain:
    pool = {"kind": "SendingPool", "metadata": {"name": "default", "namespace": "mail-system"}}
    helo = {"apiVersion": "paquebot.dev/v1alpha1", "spec": {"heloHostname": "out.example"}}
    return compile_policy([pool | helo, _entry(spec)]).domains["shop.example"]


def test_without_a_word_keys_rotate_twice_a_year_and_people_publish_them() -> None:
    domain = _read()
    assert domain.rotation == Rotation(interval_s=180 * 86_400, overlap_s=7 * 86_400)
    assert domain.publication == Publication(mode=Mode.MANUAL, ttl_s=3600)
    assert domain.revoked == ()


def test_all_that_can_be_said_is_read() -> None:
    endpoint = {"labels": {"dns": "public"}, "annotations": {"a/b": "c"}}
    dns = {"mode": "ExternalDNS", "ttl": "5m", "txtFormat": "Quoted255", "endpoint": endpoint}
    domain = _read(dkim={"rotation": {"interval": "30d", "overlap": "6d"}, "revoke": ["pq1-rsa"]}, dns=dns)
    assert domain.rotation == Rotation(30 * 86_400, 6 * 86_400)
    assert domain.revoked == ("pq1-rsa",)
    labels, annotations = {"dns": "public"}, {"a/b": "c"}
    assert domain.publication == Publication(Mode.EXTERNAL_DNS, "", 300, TxtFormat.QUOTED, labels, annotations)
    delegated = _read(dns={"mode": "Delegated", "delegationZone": "dkim.mail.example"}).publication
    assert (delegated.mode, delegated.zone) == (Mode.DELEGATED, "dkim.mail.example")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"dkim": {"rotation": {"interval": "23h"}}}, 'spec.dkim.rotation.interval: "23h" is out of range; give a'),
        ({"dkim": {"rotation": {"overlap": "119h"}}}, "duration from 120h to 366d"),
        ({"dkim": {"rotation": {"interval": "7d", "overlap": "7d"}}}, "overlap: is not shorter than `interval`"),
        ({"dkim": {"revoke": ["a", "a"]}}, "spec.dkim.revoke[1]: names a twice"),
        ({"dkim": {"revoke": ["a.b"]}}, "spec.dkim.revoke[0]"),
        ({"dkim": {"revoke": [f"k{n}" for n in range(21)]}}, "has 21 entries; give at most 20"),
        ({"dns": {"mode": "Delegated"}}, "spec.dns.delegationZone: is needed with mode Delegated"),
        ({"dns": {"delegationZone": "a.example"}}, "spec.dns.delegationZone: is only for mode Delegated"),
        ({"dns": {"endpoint": {"labels": {}}}}, "spec.dns.endpoint: is not for mode Manual"),
        ({"dns": {"ttl": "59s"}}, "give a duration from 1m to 24h"),
        ({"dns": {"mode": "Magic"}}, "write one of Manual, Delegated, ExternalDNS"),
        (
            {"dns": {"mode": "ExternalDNS", "endpoint": {"labels": {"a": "b" * 64}}}},
            "is no value of a label; give at most 63",
        ),
        ({"dns": {"mode": "ExternalDNS", "endpoint": {"labels": {str(n): "" for n in range(21)}}}}, "has 21 entries"),
        ({"dns": {"mod": "Manual"}}, "did you mean mode?"),
    ],
)
def test_what_cannot_be_is_told_with_its_cure(spec: dict[str, Any], told: str) -> None:
    faults = [str(fault) for fault in faults_alone([_entry(spec)])]
    assert len(faults) == 1
    assert told in faults[0]
