"""From nothing to a connection ready for MAIL, as secure as the destination asks and the host can."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deliverer.hosts import HANG_UP, SILENCE, Host, listening
from paquebot.deliverer import opening
from paquebot.deliverer.connection import Connection
from paquebot.deliverer.opening import Way, open_connection
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.mail.outcome import Kind, Outcome, Scope
from paquebot.policy.values import TLSMinimum
from paquebot.sandbox.certificate import self_signed_context
from paquebot.sandbox.manner import Manner
from paquebot.sandbox.mxhost import MxHost
from paquebot.smtp.client_auth import Login
from relay import Relay
from relay import listening as relay_listening

WITH_TLS = b"250-mx.test\r\n250 STARTTLS\r\n"
OPPORTUNISTIC, ENCRYPTED, VERIFIED = TLSMinimum.OPPORTUNISTIC, TLSMinimum.ENCRYPTED, TLSMinimum.VERIFIED


class Hasty(DeadlineWheel):
    """A thousand times as fast."""

    def arm(self, owner, seconds, call) -> None:
        super().arm(owner, seconds / 1000, call)


async def opened(
    port: int, minimum: TLSMinimum = OPPORTUNISTIC, wheel: DeadlineWheel | None = None, host: str = "a.mx"
) -> Connection | Outcome:
    return await open_connection(wheel or DeadlineWheel(), host, "127.0.0.1", Way(port, "out.example", minimum))


@asynccontextmanager
async def sandbox_host() -> AsyncIterator[int]:
    """Let a host listen that does STARTTLS, with a certificate that nobody vouches for."""
    host = MxHost("a.mx", "127.0.0.1", frozenset({"b.example"}), Manner(), lambda _received: None)
    yield await host.start(0, self_signed_context(("a.mx",)))
    await host.stop()


def refusal(found: Connection | Outcome) -> str:
    """Return why there is no connection: for now, and the next host may do."""
    assert isinstance(found, Outcome)
    assert (found.kind, found.scope) == (Kind.DEFERRED, Scope.HOST)
    return found.reason


def usable(found: Connection | Outcome) -> Connection:
    assert isinstance(found, Connection), found
    assert found.reusable
    found.abort()
    return found


async def test_we_introduce_ourselves_by_the_name_of_the_pool() -> None:
    said: list[bytes] = []

    def answer(line: bytes) -> bytes:
        said.append(line)
        return b"250 mx.test\r\n"

    async with listening(Host(EHLO=answer)) as port:
        assert usable(await opened(port)).tls == ""
    assert said == [b"EHLO out.example\r\n"]


@pytest.mark.parametrize("minimum", [OPPORTUNISTIC, ENCRYPTED])
@pytest.mark.parametrize("host", ["a.mx", "[127.0.0.1]"])
async def test_a_host_that_offers_tls_gets_it_whatever_its_certificate(minimum: TLSMinimum, host: str) -> None:
    async with sandbox_host() as port:
        connection = await opened(port, minimum, host=host)
        assert isinstance(connection, Connection)
        assert connection.tls == "TLSv1.3"
        assert "STARTTLS" not in connection.session.extensions
        assert "PIPELINING" in connection.session.extensions
        connection.abort()


async def test_a_certificate_counts_where_it_must_be_verified() -> None:
    async with sandbox_host() as port:
        reason = refusal(await opened(port, VERIFIED))
    assert reason.startswith("STARTTLS failed: a.mx [127.0.0.1]: the TLS handshake failed: ")
    assert "certificate verify failed" in reason
    assert reason.endswith("; the destination's minimum is Verified")


async def test_broken_tls_is_tried_again_in_the_clear_unless_it_is_required() -> None:
    host = Host(EHLO=WITH_TLS, STAR=HANG_UP)
    broken = Host(EHLO=WITH_TLS, STAR=lambda _line: b"220 go\r\n")
    async with listening(broken) as port:
        # The host reads our handshake as commands, and answers in the clear.
        assert usable(await opened(port)).tls == ""
        assert broken.connections == 2
        assert "the destination's minimum is Encrypted" in refusal(await opened(port, ENCRYPTED))
        assert broken.connections == 3
    async with listening(host) as port:
        assert usable(await opened(port)).tls == ""
        assert refusal(await opened(port, ENCRYPTED)).startswith("STARTTLS failed: a.mx [127.0.0.1]: connection closed")


async def test_a_refused_starttls_is_no_reason_to_leave_unless_it_is_required() -> None:
    host = Host(EHLO=WITH_TLS, STAR=b"454 4.7.0 not now\r\n")
    async with listening(host) as port:
        usable(await opened(port))
        assert host.connections == 1
        found = await opened(port, ENCRYPTED)
    assert isinstance(found, Outcome)
    assert (found.kind, found.reason) == (Kind.DEFERRED, "STARTTLS was answered with 454 4.7.0 not now")


async def test_a_host_without_tls_is_refused_where_it_is_required() -> None:
    async with listening(Host()) as port:
        assert refusal(await opened(port, ENCRYPTED)) == (
            "STARTTLS failed: a.mx [127.0.0.1] does not offer it, and it is required"
        )


async def test_words_slipped_in_before_the_handshake_break_the_connection() -> None:
    host = Host(EHLO=WITH_TLS, STAR=b"220 go\r\n250 slipped in\r\n")
    async with listening(host) as port:
        assert "bytes in the clear" in refusal(await opened(port, ENCRYPTED))
        assert usable(await opened(port)).tls == ""
        assert host.connections == 3  # the one that was tampered with is used no more


async def test_a_name_that_tls_cannot_say_is_a_failed_handshake_and_no_crash() -> None:
    async with sandbox_host() as port:
        assert usable(await opened(port, host="x" * 64 + ".mx")).tls == ""
        assert "the TLS handshake failed" in refusal(await opened(port, ENCRYPTED, host="x" * 64 + ".mx"))


async def test_nobody_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        reason = refusal(await opened(listener.getsockname()[1]))
    assert reason == "connecting failed: a.mx [127.0.0.1]: Connection refused"


@pytest.mark.parametrize(
    ("host", "stage"),
    [
        (Host(greeting=SILENCE), "greeting"),
        (Host(greeting=HANG_UP), "greeting"),
        (Host(EHLO=SILENCE), "EHLO"),
        (Host(EHLO=HANG_UP), "EHLO"),
    ],
    ids=["silent", "gone", "silent to EHLO", "gone at EHLO"],
)
async def test_a_host_that_falls_silent_or_goes_says_at_which_stage(host: Host, stage: str) -> None:
    wheel = Hasty()
    turning = asyncio.create_task(wheel.run())
    async with listening(host) as port:
        reason = refusal(await opened(port, wheel=wheel))
    assert reason.startswith(f"{stage} failed: a.mx [127.0.0.1]: ")
    assert wheel.armed == {}
    turning.cancel()


async def test_a_host_that_is_silent_to_starttls_is_tried_again_in_the_clear() -> None:
    wheel = Hasty()
    turning = asyncio.create_task(wheel.run())
    async with listening(Host(EHLO=WITH_TLS, STAR=SILENCE)) as port:
        assert refusal(await opened(port, ENCRYPTED, wheel)).startswith("STARTTLS failed: a.mx [127.0.0.1]: timeout")
        assert usable(await opened(port, wheel=wheel)).tls == ""
    turning.cancel()


async def test_tls_below_1_2_is_not_spoken() -> None:
    from paquebot.deliverer.opening import _context

    assert {_context(minimum).minimum_version for minimum in TLSMinimum} == {ssl.TLSVersion.TLSv1_2}


GOOD = Login("paquebot", "s3cret päss")


def to_relay(relay: Relay, minimum: TLSMinimum = ENCRYPTED, login: Login | None = GOOD) -> Way:
    return Way(relay.port, "out.example", minimum, smarthost="relay.test", login=login)


async def relayed(way: Way) -> Connection | Outcome:
    return await open_connection(DeadlineWheel(), "relay.test", "127.0.0.1", way)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_we_log_in_at_a_smarthost_once_the_connection_is_encrypted(mechanism: str) -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)), mechanisms=mechanism)) as relay:
        assert usable(await relayed(to_relay(relay)))
        assert relay.logins == [(mechanism, True)]


async def test_a_refused_login_rests_the_site_and_fails_no_mail() -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)), password="other")) as relay:
        found = await relayed(to_relay(relay))
        assert isinstance(found, Outcome)
        assert (found.kind, found.scope) == (Kind.DEFERRED, Scope.SITE)
        assert found.reason == "AUTH was answered with 535 5.7.8 who are you"


async def test_a_password_never_goes_in_the_clear() -> None:
    host = Host(EHLO=b"250-relay.test\r\n250 AUTH PLAIN\r\n")
    async with listening(host) as port:
        found = await relayed(Way(port, "out.example", smarthost="relay.test", login=GOOD))
        assert isinstance(found, Outcome)
        assert found.reason == ("AUTH failed: relay.test [127.0.0.1] offers no TLS, and a password is not sent without")


async def test_a_smarthost_without_our_mechanisms_is_said_to_be_so() -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)), mechanisms="XOAUTH2")) as relay:
        found = await relayed(to_relay(relay))
        assert isinstance(found, Outcome)
        assert found.reason == "AUTH failed: relay.test [127.0.0.1] offers neither PLAIN nor LOGIN"


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_password() -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)))) as relay:
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(await relayed(to_relay(relay, VERIFIED)))
        assert relay.logins == []


async def test_port_465_begins_with_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    async with relay_listening(Relay(self_signed_context(("relay.test",)), implicit=True)) as relay:
        monkeypatch.setattr(opening, "IMPLICIT_TLS_PORT", relay.port)
        assert usable(await relayed(to_relay(relay))).tls == "TLSv1.3"
        assert relay.logins == [("PLAIN", True)]
        assert "CERTIFICATE_VERIFY_FAILED" in refusal(await relayed(to_relay(relay, VERIFIED)))
