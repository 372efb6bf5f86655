"""SMTP on real sockets, with TLS, spoken by smtplib and by clients that behave badly."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import uvloop

from paquebot.mail.delivery import Plan
from paquebot.policy.cluster import ClusterIdentity
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.settings import Address, Networks
from paquebot.runtime.tls import Reloading, server_context
from paquebot.smtp.server import ServerLimits
from paquebot.submission import connection
from paquebot.submission.connection import Hall, SmtpSettings
from paquebot.submission.crowd import Crowd, CrowdLimits
from paquebot.submission.patience import Patience
from paquebot.submission.room import Room, RoomLimits
from paquebot.submission.smtp_server import SmtpServer


class Running:
    """A server in a thread of its own, as a client of it sees it; `drain` and `end` reach into it."""

    def __init__(self, server: SmtpServer, certificates: Path) -> None:
        self.server = server
        self.hall = server.hall
        self.starttls_port = 0
        self.tls_port = 0
        self.trust = ssl.create_default_context(cafile=certificates / "smtp" / "ca.crt")
        self.loop = asyncio.get_running_loop()
        self.over = asyncio.Event()

    def over_tls(self) -> smtplib.SMTP:
        return smtplib.SMTP_SSL("localhost", self.tls_port, context=self.trust, timeout=10)

    def over_starttls(self) -> smtplib.SMTP:
        client = smtplib.SMTP("localhost", self.starttls_port, timeout=10)
        client.starttls(context=self.trust)
        return client

    def wait_until_alone(self) -> None:
        """Return when no more than one connection is left."""
        deadline = time.monotonic() + 10
        while self.hall.crowd.total > 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def drain(self, grace_s: float) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(self.server.drain(grace_s), self.loop)

    def end(self) -> None:
        self.drain(0).result(10)
        self.loop.call_soon_threadsafe(self.over.set)


Serve = Callable[..., Running]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("certificates")
    create_authority(root / "authority")
    issue(root / "authority", "smtp", root / "smtp", ("localhost",))
    return root


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def serve(world: Any, certificates: Path, request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Start a server with the limits that the test wants, on both kinds of event loop."""
    started: list[tuple[Running, threading.Thread]] = []

    async def live(crowd: CrowdLimits, room: RoomLimits, settings: SmtpSettings, hand_over: "Future[Running]") -> None:
        async with asyncio.TaskGroup() as tasks:
            server = SmtpServer(
                Hall(
                    settings=settings,
                    context=Reloading(certificates / "smtp", server_context).current,
                    intake=world.intake(),
                    authenticate=world.authenticate,
                    crowd=Crowd(crowd),
                    room=Room(room, time.monotonic),
                    tasks=tasks,
                )
            )
            running = Running(server, certificates)
            running.starttls_port = server.listen(Address("127.0.0.1", 0), implicit_tls=False)
            running.tls_port = server.listen(Address("127.0.0.1", 0), implicit_tls=True)
            sweeping = tasks.create_task(server.sweep())
            hand_over.set_result(running)
            await running.over.wait()
            sweeping.cancel()

    def start(
        crowd: CrowdLimits | None = None, room: RoomLimits | None = None, proxies: str = "", **patience
    ) -> Running:
        settings = SmtpSettings("mx.example", ServerLimits(), Patience(**patience), Networks.parse(proxies))
        hand_over: Future[Running] = Future()
        thread = threading.Thread(
            target=lambda: request.param(live(crowd or CrowdLimits(), room or RoomLimits(), settings, hand_over))
        )
        thread.start()
        started.append((hand_over.result(10), thread))
        return started[-1][0]

    yield start
    for running, thread in started:
        running.end()
        thread.join(10)


