"""What should stand in the DNS for a domain, by who puts it there. Pure.

Nothing is ever published at the domain itself: a DNSEndpoint owns all records of a name and type, and other services
keep theirs there. SPF and DMARC are looked at, and are the domain's owner's to publish.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from paquebot.dkim.keys import record_strings
from paquebot.policy.publication import Mode, TxtFormat
from paquebot.policy.values import MailDomain
from paquebot_operator.dkim.ownership import CHALLENGE, place, token
from paquebot_operator.dkim.slots import SELECTORS, Keys, Slot
from paquebot_operator.dns.record import Purpose, Record
from paquebot_operator.names import API_VERSION, MAIL_DOMAIN, MANAGED_BY, OPERATOR, OWNER_LABEL, Kind

DNS_ENDPOINT: Final = Kind("externaldns.k8s.io/v1alpha1", "DNSEndpoint", "dnsendpoints")
DOMAIN_MAX_CHARS: Final = 233  # a key's file is named `<domain>.<selector>.<algorithm>.pem`, of 253 at most in a Secret


@dataclass(frozen=True, slots=True)
class Site:
    """Where a domain's records stand: the domain, its namespace's uid, and how they are published."""

    domain: MailDomain
    namespace_uid: str

    def of_key(self, selector: str, value: str) -> tuple[Record, ...]:
        """Return the records that let a verifier find a key: where a CNAME leads there, it and what it leads to."""
        if self.domain.publication.mode is Mode.DELEGATED:
            return self._alias(selector), Record(self._behind(selector), "TXT", value, Purpose.DKIM)
        return (Record(self._name(selector), "TXT", value, Purpose.DKIM),)

    def aliases(self) -> tuple[Record, ...]:
        """Return the CNAMEs that are to be put once, for the keys of today and of ever after."""
        if self.domain.publication.mode is not Mode.DELEGATED:
            return ()
        return tuple(self._alias(each) for algorithm in self.domain.dkim_algorithms for each in SELECTORS[algorithm])

    @property
    def ownership(self) -> Record:
        """The record that proves that who rules the domain wants it to be this namespace's."""
        name = self.domain.domain
        return Record(f"{CHALLENGE}.{name}", "TXT", token(self.namespace_uid, name), Purpose.OWNERSHIP)

    def advice(self, spf_include: str) -> tuple[Record, ...]:
        """Return what receivers like to see beside DKIM."""
        name = self.domain.domain
        spf = f"v=spf1 include:{spf_include} ~all" if spf_include else "v=spf1 ~all"
        return (
            Record(name, "TXT", spf, Purpose.SPF),
            Record(f"_dmarc.{name}", "TXT", "v=DMARC1; p=none", Purpose.DMARC),
        )

    def _name(self, selector: str) -> str:
        return f"{selector}._domainkey.{self.domain.domain}"

    def _behind(self, selector: str) -> str:
        return f"{selector}.{place(self.namespace_uid, self.domain.domain)}.{self.domain.publication.zone}"

    def _alias(self, selector: str) -> Record:
        return Record(self._name(selector), "CNAME", self._behind(selector), Purpose.DKIM)


def of_slots(site: Site, keys: Keys, values: Mapping[str, str]) -> dict[Slot, tuple[Record, ...]]:
    """Return the records of each key that is kept. `values` are those of TXT records, by selector."""
    return {slot: site.of_key(slot.selector, values[slot.selector]) for slot in keys.slots if slot.is_kept}


def endpoint(site: Site, records: Iterable[Record], platform_namespace: str, owner_uid: str) -> dict[str, Any] | None:
    """Return the DNSEndpoint that has external-dns publish the keys; None where people do.

    It stands beside the MailDomain, which owns it, or in the platform's namespace when the records are in its zone.
    """
    domain, publication = site.domain, site.domain.publication
    published = [record for record in records if record.type == "TXT" and record.purpose is Purpose.DKIM]
    if publication.mode is Mode.MANUAL:
        return None
    delegated = publication.mode is Mode.DELEGATED
    metadata: dict[str, Any] = {
        "name": f"dkim-{place(site.namespace_uid, domain.domain)}",
        "namespace": platform_namespace if delegated else domain.namespace,
        "labels": dict(publication.labels) | {MANAGED_BY: OPERATOR, OWNER_LABEL: owner_uid},
        "annotations": dict(publication.annotations),
    }
    if not delegated:
        owner = {"apiVersion": API_VERSION, "kind": MAIL_DOMAIN.name, "name": domain.name, "uid": owner_uid}
        metadata["ownerReferences"] = [owner]
    return {
        "apiVersion": DNS_ENDPOINT.api_version,
        "kind": DNS_ENDPOINT.name,
        "metadata": metadata,
        "spec": {"endpoints": [_endpoint(record, publication.ttl_s, publication.txt_format) for record in published]},
    }


def _endpoint(record: Record, ttl_s: int, txt_format: TxtFormat) -> dict[str, Any]:
    """Return one endpoint. Auto quotes what does not fit into one string, since providers differ in how they cut it."""
    cut = record_strings(record.value)
    quoted = txt_format is TxtFormat.QUOTED or (txt_format is TxtFormat.AUTO and len(cut) > 1)
    target = " ".join(f'"{piece}"' for piece in cut) if quoted else record.value
    return {"dnsName": record.name, "recordType": record.type, "recordTTL": ttl_s, "targets": [target]}
