"""The router over real gRPC, with a real resolver asking a name server of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import pytest

import dkim
from paquebot.dkim.keys import generate, record
from paquebot.dns.resolver import Resolver
from paquebot.mail.bodyhash import relaxed_body_hash
from paquebot.mail.delivery import Delivery, Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.policy.compile import compile_policy
from paquebot.policy.encode import decode_object, encode_object
from paquebot.policy.route import Match, Reject, Routes, TransportRoute
from paquebot.policy.values import DestinationPolicy, MailDomain, Policy, SendingPool
from paquebot.queue.subjects import partition_of
from paquebot.router import service
from paquebot.router.keyring import Keyring
from paquebot.router.service import Router, serve
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.frame_client import FrameClient
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import Channel, RpcRefusedError
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address
from paquebot.wire.method import Fault
from paquebot.wire.router import PLAN, PLAN_STREAM, PlanRequest

_HEADER = b"From: Ann <ann@shop.example>\r\nTo: bob@one.test\r\nSubject: Hi\r\n"
_BODY = b"Hello\r\n"
_POLICY = Policy(
    "r1",
    domains={"shop.example": MailDomain("shop", "main", "shop.example", "mail_main")},
    pools={"mail_main": SendingPool("mail", "main", "out.example")},
    destinations={"big": DestinationPolicy("big", mx_suffixes=("big.test",), slots=2)},
)
_SHOP = {
    "domain": "shop.example",
    "poolRef": {"namespace": "mail", "name": "main"},
    "dkim": {"algorithms": ["Ed25519"]},
}
_ZONE = {"one.test": ("mx.one.test",), "two.test": ("mx.one.test",), "large.test": ("a.big.test",)}


class _NameServer(asyncio.DatagramProtocol):
    """Answers MX questions from a zone; says nothing about `silent.test`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if name == "silent.test":
            return
        answer = dns.message.make_response(question)
        hosts = [f"10 {host}." for host in _ZONE.get(name, ())]
        if hosts:
            answer.answer.append(dns.rrset.from_text(name + ".", 300, "IN", "MX", *hosts))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


def _request(*recipients: str, author: bytes = b"ann@shop.example") -> PlanRequest:
    return PlanRequest(
        id="01993c6e-7b1a-7c3e-8d2f-0123456789ab",
        principal=Principal("shop", "web"),
        envelope=Envelope(author.decode(), recipients),
        header_section=_HEADER.replace(b"ann@shop.example", author),
        body_hash=relaxed_body_hash(_BODY),
        size_bytes=100,
        accepted_ms=1_764_000_000_000,
        client_name="client.example",
        client_address="192.0.2.1",
        tag_fields=b"X-Spam-Flag: YES\r\n",
    )


