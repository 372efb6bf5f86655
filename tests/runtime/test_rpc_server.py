"""Unary calls and frames over mutual TLS, between real servers and clients."""

import asyncio
import shutil
from pathlib import Path

import pytest

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Action, Verdict
from paquebot.runtime import frame_client
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.frame_client import FrameClient
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import DRAIN_S, Channel, RpcRefusedError, RpcUnavailableError, open_channel
from paquebot.runtime.rpc_server import Caller, Server
from paquebot.runtime.settings import Address
from paquebot.runtime.tls import read_identity
from paquebot.wire.auth import AUTHENTICATE, AuthenticateRequest, Refusal
from paquebot.wire.spamfilter import JUDGE_STREAM, JudgeRequest
from tests_support import wait_for

LOOPBACK = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identities")
    create_authority(root / "authority")
    for name in ("auth", "submission", "stranger", "spamfilter"):
        issue(root / "authority", name, root / name, ())
    return root


async def authenticate(request: AuthenticateRequest, caller: Caller) -> Principal | Refusal:
    if request.username == "known":
        return Principal(caller.identity, "credential")
    return Refusal(Reply(535, "5.7.8", "no"))


@pytest.fixture
async def auth(identities: Path):
    server = Server(LOOPBACK, identities / "auth", Readiness())
    server.unary(AUTHENTICATE, authenticate, frozenset({"submission"}))
    await server.start()
    yield server
    await server.stop(0)


async def test_a_unary_call_tells_the_server_who_calls(auth: Server, identities: Path) -> None:
    channel = Channel(f"127.0.0.1:{auth.port}", identities / "submission", "auth")
    answer = await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    assert answer == Principal("submission", "credential")
    await channel.close()


async def test_an_identity_that_is_not_listed_is_refused_by_name(auth: Server, identities: Path) -> None:
    channel = Channel(f"127.0.0.1:{auth.port}", identities / "stranger", "auth")
    with pytest.raises(RpcRefusedError, match="'stranger' may not call this"):
        await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    await channel.close()


async def test_a_server_with_another_identity_is_not_believed(auth: Server, identities: Path) -> None:
    channel = Channel(f"127.0.0.1:{auth.port}", identities / "submission", "router")
    with pytest.raises(RpcUnavailableError):
        await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 1)
    await channel.close()


async def test_a_renewed_certificate_is_served_without_restart(auth: Server, identities: Path) -> None:
    (identities / "auth" / "tls.crt").unlink()
    issue(identities / "authority", "auth", identities / "auth", ("renewed.example",))
    channel = Channel(f"127.0.0.1:{auth.port}", identities / "submission", "renewed.example")
    assert await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    await channel.close()


async def test_a_broken_certificate_leaves_the_last_good_one_in_use_at_both_ends(
    auth: Server, identities: Path
) -> None:
    channel = Channel(f"127.0.0.1:{auth.port}", identities / "submission", "auth")
    fresh = Channel(f"127.0.0.1:{auth.port}", identities / "spamfilter", "auth")
    assert await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    good = {name: (identities / name / "tls.key").read_bytes() for name in ("auth", "submission", "spamfilter")}
    for name in good:  # a key of another certificate, as one sees it when two files change one after the other
        (identities / name / "tls.key").write_bytes((identities / "stranger" / "tls.key").read_bytes())
    assert await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    with pytest.raises(RpcUnavailableError, match="our own certificate cannot be used"):
        await fresh.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    (identities / "submission" / "tls.key").write_bytes(good["submission"])
    another = Channel(f"127.0.0.1:{auth.port}", identities / "submission", "auth")
    assert await another.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 5)
    for name, key in good.items():
        (identities / name / "tls.key").write_bytes(key)
    for each in (channel, another, fresh):
        await each.close()


def trust(identities: Path, name: str, *authorities: str) -> None:
    (identities / name / "ca.crt").write_bytes(
        b"".join((identities / each / "ca.crt").read_bytes() for each in authorities)
    )


def reissue(identities: Path, authority: str, name: str) -> None:
    roots = (identities / name / "ca.crt").read_bytes()
    (identities / name / "tls.crt").unlink()
    issue(identities / authority, name, identities / name, ())
    (identities / name / "ca.crt").write_bytes(roots)


