"""Every server of a zone is asked, then resolvers; against name servers of the test on loopback."""

import asyncio
from collections.abc import AsyncIterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.zone import Record as ZoneRecord
from paquebot.sandbox.zone import Zone
from paquebot_operator.dns import lookup
from paquebot_operator.dns.lookup import Lookup, Question
from paquebot_operator.dns.record import Purpose, Record, Verdict
from paquebot_operator.dns.verify import judged

ONE, TWO, RESOLVER = "127.0.0.31", "127.0.0.32", "127.0.0.33"
NAME = "pq1-ed._domainkey.shop.example"
KEY = Record(NAME, "TXT", "v=DKIM1; k=ed25519; p=" + "A" * 400, Purpose.DKIM)
ASKED = Question(NAME, "TXT", "shop.example")
NAMES = (
    ZoneRecord("shop.example", "NS", "ns1.host.example."),
    ZoneRecord("shop.example", "NS", "ns2.host.example."),
    ZoneRecord("mail.example", "NS", "ns1.host.example."),
    ZoneRecord("lost.example", "NS", "nowhere.host.example."),
    ZoneRecord("ns1.host.example", "A", ONE),
    ZoneRecord("ns2.host.example", "A", TWO),
)


class Nameserver(Zone):
    """Knows what it is given, fails as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        super().__init__(NAMES, lambda: self.texts)
        self.asked: list[tuple[str, str]] = []
        self.rcode: dns.rcode.Rcode | None = None
        self.zones_below: dict[str, str] = {}

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        response = dns.message.make_response(query)
        if self.rcode is not None and question.rdtype in {dns.rdatatype.TXT, dns.rdatatype.CNAME}:
            response.set_rcode(self.rcode)
            return response
        below = next((zone for zone in self.zones_below if name.endswith(zone)), None)
        if below and question.rdtype == dns.rdatatype.TXT:
            response.authority.append(dns.rrset.from_text(f"{below}.", 60, "IN", "NS", self.zones_below[below]))
            return response
        aliases = [each for each in self._names.get(question.name, []) if each.kind == "CNAME"]
        if aliases:
            response.flags |= dns.flags.AA
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", aliases[0].value))
            return response
        return super().answer(query)

    def texts_asked(self) -> list[str]:
        return [name for name, kind in self.asked if kind == "TXT"]


class Internet:
    """Two servers of zones, and a resolver that has a copy of its own."""

    def __init__(self) -> None:
        self.one, self.two, self.resolver = Nameserver(), Nameserver(), Nameserver()
        self.all = (self.one, self.two, self.resolver)
        self.servers: list[DnsServer] = []
        self.port = 0

    async def start(self) -> None:
        for zone, host in zip(self.all, (ONE, TWO, RESOLVER), strict=True):
            server = DnsServer(zone, host, self.port)
            await server.start()
            self.port = server.port
            self.servers.append(server)

    def publish(self, name: str, value: str) -> None:
        for each in self.all:
            each.texts[name] = value

    def point(self, name: str, target: str) -> None:
        for each in (self.one, self.two):
            each.add(ZoneRecord(name, "CNAME", f"{target}."))

    async def verdict(self, record: Record, question: Question = ASKED) -> Verdict:
        sighting = judged(record, await Lookup([RESOLVER], self.port).look(question))
        self.reason = sighting.reason
        return sighting.verdict


@pytest.fixture
async def internet() -> AsyncIterator[Internet]:
    made = Internet()
    await made.start()
    yield made
    await asyncio.gather(*(server.stop() for server in made.servers))


async def test_a_record_that_all_have_is_there_however_long(internet: Internet) -> None:
    internet.publish(NAME, KEY.value)
    assert await internet.verdict(KEY) is Verdict.PRESENT
    assert all(each.texts_asked() for each in internet.all)


async def test_a_server_that_lags_behind_makes_it_missing(internet: Internet) -> None:
    internet.publish(NAME, KEY.value)
    internet.two.texts.clear()
    assert await internet.verdict(KEY) is Verdict.MISSING
    assert internet.reason == "says ns2.host.example"


async def test_while_it_is_missing_no_resolver_hears_of_the_name(internet: Internet) -> None:
    assert await internet.verdict(KEY) is Verdict.MISSING
    assert not [name for name, _kind in internet.resolver.asked if "_domainkey" in name]


async def test_a_resolver_that_remembers_the_absence_is_waited_for(internet: Internet) -> None:
    internet.publish(NAME, KEY.value)
    internet.resolver.texts.clear()
    assert await internet.verdict(KEY) is Verdict.UNKNOWN
    assert RESOLVER in internet.reason


@pytest.mark.parametrize("which", ["one", "resolver"])
async def test_servfail_says_nothing(internet: Internet, which: str) -> None:
    internet.publish(NAME, KEY.value)
    getattr(internet, which).rcode = dns.rcode.SERVFAIL
    assert await internet.verdict(KEY) is Verdict.UNKNOWN
    assert "SERVFAIL" in internet.reason


async def test_a_server_that_is_silent_says_nothing(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "QUERY_S", 0.3)
    internet.publish(NAME, KEY.value)
    await internet.servers[1].stop()
    assert await internet.verdict(KEY) is Verdict.UNKNOWN
    assert "ns2.host.example" in internet.reason


async def test_where_servers_cannot_be_found_nobody_knows(internet: Internet) -> None:
    question = Question("a._domainkey.lost.example", "TXT", "lost.example")
    assert await internet.verdict(KEY, question) is Verdict.UNKNOWN
    assert internet.reason == "nowhere.host.example: its address cannot be found"
    assert await internet.verdict(KEY, Question("a.none.test", "TXT", "none.test")) is Verdict.UNKNOWN
    assert "cannot be found" in internet.reason


async def test_an_alias_is_seen_as_one_and_followed_for_what_it_leads_to(internet: Internet) -> None:
    target = "pq1-ed.1f.dkim.mail.example"
    internet.point(NAME, target)
    alias = Record(NAME, "CNAME", target, Purpose.DKIM)
    internet.resolver.add(ZoneRecord(NAME, "CNAME", f"{target}."))
    assert await internet.verdict(alias, Question(NAME, "CNAME", "shop.example")) is Verdict.PRESENT
    internet.one.texts[target] = KEY.value
    internet.resolver._names.clear()
    internet.resolver.texts[NAME] = KEY.value  # as a resolver answers in the end
    for record in NAMES:
        internet.resolver.add(record)
    assert await internet.verdict(KEY) is Verdict.PRESENT


async def test_aliases_that_go_round_end(internet: Internet) -> None:
    internet.point(NAME, NAME)
    assert await internet.verdict(KEY) is Verdict.UNKNOWN
    assert "more than 4 aliases" in internet.reason


async def test_a_zone_below_is_asked_at_its_own_servers(internet: Internet) -> None:
    internet.resolver.add(ZoneRecord("_domainkey.shop.example", "NS", "ns2.host.example."))
    internet.one.zones_below["_domainkey.shop.example"] = "ns2.host.example."
    internet.two.texts[NAME] = internet.resolver.texts[NAME] = KEY.value
    for zone in (internet.one, internet.resolver):
        zone._names[dns.name.from_text("shop.example")] = [NAMES[0]]  # the zone above has one server
    assert await internet.verdict(KEY) is Verdict.PRESENT
    assert internet.two.texts_asked() == [NAME]


async def test_how_long_an_absence_may_be_remembered_is_told(internet: Internet) -> None:
    look = await Lookup([RESOLVER], internet.port).look(ASKED)
    assert {answer.ttl_s for answer in look.answers} == {5}  # the least of the SOA's own and its last number


async def test_many_questions_are_asked_at_once_and_each_once(internet: Internet) -> None:
    internet.publish(NAME, KEY.value)
    other = Question("pq2-ed._domainkey.shop.example", "TXT", "shop.example")
    looks = await Lookup([RESOLVER], internet.port).looks([ASKED, other, ASKED])
    assert judged(KEY, looks[ASKED]).verdict is Verdict.PRESENT
    assert judged(KEY, looks[other]).verdict is Verdict.MISSING
    assert internet.one.texts_asked().count(NAME) == 1
