"""What the sandbox's DNS knows: one zone for the whole of a small internet. Queries in, answers out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

TTL_S = 60
_SOA = "ns.sandbox.test. hostmaster.sandbox.test. 1 3600 600 86400 5"
_TXT_STRING_MAX = 255  # RFC 1035 §3.3


@dataclass(frozen=True, slots=True)
class Record:
    """One record in the words of a zone file: `Record("accept.test", "MX", "10 mx.accept.test.")`."""

    name: str
    kind: str
    value: str


def txt_record(name: str, value: str) -> Record:
    """Make a TXT record of any length: readers join its strings (RFC 7208 §3.3)."""
    pieces = [value[start : start + _TXT_STRING_MAX] for start in range(0, len(value), _TXT_STRING_MAX)]
    escaped = (piece.replace("\\", "\\\\").replace('"', '\\"') for piece in pieces or [""])
    return Record(name, "TXT", " ".join(f'"{piece}"' for piece in escaped))


class Zone:
    """Authority for every name there is; what is not listed does not exist.

    `txt_of` is asked at each query, since keys come and go. Names in `failing` answer SERVFAIL.
    """

    def __init__(
        self,
        records: Iterable[Record],
        txt_of: Callable[[], Mapping[str, str]],
        failing: frozenset[str] = frozenset(),
    ) -> None:
        self._txt_of = txt_of
        self._failing = frozenset(dns.name.from_text(name) for name in failing)
        self._names: dict[dns.name.Name, list[Record]] = {}
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Know one record more."""
        self._names.setdefault(dns.name.from_text(record.name), []).append(record)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer one query, with the addresses of hosts it names."""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if len(query.question) != 1 or query.question[0].rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        name, kind = query.question[0].name, query.question[0].rdtype
        if name in self._failing:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        known = self._at(name)
        found = [record for record in known if record.kind == dns.rdatatype.to_text(kind)]
        if found:
            answer = _rrset(name, found)
            response.answer.append(answer)
            response.additional.extend(self._addresses(answer))
        else:
            response.authority.append(dns.rrset.from_text(dns.name.root, TTL_S, "IN", "SOA", _SOA))
            if not known and not self._has_below(name):
                response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def _at(self, name: dns.name.Name) -> list[Record]:
        text = name.to_text(omit_final_dot=True).lower()
        published = {key.lower().rstrip("."): value for key, value in self._txt_of().items()}
        extra = [txt_record(text, published[text])] if text in published else []
        return self._names.get(name, []) + extra

    def _has_below(self, name: dns.name.Name) -> bool:
        """Say whether names exist below this one: then it exists too, empty (RFC 8020)."""
        names = [*self._names, *(dns.name.from_text(text) for text in self._txt_of())]
        return any(other.is_subdomain(name) for other in names)

    def _addresses(self, answer: dns.rrset.RRset) -> list[dns.rrset.RRset]:
        if answer.rdtype != dns.rdatatype.MX:
            return []
        hosts = [dns.name.from_text(rdata.exchange.to_text()) for rdata in answer]
        found = {host: [record for record in self._names.get(host, []) if record.kind == "A"] for host in hosts}
        return [_rrset(host, records) for host, records in found.items() if records]


def _rrset(name: dns.name.Name, records: list[Record]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(name, TTL_S, "IN", records[0].kind, [record.value for record in records])
