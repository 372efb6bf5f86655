"""What a name server says, or fails to say, and what that means for mail."""

import asyncio
from collections.abc import AsyncIterator

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from paquebot.dns import resolver as resolving
from paquebot.dns.resolver import Addresses, MxAnswer, MxKind, Resolver
from paquebot.sandbox.dnsserver import DnsServer
from paquebot.sandbox.zone import Record, Zone

RECORDS = (
    Record("two.test", "MX", "20 B.mx.test."),
    Record("two.test", "MX", "10 a.mx.test."),
    Record("null.test", "MX", "0 ."),
    Record("nullandmore.test", "MX", "0 ."),
    Record("nullandmore.test", "MX", "10 a.mx.test."),
    Record("implicit.test", "A", "192.0.2.9"),
    Record("text.test", "TXT", '"no mail here"'),
    Record("six.mx.test", "AAAA", "2001:db8::6"),
    Record("alias.test", "CNAME", "two.test."),
    Record("alias.mx.test", "CNAME", "a.mx.test."),
    Record("alias.implicit.test", "CNAME", "implicit.test."),
    Record("a.mx.test", "A", "192.0.2.1"),
    Record("a.mx.test", "A", "192.0.2.2"),
    Record("a.mx.test", "AAAA", "2001:db8::1"),
    Record("a.mx.test", "AAAA", "2001:db8::2"),
    *(Record("many.test", "MX", f"10 host{number}.with.a.rather.long.name.test.") for number in range(40)),
)


class Nameserver(Zone):
    """Counts what it is asked, and fails for (name, kind) pairs as told."""

    def __init__(self) -> None:
        super().__init__(RECORDS, dict)
        self.asked: list[tuple[str, str]] = []
        self.broken: set[tuple[str, str]] = set()

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        asked = (question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype))
        self.asked.append(asked)
        if asked in self.broken:
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        return self._aliased(query, question) or super().answer(query)

    def _aliased(self, query: dns.message.Message, question: dns.rrset.RRset) -> dns.message.Message | None:
        """Answer by the name that a CNAME leads to, as name servers do."""
        aliases = [record for record in self._names.get(question.name, []) if record.kind == "CNAME"]
        if not aliases:
            return None
        target = dns.name.from_text(aliases[0].value)
        response = super().answer(dns.message.make_query(target, question.rdtype))
        answered = dns.message.make_response(query)
        alias = dns.rrset.from_text(question.name, 60, "IN", "CNAME", aliases[0].value)
        answered.answer = [alias, *response.answer]
        return answered

    def vanish(self, name: str) -> None:
        """Let a name be no more."""
        self._names = {key: value for key, value in self._names.items() if key.to_text(omit_final_dot=True) != name}