async def serve_patiently(folder: Path, may_answer: asyncio.Event) -> Server:
    async def answer(request: AuthenticateRequest, _caller: Caller) -> Principal | Refusal:
        if request.username == "slow":
            await may_answer.wait()
        return Principal(request.username, "credential")

    server = Server(LOOPBACK, folder, Readiness())
    server.unary(AUTHENTICATE, answer, frozenset({"submission", "stranger"}))
    await server.start()
    return server


async def test_a_root_changes_in_three_steps_under_calls_and_none_fails(identities: Path, tmp_path: Path) -> None:
    for name in ("authority", "auth", "submission", "stranger"):
        shutil.copytree(identities / name, tmp_path / name)
    create_authority(tmp_path / "next")
    may_answer = asyncio.Event()
    server = await serve_patiently(tmp_path / "auth", may_answer)
    channel = Channel(f"127.0.0.1:{server.port}", tmp_path / "submission", "auth")
    running = []

    async def call() -> None:
        running.append(asyncio.create_task(channel.unary(AUTHENTICATE, AuthenticateRequest("slow", b"p", ""), 60)))
        await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 10)

    await call()
    for name in ("submission", "auth"):
        trust(tmp_path, name, "authority", "next")
        await call()
    for name in ("auth", "submission"):
        reissue(tmp_path, "next", name)
        await call()
    for name in ("submission", "auth"):
        trust(tmp_path, name, "next")
        await call()
    may_answer.set()
    assert await asyncio.gather(*running) == [Principal("slow", "credential")] * len(running)
    left_behind = Channel(f"127.0.0.1:{server.port}", tmp_path / "stranger", "auth")
    trust(tmp_path, "stranger", "next")  # it believes the server, but has a leaf of the root that was dropped
    with pytest.raises(RpcUnavailableError):
        await left_behind.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 1)
    await left_behind.close()
    await channel.close()
    await server.stop(0)


async def test_a_call_waits_for_none_on_the_channel_before_it_and_breaks_none(identities: Path) -> None:
    may_answer = asyncio.Event()
    server = await serve_patiently(identities / "auth", may_answer)
    channel = Channel(f"127.0.0.1:{server.port}", identities / "submission", "auth")
    slow = asyncio.create_task(channel.unary(AUTHENTICATE, AuthenticateRequest("slow", b"p", ""), 60))
    await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 10)
    reissue(identities, "authority", "submission")
    async with asyncio.timeout(DRAIN_S / 2):
        await channel.unary(AUTHENTICATE, AuthenticateRequest("known", b"p", ""), 10)
    assert not slow.done()
    may_answer.set()
    assert await slow == Principal("slow", "credential")
    await channel.close()
    await server.stop(0)


async def test_health_and_reflection_answer(auth: Server, identities: Path) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    async with open_channel(f"127.0.0.1:{auth.port}", read_identity(identities / "stranger"), "auth") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service="paquebot.v1.Auth"))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        auth.readiness.missing("policy", "not read yet")
        await asyncio.sleep(0.05)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=""))
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        listing = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        )
        first = await listing.read()
        assert "paquebot.v1.Auth" in {each.name for each in first.list_services_response.service}


def question(name: str) -> JudgeRequest:
    return JudgeRequest(name, Principal("t", "c"), Envelope("", ()), b"content")


def judge(request: JudgeRequest, _caller: Caller):
    if request.id == "bug":
        raise ZeroDivisionError
    if request.id == "slow":
        return later()
    if request.id == "never":
        return asyncio.sleep(60, Verdict(Action.ACCEPT))
    return Verdict(Action.ACCEPT, float(request.id))


async def later() -> Verdict:
    await asyncio.sleep(0.05)
    return Verdict(Action.HOLD)


async def serve_judge(identities: Path, port: int = 0) -> Server:
    server = Server(Address("127.0.0.1", port), identities / "spamfilter", Readiness())
    server.stream(JUDGE_STREAM, judge, frozenset({"submission"}))
    await server.start()
    return server


async def open_client(server: Server, identities: Path) -> FrameClient:
    client = FrameClient(Address("127.0.0.1", server.port), identities / "submission", JUDGE_STREAM, "spamfilter")
    client.start()
    return client