@pytest.fixture
async def names() -> AsyncIterator[tuple[_NameServer, Resolver]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(_NameServer, local_addr=("127.0.0.1", 0))
    yield server, Resolver(("127.0.0.1", transport.get_extra_info("sockname")[1]))
    transport.close()


@pytest.fixture
def router(names: tuple[_NameServer, Resolver]) -> Router:
    made = Router("mx.example", names[1], Keyring(None))
    made.follow(_POLICY)
    return made


async def _planned(router: Router, request: PlanRequest) -> tuple[Delivery, ...]:
    answer = router.answer(request)
    plan = answer if isinstance(answer, Plan | Fault) else await answer
    assert isinstance(plan, Plan)
    return plan.deliveries


async def test_domains_with_the_same_hosts_share_a_site(router: Router) -> None:
    one, two = await _planned(router, _request("a@one.test", "b@two.test"))
    assert one.site == two.site != "one.test"
    assert one.partition == two.partition == partition_of(one.site)
    assert (one.domain, two.domain) == ("one.test", "two.test")


async def test_known_sites_are_answered_without_waiting(router: Router, names: tuple[_NameServer, Resolver]) -> None:
    await _planned(router, _request("a@one.test"))
    assert isinstance(router.answer(_request("b@one.test")), Plan)
    assert names[0].asked == ["one.test"]


async def test_a_destination_policy_names_the_site_and_divides_it(router: Router) -> None:
    (delivery,) = await _planned(router, _request("a@large.test"))
    assert (delivery.site, delivery.group) == ("big", "big")
    assert delivery.partition in {partition_of("big", 0), partition_of("big", 1)}


async def test_a_silent_resolver_does_not_hold_up_acceptance(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    await _planned(router, _request("b@one.test"))  # it is known from now on
    monkeypatch.setattr(service, "LOOKUP_S", 0.05)
    silent, known = await _planned(router, _request("a@silent.test", "b@one.test"))
    assert (silent.site, silent.group) == ("silent.test", "other")
    assert known.site != "one.test"


async def test_a_domain_that_does_not_exist_is_planned_all_the_same(router: Router) -> None:
    (delivery,) = await _planned(router, _request("a@nowhere.test"))
    assert delivery.site == "nowhere.test"


async def test_an_address_literal_asks_nobody(router: Router, names: tuple[_NameServer, Resolver]) -> None:
    assert isinstance(router.answer(_request("a@[192.0.2.1]")), Plan)
    assert names[0].asked == []


async def test_mail_without_a_way_out_is_a_fault_that_says_why(router: Router) -> None:
    await _planned(router, _request("a@one.test"))
    answer = router.answer(_request("a@one.test", author=b"x@elsewhere.example"))
    assert isinstance(answer, Fault)
    assert answer.code == "INVALID"
    assert "no MailDomain declares" in answer.text


async def test_the_prefix_is_received_then_tags_then_signatures_that_verify(
    names: tuple[_NameServer, Resolver], tmp_path: Path
) -> None:
    (tmp_path / "shop.example").mkdir()
    keys = {algorithm: generate(algorithm) for algorithm in ("RSA2048", "Ed25519")}
    for algorithm, pem in keys.items():
        (tmp_path / "shop.example" / f"{algorithm.lower()}.{algorithm}.pem").write_bytes(pem)
    router = Router("mx.example", names[1], Keyring(tmp_path))
    router.follow(_POLICY)
    (delivery,) = await _planned(router, _request("bob@one.test"))
    fields = [line.partition(b":")[0] for line in delivery.prefix.split(b"\r\n") if line[:1].strip()]
    assert fields == [b"Received", b"X-Spam-Flag", b"DKIM-Signature", b"DKIM-Signature"]
    whole = delivery.prefix + _HEADER + b"\r\n" + _BODY
    published = {f"{name.lower()}._domainkey.shop.example.": record(pem) for name, pem in keys.items()}
    for index in (0, 1):
        assert dkim.DKIM(whole).verify(
            index,
            dnsfunc=lambda name, timeout=5: published[name.decode()].encode(),  # noqa: ARG005
        )


async def test_another_revision_of_the_policy_signs_with_another_key(
    names: tuple[_NameServer, Resolver], tmp_path: Path
) -> None:
    keys = {selector: generate("Ed25519") for selector in ("pq1-ed", "pq2-ed")}
    for selector, pem in keys.items():
        (tmp_path / f"shop.example.{selector}.Ed25519.pem").write_bytes(pem)
    router = Router("mx.example", names[1], Keyring(tmp_path))
    for selector, other in (("pq1-ed", "pq2-ed"), ("pq2-ed", "pq1-ed")):
        router.follow(compile_policy(_published([selector]), selector))
        (delivery,) = await _planned(router, _request("bob@one.test"))
        assert b"s=%s;" % selector.encode() in delivery.prefix
        verified = dkim.DKIM(delivery.prefix + _HEADER + b"\r\n" + _BODY)
        assert verified.verify(dnsfunc=lambda _name, timeout=5, of=selector: record(keys[of]).encode())  # noqa: ARG005
        assert not verified.verify(dnsfunc=lambda _name, timeout=5, of=other: record(keys[of]).encode())  # noqa: ARG005
    router.follow(compile_policy(_published([]), "none"))
    (delivery,) = await _planned(router, _request("bob@one.test"))
    assert b"DKIM-Signature" not in delivery.prefix


def _published(signing: list[str]) -> list[dict[str, Any]]:
    """Return objects as they come out of the policy's bucket."""
    status = {"observedGeneration": 1, "dkim": {"signing": signing, "selectors": []}}
    objects = [
        ("SendingPool", "mail", "main", {"heloHostname": "out.example", "allowedNamespaces": {"names": ["*"]}}, {}),
        ("MailDomain", "shop", "main", _SHOP, status),
    ]
    entries = [
        {
            "apiVersion": "paquebot.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
            "status": given,
        }
        for kind, namespace, name, spec, given in objects
    ]
    return [decode_object(encode_object(entry)[1]) for entry in entries]


async def test_a_relays_unknown_domain_goes_unsigned(names: tuple[_NameServer, Resolver], tmp_path: Path) -> None:
    (tmp_path / "shop.example").mkdir()
    (tmp_path / "shop.example" / "a.Ed25519.pem").write_bytes(generate("Ed25519"))
    router = Router("mx.example", names[1], Keyring(tmp_path))
    router.follow(_POLICY)
    request = _request("bob@one.test", author=b"x@elsewhere.example")
    (delivery,) = await _planned(router, _with_pool(request))
    assert b"DKIM-Signature" not in delivery.prefix


def _with_pool(request: PlanRequest) -> PlanRequest:
    return PlanRequest(**{name: getattr(request, name) for name in request.__slots__} | {"pool": "mail_main"})


_NO = Reject(Reply(550, "5.7.1", "not here"))


def _follow(router: Router, match: Match, action: object = _NO) -> None:
    routes = Routes.of([TransportRoute("mail", "one", match, action)])  # type: ignore[arg-type]
    router.follow(replace(_POLICY, routes=routes))


async def test_a_route_refuses_by_the_hosts_that_dns_tells(router: Router) -> None:
    _follow(router, Match(mx_suffixes=("big.test",)))
    answer = router.answer(_request("a@large.test"))
    refused = answer if isinstance(answer, Plan | Fault) else await answer
    assert refused == Plan((), Reply(550, "5.7.1", "not here"))
    assert await _planned(router, _request("a@one.test"))


async def test_where_dns_is_late_the_route_is_left_to_the_deliverer(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOKUP_S", 0.05)
    _follow(router, Match(mx_suffixes=("big.test",)))
    (delivery,) = await _planned(router, _request("a@silent.test"))
    assert delivery.site == "silent.test"


async def test_routes_look_at_tags_and_tenant(router: Router) -> None:
    _follow(router, Match(namespaces=("shop",), tags=(("class", "x"),)))
    assert await _planned(router, _request("a@one.test"))
    assert router.answer(replace(_request("a@one.test"), tags={"class": "x"})) == Plan((), _NO.reply)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identities")
    create_authority(root / "authority")
    for name in ("router", "submission", "deliverer"):
        issue(root / "authority", name, root / name, ())
    return root


@asynccontextmanager
async def _served(router: Router, identities: Path) -> AsyncIterator[Address]:
    server = Server(Address("127.0.0.1", 0), identities / "router", Readiness())
    serve(server, router)
    port = await server.start()
    try:
        yield Address("127.0.0.1", port)
    finally:
        await server.stop(0)


async def test_submission_asks_in_frames_and_gets_each_its_own_answer(router: Router, identities: Path) -> None:
    async with _served(router, identities) as address:
        client = FrameClient(address, identities / "submission", PLAN_STREAM, "router")
        client.start()
        asked = [client.ask(_request(f"u{number}@one.test"), 10) for number in range(50)]
        refused = client.ask(_request("a@one.test", author=b"x@elsewhere.example"), 10)
        plans = await asyncio.gather(*asked)
        assert [plan.deliveries[0].recipients for plan in plans] == [(f"u{n}@one.test",) for n in range(50)]
        with pytest.raises(RpcRefusedError, match="no MailDomain declares"):
            await refused
        await client.close()


async def test_people_may_ask_one_by_one_and_deliverers_may_not(router: Router, identities: Path) -> None:
    async with _served(router, identities) as address:
        channel = Channel(str(address), identities / "submission", "router")
        plan = await channel.unary(PLAN, _request("a@one.test"), 10)
        assert plan.deliveries[0].domain == "one.test"
        with pytest.raises(RpcRefusedError, match="no MailDomain declares"):
            await channel.unary(PLAN, _request("a@one.test", author=b"x@elsewhere.example"), 10)
        await channel.close()
        stranger = Channel(str(address), identities / "deliverer", "router")
        with pytest.raises(RpcRefusedError, match="may not call"):
            await stranger.unary(PLAN, _request("a@one.test"), 10)
        await stranger.close()