@pytest.fixture
async def world() -> AsyncIterator[tuple[Nameserver, Resolver]]:
    zone = Nameserver()
    server = DnsServer(zone, "127.0.0.1", 0)
    await server.start()
    yield zone, Resolver(("127.0.0.1", server.port))
    await server.stop()


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every answer be old at once."""
    for name in ("TTL_MIN_S", "TTL_MAX_S", "NEGATIVE_S", "UNKNOWN_S"):
        monkeypatch.setattr(resolving, name, -0.001)


async def test_hosts_come_with_their_preferences_in_lower_case(world) -> None:
    answer = await world[1].mx("two.test")
    assert answer.kind is MxKind.MX
    assert set(answer.hosts) == {(10, "a.mx.test"), (20, "b.mx.test")}


async def test_hosts_that_do_not_fit_a_datagram_are_all_found(world) -> None:
    assert len((await world[1].mx("many.test")).hosts) == 40


@pytest.mark.parametrize(
    ("domain", "kind", "hosts", "reason"),
    [
        ("null.test", MxKind.NULL, (), "null.test does not accept mail: its MX is null"),
        ("nullandmore.test", MxKind.MX, ((10, "a.mx.test"),), ""),
        ("implicit.test", MxKind.IMPLICIT, ((0, "implicit.test"),), ""),
        ("text.test", MxKind.NONE, (), "text.test has neither MX nor address records"),
        ("nowhere.test", MxKind.NONE, (), "the domain nowhere.test does not exist"),
    ],
)
async def test_a_domain_without_ordinary_hosts(world, domain: str, kind: MxKind, hosts: tuple, reason: str) -> None:
    assert await world[1].mx(domain) == MxAnswer(kind, hosts, reason)


async def test_addresses_are_kept_for_as_long_as_their_records_say(world, monkeypatch) -> None:
    zone, resolver = world
    monkeypatch.setattr(resolving, "TTL_MIN_S", -0.001)
    for _ in range(2):
        assert (await resolver.addresses("six.mx.test")).addresses == ("2001:db8::6",)
    assert zone.asked == [("six.mx.test", "A"), ("six.mx.test", "AAAA")]


async def test_a_crowd_of_questions_is_asked_a_few_at_a_time(world, monkeypatch) -> None:
    monkeypatch.setattr(resolving, "QUESTIONS_MAX", 3)
    resolver = Resolver(("127.0.0.1", world[1]._resolver.port))
    ask, under_way, most = resolver._resolver.resolve, 0, 0

    async def counted(*args, **options):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await ask(*args, **options)
        finally:
            under_way -= 1

    resolver._resolver.resolve = counted
    answers = await asyncio.gather(*(resolver.mx(f"d{number}.test") for number in range(40)))
    assert {answer.kind for answer in answers} == {MxKind.NONE}
    assert most == 3


async def test_a_domain_that_does_not_exist_has_no_implicit_host(world) -> None:
    zone, resolver = world
    await resolver.mx("nowhere.test")
    assert zone.asked == [("nowhere.test", "MX")]


@pytest.mark.parametrize("broken", [("two.test", "MX"), ("text.test", "A"), ("text.test", "AAAA")])
async def test_a_server_that_fails_leaves_the_answer_unknown(world, broken: tuple[str, str]) -> None:
    zone, resolver = world
    zone.broken.add(broken)
    answer = await resolver.mx(broken[0])
    assert (answer.kind, answer.hosts) == (MxKind.UNKNOWN, ())
    assert broken[0] in answer.reason


async def test_a_server_that_is_silent_is_given_up_in_its_time(monkeypatch) -> None:
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
    monkeypatch.setattr(resolving, "LIFETIME_S", 0.2)
    resolver = Resolver(("127.0.0.1", silent.get_extra_info("sockname")[1]))
    async with asyncio.timeout(5):
        assert (await resolver.mx("two.test")).kind is MxKind.UNKNOWN
        assert await resolver.addresses("a.mx.test") == Addresses((), known=False)
    silent.close()


@pytest.mark.parametrize("domain", ["a..test", "x" * 64 + ".test", "x." * 127 + "test", "é" * 70])
async def test_a_name_that_cannot_be_asked_for_breaks_nothing(world, domain: str) -> None:
    assert (await world[1].mx(domain)).kind is MxKind.UNKNOWN
    assert await world[1].addresses(domain) == Addresses((), known=False)


async def test_addresses_of_both_families_come_in_turn(world) -> None:
    first, second, third, fourth = (await world[1].addresses("a.mx.test")).addresses
    assert {first, third} == {"2001:db8::1", "2001:db8::2"}
    assert {second, fourth} == {"192.0.2.1", "192.0.2.2"}


async def test_an_alias_is_followed_wherever_it_stands(world) -> None:
    assert set((await world[1].mx("alias.test")).names) == {"a.mx.test", "b.mx.test"}
    assert (await world[1].mx("alias.implicit.test")).kind is MxKind.IMPLICIT
    assert len((await world[1].addresses("alias.mx.test")).addresses) == 4


async def test_a_host_may_have_ipv6_addresses_alone(world) -> None:
    assert await world[1].addresses("six.mx.test") == Addresses(("2001:db8::6",))


async def test_one_family_is_enough_while_the_other_fails(world) -> None:
    zone, resolver = world
    zone.broken.add(("a.mx.test", "AAAA"))
    assert set((await resolver.addresses("a.mx.test")).addresses) == {"192.0.2.1", "192.0.2.2"}


async def test_an_answer_is_asked_for_once_by_all_who_wait_and_kept(world) -> None:
    zone, resolver = world
    assert resolver.cached_mx("two.test") is None
    answers = await asyncio.gather(*(resolver.mx("two.test") for _ in range(20)))
    assert len(set(answers)) == 1
    assert resolver.cached_mx("two.test") == await resolver.mx("two.test") == answers[0]
    assert zone.asked == [("two.test", "MX")]


async def test_who_stops_waiting_does_not_stop_the_others(world) -> None:
    resolver = world[1]
    first, second = (asyncio.create_task(resolver.mx("two.test")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).kind is MxKind.MX
    assert first.cancelled()


async def test_the_cache_has_a_bound(world, monkeypatch) -> None:
    monkeypatch.setattr(resolving, "CACHE_MAX", 2)
    for domain in ("two.test", "null.test", "implicit.test"):
        await world[1].mx(domain)
    known = [domain for domain in ("two.test", "null.test", "implicit.test") if world[1].cached_mx(domain)]
    assert known == ["null.test", "implicit.test"]


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("domain", ["two.test", "implicit.test"])
async def test_known_hosts_serve_on_while_the_server_fails(world, domain: str) -> None:
    zone, resolver = world
    known = await resolver.mx(domain)
    zone.broken = {(domain, "MX"), (domain, "A"), (domain, "AAAA")}
    assert await resolver.mx(domain) == known
    assert await resolver.mx(domain) == known


@pytest.mark.usefixtures("forgetful")
async def test_known_addresses_serve_on_while_the_server_fails(world) -> None:
    zone, resolver = world
    known = await resolver.addresses("a.mx.test")
    zone.broken = {("a.mx.test", "A"), ("a.mx.test", "AAAA")}
    assert await resolver.addresses("a.mx.test") == known


@pytest.mark.usefixtures("forgetful")
async def test_known_hosts_do_not_serve_for_ever(world, monkeypatch) -> None:
    monkeypatch.setattr(resolving, "STALE_S", 0.0)
    zone, resolver = world
    assert (await resolver.mx("two.test")).kind is MxKind.MX
    zone.broken = {("two.test", "MX")}
    assert (await resolver.mx("two.test")).kind is MxKind.UNKNOWN


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("domain", ["nowhere.test", "null.test", "text.test"])
async def test_an_old_no_is_not_repeated_while_the_server_fails(world, domain: str) -> None:
    """Mail to it would be bounced by a failure of DNS."""
    zone, resolver = world
    assert (await resolver.mx(domain)).hosts == ()
    zone.broken = {(domain, "MX")}
    assert (await resolver.mx(domain)).kind is MxKind.UNKNOWN


@pytest.mark.usefixtures("forgetful")
async def test_an_old_lack_of_addresses_is_not_repeated_while_the_server_fails(world) -> None:
    zone, resolver = world
    assert (await resolver.mx("text.test")).kind is MxKind.NONE
    zone.broken = {("text.test", "A"), ("text.test", "AAAA")}
    assert (await resolver.mx("text.test")).kind is MxKind.UNKNOWN


@pytest.mark.usefixtures("forgetful")
async def test_hosts_that_are_gone_for_sure_do_not_come_back_when_the_server_fails(world) -> None:
    zone, resolver = world
    await resolver.mx("two.test")
    zone.vanish("two.test")
    assert (await resolver.mx("two.test")).kind is MxKind.NONE
    zone.broken = {("two.test", "MX")}
    assert (await resolver.mx("two.test")).kind is MxKind.UNKNOWN