def message(size: int = 10) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Ann <ann@shop.example>"
    made["To"] = "bob@one.example"
    made["Subject"] = "Hello"
    made.set_content("x" * 70 + "\n" + ("." + "y" * 70 + "\n") * (size // 72))
    return made


def send(client: smtplib.SMTP, size: int = 10) -> dict[str, tuple[int, bytes]]:
    with client:
        client.login("shop.web", "correct horse")
        return client.send_message(message(size))


def test_tokens_are_offered_to_those_who_come_once_the_policy_knows_the_cluster(serve: Serve) -> None:
    running = serve()

    def offered() -> str:
        with running.over_tls() as client:
            client.ehlo()
            return client.esmtp_features["auth"].strip()

    assert offered() == "PLAIN LOGIN"
    intake = running.hall.intake
    intake.follow(replace(intake.policy, cluster=ClusterIdentity("https://issuer.test", "paquebot", ())))
    assert offered() == "PLAIN LOGIN OAUTHBEARER XOAUTH2"


@pytest.mark.parametrize("port", ["tls", "starttls"])
@pytest.mark.parametrize("size", [10, 500_000])
def test_smtplib_sends_mail(world: Any, serve: Serve, port: str, size: int) -> None:
    running = serve()
    dial = running.over_tls if port == "tls" else running.over_starttls
    assert send(dial(), size) == {}
    ((plan, content),) = world.kept
    assert isinstance(plan, Plan)
    assert content.startswith(b"From: Ann <ann@shop.example>\r\n")
    assert content.count(b"\r\n.y") == size // 72
    assert world.plans[0].protocol == "ESMTPSA"
    assert world.plans[0].client_address == "127.0.0.1"


def test_a_connection_serves_many_messages(world: Any, serve: Serve) -> None:
    running = serve()

    with running.over_tls() as client:
        client.login("shop.web", "correct horse")
        for _ in range(20):
            assert client.send_message(message()) == {}
    assert len(world.kept) == 20


def test_without_authentication_nobody_sends_even_from_loopback(world: Any, serve: Serve) -> None:
    running = serve()

    for dial in (running.over_tls, running.over_starttls):
        with dial() as client, pytest.raises(smtplib.SMTPSenderRefused, match="530"):
            client.send_message(message())
    with smtplib.SMTP("localhost", running.starttls_port, timeout=10) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AHgAeQ==")[0] == 538
        assert client.docmd("MAIL", "FROM:<ann@shop.example>")[0] == 530
    assert world.kept == []


def test_what_is_said_before_tls_counts_for_nothing(serve: Serve) -> None:
    running = serve()

    def work() -> bytes:
        with socket.create_connection(("127.0.0.1", running.starttls_port), timeout=10) as plain:
            plain.recv(1000)
            plain.sendall(b"EHLO x\r\n")
            plain.recv(1000)
            plain.sendall(b"STARTTLS\r\nEHLO injected\r\nMAIL FROM:<ann@shop.example>\r\n")
            assert plain.recv(1000).startswith(b"220 ")
            with running.trust.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(b"NOOP\r\nMAIL FROM:<ann@shop.example>\r\n")
                secure.settimeout(5)
                said = secure.recv(1000)
                while said.count(b"\r\n") < 2:
                    said += secure.recv(1000)
                return said

    said = work().split(b"\r\n")
    assert [line[:3] for line in said] == [b"250", b"503", b""]


def test_a_new_certificate_is_shown_to_the_next_client(serve: Serve, certificates: Path) -> None:
    running = serve()

    def serial() -> object:
        with running.over_tls() as client:
            assert isinstance(client.sock, ssl.SSLSocket)
            shown = client.sock.getpeercert()
            assert shown is not None
            return shown["serialNumber"]

    before = serial()
    (certificates / "smtp" / "tls.crt").unlink()
    issue(certificates / "authority", "smtp", certificates / "smtp", ("localhost",))
    assert serial() != before


def test_old_tls_is_not_spoken(serve: Serve) -> None:
    running = serve()

    old = ssl.create_default_context()
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", running.tls_port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        old.wrap_socket(plain)


def test_too_many_connections_from_an_address_hear_421(serve: Serve) -> None:
    running = serve(CrowdLimits(connections_of_address_max=1))

    with running.over_tls():
        with pytest.raises(smtplib.SMTPConnectError, match=r"Too many connections from 127\.0\.0\.1"):
            running.over_tls()
        running.wait_until_alone()  # twice as many as are served would be a flood, which hears nothing
        with pytest.raises(smtplib.SMTPConnectError, match="421"):
            running.over_starttls()


def test_a_flood_gets_not_even_a_handshake(serve: Serve) -> None:
    running = serve(CrowdLimits(connections_of_address_max=0))

    with pytest.raises((ssl.SSLError, OSError)):
        running.over_tls()
    assert running.hall.crowd.total == 0


def test_a_silent_client_hears_421(serve: Serve) -> None:
    running = serve(command_s=0.5)

    def work() -> list[bytes]:
        with socket.create_connection(("127.0.0.1", running.starttls_port), timeout=10) as client:
            return read_all(client).split(b"\r\n")

    greeting, goodbye, rest = work()
    assert greeting.startswith(b"220 ")
    assert goodbye.startswith(b"421 4.4.2 ")
    assert rest == b""


def test_a_client_that_never_authenticates_hears_421(serve: Serve) -> None:
    running = serve(unauthenticated_s=0.5)

    def work() -> bytes:
        with socket.create_connection(("127.0.0.1", running.starttls_port), timeout=10) as client:
            client.sendall(b"EHLO x\r\nNOOP\r\n")
            return read_all(client)

    assert b"\r\n421 4.4.2 " in work()


def test_content_that_trickles_ends_with_421(world: Any, serve: Serve) -> None:
    running = serve(window_s=0.5, floor_bytes_per_s=1000)

    def work() -> bytes:
        client = running.over_tls()
        client.login("shop.web", "correct horse")
        client.mail("ann@shop.example")
        client.rcpt("bob@one.example")
        assert client.docmd("DATA")[0] == 354
        client.send(b"From: ann@shop.example\r\n")
        assert client.sock is not None
        with client.sock:
            return read_all(client.sock)

    assert work().startswith(b"421 4.4.2 ")
    assert world.kept == []
    until(lambda: running.hall.room.held_bytes == 0)


def begin(client: smtplib.SMTP, size_bytes: int = 0) -> None:
    client.ehlo_or_helo_if_needed()
    if not client.esmtp_features.get("paquebot-logged-in"):
        client.login("shop.web", "correct horse")
        client.esmtp_features["paquebot-logged-in"] = "yes"
    client.mail("ann@shop.example", [f"SIZE={size_bytes}"] if size_bytes else [])
    client.rcpt("bob@one.example")


HEAD = b"From: ann@shop.example\r\n\r\n"


def test_a_content_waits_for_its_share_of_memory(serve: Serve) -> None:
    running = serve(room=RoomLimits(octets_max=400_000, share_max=1))
    room = running.hall.room
    with running.over_tls() as first, running.over_tls() as second:
        begin(first, 150_000)
        begin(second, 150_000)
        assert first.docmd("DATA")[0] == 354
        assert room.held_bytes >= 300_000
        second.send(b"DATA\r\n")
        until(lambda: len(room.line) == 1)
        first.send(HEAD + b".\r\n")
        assert first.getreply()[0] == 250
        assert second.getreply()[0] == 354
        second.send(HEAD + b".\r\n")
        assert second.getreply()[0] == 250
    until(lambda: room.held_bytes == 0 and room.messages == 0)


def test_who_waits_in_vain_hears_452_and_may_try_again(serve: Serve) -> None:
    running = serve(room=RoomLimits(octets_max=400_000, share_max=1, waiting_max_s=0.2))
    with running.over_tls() as first, running.over_tls() as second:
        begin(first, 150_000)
        begin(second, 150_000)
        assert first.docmd("DATA")[0] == 354
        code, text = second.docmd("DATA")
        assert (code, text[:5]) == (452, b"4.3.1")
        first.send(HEAD + b".\r\n")
        assert first.getreply()[0] == 250
        begin(second, 150_000)
        assert second.docmd("DATA")[0] == 354
        second.close()


def test_only_so_many_messages_run_at_once_and_the_others_wait_before_they_send(world: Any, serve: Serve) -> None:
    running = serve(room=RoomLimits(messages_max=1, messages_min=1))
    room = running.hall.room
    with running.over_tls() as first, running.over_tls() as second:
        begin(first)
        begin(second)
        assert first.docmd("DATA")[0] == 354
        second.send(b"DATA\r\n")
        until(lambda: len(room.line) == 1)
        first.send(HEAD + b".\r\n")
        assert first.getreply()[0] == 250
        assert second.getreply()[0] == 354
        second.close()
    assert len(world.kept) == 1


def test_a_slow_sender_lets_others_run(serve: Serve) -> None:
    running = serve(room=RoomLimits(messages_max=1, messages_min=1))
    with running.over_tls() as slow, running.over_tls() as quick:
        begin(slow)
        begin(quick)
        assert slow.docmd("DATA")[0] == 354
        assert quick.docmd("DATA")[0] == 354  # once the slow one has had its two seconds
        quick.send(HEAD + b".\r\n")
        assert quick.getreply()[0] == 250
        slow.send(HEAD + b".\r\n")
        assert slow.getreply()[0] == 250


@pytest.mark.parametrize("by", ["DATA", "BDAT"])
def test_a_content_that_is_larger_than_was_said_is_read_when_there_is_room(world: Any, serve: Serve, by: str) -> None:
    running = serve(room=RoomLimits(octets_max=4_000_000, share_max=1))
    room = running.hall.room
    body = (b"y" * 70 + b"\r\n") * 12_000
    with running.over_tls() as first, running.over_tls() as second:
        begin(first, 1_500_000)
        begin(second)
        assert first.docmd("DATA")[0] == 354

        def send_all() -> None:
            if by == "DATA":
                assert second.docmd("DATA")[0] == 354
                second.send(HEAD + body + b".\r\n")
            else:
                second.send(b"BDAT %d LAST\r\n%b" % (len(HEAD + body), HEAD + body))

        sending = threading.Thread(target=send_all)
        sending.start()
        until(lambda: len(room.growing) == 1)
        assert room.held_bytes < 4_000_000
        first.send(HEAD + b".\r\n")
        assert first.getreply()[0] == 250
        sending.join(10)
        assert second.getreply()[0] == 250
    assert [len(content) for _, content in world.kept][1] > len(body)
    until(lambda: room.held_bytes == 0)


def test_a_content_that_grows_and_finds_no_room_hears_421(serve: Serve) -> None:
    running = serve(room=RoomLimits(octets_max=4_000_000, share_max=1, waiting_max_s=0.3))
    with running.over_tls() as first, running.over_tls() as second:
        begin(first, 1_500_000)
        begin(second)
        assert first.docmd("DATA")[0] == 354
        assert second.docmd("DATA")[0] == 354
        with contextlib.suppress(OSError):
            second.send(HEAD + (b"y" * 70 + b"\r\n") * 12_000)
        code, text = second.getreply()
        assert (code, text[:5]) == (421, b"4.3.1")
        second.close()
        first.send(HEAD + b".\r\n")
        assert first.getreply()[0] == 250
    until(lambda: running.hall.room.held_bytes == 0)


def test_chunks_are_held_between_bdats_and_given_back(world: Any, serve: Serve) -> None:
    running = serve()
    content = HEAD + (b"y" * 70 + b"\r\n") * 2000
    with running.over_tls() as client:
        begin(client)
        client.send(b"BDAT %d\r\n%b" % (len(content), content))
        assert client.getreply()[0] == 250
        assert running.hall.room.held_bytes >= 2 * len(content)
        client.send(b"BDAT 3 LAST\r\nz\r\n")
        assert client.getreply()[0] == 250
        assert running.hall.room.held_bytes == 0
    assert world.kept[0][1].endswith(b"y\r\nz\r\n")


def test_a_large_content_is_kept_like_any_other(world: Any, serve: Serve) -> None:
    assert send(serve().over_tls(), 2_000_000) == {}
    assert world.judged[0].sampled
    assert len(world.kept[0][1]) > 2_000_000


def test_when_all_connections_are_taken_idle_strangers_make_room(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STRANGER_S", 0.0)
    running = serve(CrowdLimits(connections_max=3))
    shaking = socket.create_connection(("127.0.0.1", running.tls_port), timeout=10)  # and never does
    until(lambda: running.hall.crowd.total == 1)
    known = running.over_tls()
    known.login("shop.web", "correct horse")
    idle = smtplib.SMTP("localhost", running.starttls_port, timeout=10)
    with running.over_tls() as good:
        assert read_all(shaking) == b""
        good.login("shop.web", "correct horse")
        with running.over_tls() as better:
            assert idle.getreply()[0] == 421
            better.login("shop.web", "correct horse")
            assert better.send_message(message()) == {}
            with pytest.raises(smtplib.SMTPConnectError, match=r"421.*Too many connections"):
                running.over_tls()
            assert known.send_message(message()) == {}
    known.close()
    idle.close()
    shaking.close()


def test_a_client_that_came_just_now_does_not_make_room(serve: Serve) -> None:
    running = serve(CrowdLimits(connections_max=1))
    with smtplib.SMTP("localhost", running.starttls_port, timeout=10) as first:
        with pytest.raises(smtplib.SMTPConnectError, match="421"):
            smtplib.SMTP("localhost", running.starttls_port, timeout=10)
        assert first.noop()[0] == 250


def test_a_client_that_does_not_read_stops_being_answered(serve: Serve) -> None:
    running = serve()

    def work() -> int:
        with socket.create_connection(("127.0.0.1", running.starttls_port), timeout=1) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"EHLO x\r\n")
            sent = 0
            with contextlib.suppress(OSError):  # the pipe is full, or the session ended
                for _ in range(10_000):
                    client.sendall(b"HELP\r\n" * 1000)
                    sent += 6000
            return sent

    assert work() < 60_000_000


def test_draining_lets_a_transaction_end_and_sends_the_idle_away(world: Any, serve: Serve) -> None:
    running = serve()
    idle = running.over_tls()
    busy = running.over_tls()

    def begin() -> None:
        busy.login("shop.web", "correct horse")
        busy.mail("ann@shop.example")
        busy.rcpt("bob@one.example")

    def end() -> tuple[int, bytes]:
        assert busy.docmd("DATA")[0] == 354
        busy.send(b"From: ann@shop.example\r\n\r\nHello\r\n.\r\n")
        return busy.getreply()

    begin()
    draining = running.drain(20)
    code, text = idle.getreply()
    assert (code, text[:5]) == (421, b"4.3.2")
    assert end()[0] == 250
    assert busy.getreply()[0] == 421
    idle.close()
    busy.close()
    draining.result(20)
    assert len(world.kept) == 1
    assert not running.hall.connections
    with pytest.raises(OSError, match="refused"):
        running.over_tls()


def test_draining_ends_who_does_not_end(serve: Serve) -> None:
    running = serve()
    client = running.over_tls()

    def begin() -> None:
        client.login("shop.web", "correct horse")
        client.mail("ann@shop.example")

    begin()
    running.drain(0.2).result(10)
    assert not running.hall.connections
    client.close()


def test_a_fault_of_ours_is_a_451_and_the_session_goes_on(world: Any, serve: Serve) -> None:
    running = serve()
    world.not_kept = ZeroDivisionError("a bug")

    with running.over_tls() as client:
        client.login("shop.web", "correct horse")
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            client.send_message(message())
        world.not_kept = None
        assert client.send_message(message()) == {}


def test_who_hangs_up_leaves_nothing_behind(serve: Serve) -> None:
    running = serve()

    # The one that says nothing comes first: accepted before those that follow, so before the server ends.
    socket.create_connection(("127.0.0.1", running.tls_port), timeout=10).close()
    for dial in (running.over_tls, running.over_starttls):
        client = dial()
        client.login("shop.web", "correct horse")
        client.close()
    crowd = running.hall.crowd
    until(lambda: (crowd.total, dict(crowd.addresses), dict(crowd.principals)) == (0, {}, {}))
    assert not running.hall.connections


def read_all(client: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(10_000):
            said += chunk
    return said


def until(claim: Callable[[], bool]) -> None:
    """Wait for what another thread brings about; the test's own time limit ends a wait for nothing."""
    while not claim():
        time.sleep(0.01)


PROXIED = b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 465\r\n"


class ProxiedSmtp(smtplib.SMTP_SSL):
    """A client behind a load balancer that passes its connection on."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        plain.sendall(PROXIED)
        return self.context.wrap_socket(plain, server_hostname=self._host)


def test_behind_a_load_balancer_the_clients_own_address_is_seen(world: Any, serve: Serve) -> None:
    running = serve(proxies="127.0.0.0/8")
    assert send(ProxiedSmtp("localhost", running.tls_port, context=running.trust, timeout=10)) == {}
    assert world.plans[0].client_address == "192.0.2.7"


@pytest.mark.parametrize("said", [b"EHLO c.test\r\n", b"PROXY TCP4 nobody\r\n", b""])
def test_a_listed_peer_that_says_not_for_whom_is_not_served(serve: Serve, said: bytes) -> None:
    running = serve(proxies="127.0.0.1/32")
    with socket.create_connection(("127.0.0.1", running.starttls_port), timeout=10) as client:
        client.sendall(said)
        if not said:
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert read_all(client) == b""
    assert running.hall.crowd.total == 0
    until(lambda: running.server.unnamed == 0)


def test_nobody_else_may_say_for_whom_it_comes(serve: Serve) -> None:
    running = serve(proxies="192.0.2.0/24")
    with socket.create_connection(("127.0.0.1", running.starttls_port), timeout=10) as client:
        client.sendall(PROXIED + b"QUIT\r\n")
        said = read_all(client)
    assert [line[:3] for line in said.splitlines()] == [b"220", b"500", b"221"]