async def test_items_are_answered_by_their_number_whatever_the_order(identities: Path) -> None:
    server = await serve_judge(identities)
    client = await open_client(server, identities)
    slow = client.ask(question("slow"), 5)
    answers = await asyncio.gather(*(client.ask(question(str(number)), 5) for number in range(500)))
    assert [answer.probability for answer in answers] == list(range(500))
    assert (await slow).action is Action.HOLD
    await client.close()
    await server.stop(0)


async def test_a_failing_item_spoils_neither_its_frame_nor_its_stream(identities: Path) -> None:
    server = await serve_judge(identities)
    client = await open_client(server, identities)
    bug, good = client.ask(question("bug"), 5), client.ask(question("1"), 5)
    with pytest.raises(RpcUnavailableError, match="the service failed"):
        await bug
    assert (await good).probability == 1
    await client.close()
    await server.stop(0)


async def test_an_item_without_answer_fails_at_its_deadline(identities: Path) -> None:
    server = await serve_judge(identities)
    client = await open_client(server, identities)
    with pytest.raises(RpcUnavailableError, match=r"no answer|deadline"):
        await client.ask(question("never"), 0.2)
    await client.close()
    await server.stop(0)


async def test_items_wait_for_a_backend_that_comes_back(identities: Path) -> None:
    server = await serve_judge(identities)
    port = server.port
    client = await open_client(server, identities)
    await client.ask(question("1"), 5)
    await server.stop(0)
    waiting = client.ask(question("2"), 15)
    server = await serve_judge(identities, port)
    assert (await waiting).probability == 2
    await client.close()
    await server.stop(0)


async def test_a_backend_that_broke_is_looked_for_at_once(identities: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_client, "RESOLVE_S", 3600.0)
    monkeypatch.setattr(frame_client, "STREAM_LIFE_S", 7200.0)
    server = await serve_judge(identities)
    client = await open_client(server, identities)
    await client.ask(question("1"), 5)
    await wait_for(lambda: client.look_at > asyncio.get_running_loop().time() + 3000)  # there is one: no need to look
    await server.stop(0)
    server = await serve_judge(identities, server.port)
    assert (await client.ask(question("2"), 30)).probability == 2
    await client.close()
    await server.stop(0)


async def test_a_backend_that_breaks_each_stream_is_not_asked_without_a_pause(
    identities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_client, "AGAIN_S", 3600.0)
    server = Server(LOOPBACK, identities / "spamfilter", Readiness())
    await server.start()  # it knows no such method
    client = await open_client(server, identities)
    with pytest.raises(RpcUnavailableError):
        await client.ask(question("1"), 1)
    assert client.look_at > asyncio.get_running_loop().time() + 3000
    assert not client.opening
    await client.close()
    await server.stop(0)


async def test_without_backend_the_error_names_the_service(identities: Path) -> None:
    client = FrameClient(Address("127.0.0.1", 1), identities / "submission", JUDGE_STREAM, "spamfilter")
    client.start()
    with pytest.raises(RpcUnavailableError, match=r"spamfilter: no backend answers at 127\.0\.0\.1:1"):
        await client.ask(question("1"), 0.2)
    await client.close()


async def test_a_stream_is_replaced_when_the_identity_changes_and_what_was_asked_is_answered(
    identities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_client, "RESOLVE_S", 0.1)
    server = await serve_judge(identities)
    client = await open_client(server, identities)
    await client.ask(question("1"), 5)
    (before,) = client.streams.values()
    slow = client.ask(question("slow"), 5)
    asked = [client.ask(question(str(number)), 5) for number in range(500)]
    reissue(identities, "authority", "submission")
    await wait_for(lambda: before not in client.streams.values() and client.streams)
    asked += [client.ask(question(str(number)), 5) for number in range(500)]
    assert [answer.probability for answer in await asyncio.gather(*asked)] == [*range(500), *range(500)]
    assert (await slow).action is Action.HOLD
    await wait_for(lambda: not client.draining)
    assert client.connected == 1
    await client.close()
    await server.stop(0)


async def test_a_backend_that_is_away_is_waited_for_once(identities: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_client, "RESOLVE_S", 0.1)
    client = FrameClient(Address("127.0.0.1", 1), identities / "submission", JUDGE_STREAM, "spamfilter")
    client.start()
    await wait_for(lambda: client.opening)
    (stream,) = client.opening.values()
    await asyncio.sleep(0.5)  # a few looks
    assert list(client.opening.values()) == [stream]
    await client.close()
    assert stream.task is not None
    assert stream.task.done()
