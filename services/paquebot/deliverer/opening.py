"""Opening a connection: connect, greeting, EHLO, STARTTLS as far as the destination asks for it."""

import asyncio
import os
import ssl
from dataclasses import dataclass
from functools import cache

from paquebot.deliverer.connection import Connection
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.mail.outcome import Outcome, Stage, of_failure, of_login, of_reply
from paquebot.mail.reply import Reply
from paquebot.policy.route import IMPLICIT_TLS_PORT
from paquebot.policy.values import TLSMinimum
from paquebot.smtp.client import BrokenSession
from paquebot.smtp.client_auth import Login, authenticate, mechanism_of

CONNECT_MAX_S = 30.0
HANDSHAKE_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class Way:
    """How hosts are reached: the port, our name, the least TLS, and who we are to a smarthost."""

    port: int
    helo_hostname: str
    tls_minimum: TLSMinimum = TLSMinimum.OPPORTUNISTIC
    allow_private: bool = False  # also by loopback and private addresses
    smarthost: str = ""  # the host that takes mail for all domains; "": each domain's MX hosts
    login: Login | None = None

    @property
    def implicit_tls(self) -> bool:
        """Say whether TLS begins with the first octet (RFC 8314 §3.3)."""
        return bool(self.smarthost) and self.port == IMPLICIT_TLS_PORT


async def open_connection(wheel: DeadlineWheel, host: str, address: str, way: Way) -> Connection | Outcome:
    """Return a connection ready for MAIL, or why there is none. Where TLS breaks it is tried again in the clear."""
    opened = await _open(wheel, host, address, way, with_tls=True)
    if isinstance(opened, _BrokenTlsError):
        if way.tls_minimum is not TLSMinimum.OPPORTUNISTIC:
            return of_failure(Stage.STARTTLS, f"{opened}; the destination's minimum is {way.tls_minimum}")
        opened = await _open(wheel, host, address, way, with_tls=False)
    assert not isinstance(opened, _BrokenTlsError), "no TLS was tried"  # noqa: S101
    return opened


class _BrokenTlsError(Exception):
    pass


async def _open(
    wheel: DeadlineWheel, host: str, address: str, way: Way, *, with_tls: bool
) -> Connection | Outcome | _BrokenTlsError:
    connection = Connection(wheel, host, address)
    failure = await _connect(connection, way)
    if failure is not None:
        return failure
    try:
        refusal = await _introduce(connection, way, with_tls=with_tls) or await _log_in(connection, way)
    except _BrokenTlsError as broken:
        return broken
    except asyncio.CancelledError:
        connection.abort()  # nobody else knows of it
        raise
    if refusal is not None:
        await connection.leave()
        return refusal
    return connection


async def _connect(connection: Connection, way: Way) -> Outcome | None:
    try:
        async with asyncio.timeout(CONNECT_MAX_S):
            await asyncio.get_running_loop().create_connection(lambda: connection, connection.address, way.port)
    except TimeoutError:
        return of_failure(Stage.CONNECT, f"{connection.where} did not answer within {CONNECT_MAX_S:.0f} s")
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error  # asyncio's own text names no cause
        return of_failure(Stage.CONNECT, f"{connection.where}: {why}")
    return None


async def _introduce(connection: Connection, way: Way, *, with_tls: bool) -> Outcome | None:
    """Hear the greeting, greet, and secure the connection; return what forbids to use it."""
    stage = Stage.GREETING
    if way.implicit_tls:
        await _handshake(connection, way)
    try:
        refusal = _refusal(stage, await connection.run(connection.session.greeting()))
        stage = Stage.HELLO
        refusal = refusal or _refusal(stage, await connection.run(connection.session.ehlo(way.helo_hostname)))
        if refusal is not None or connection.tls:
            return refusal
        if "STARTTLS" in connection.session.extensions and with_tls:
            stage = Stage.STARTTLS
            return await _secure(connection, way)
    except BrokenSession as broken:
        if stage is Stage.STARTTLS:  # before, in or behind the handshake: for some hosts it never works
            raise _BrokenTlsError(f"{connection.where}: {broken.reason}") from broken
        return of_failure(stage, f"{connection.where}: {broken.reason}")
    if way.tls_minimum is not TLSMinimum.OPPORTUNISTIC:
        return of_failure(Stage.STARTTLS, f"{connection.where} does not offer it, and it is required")
    return None


async def _secure(connection: Connection, way: Way) -> Outcome | None:
    """Do STARTTLS and greet again (RFC 3207 §4.2); a refusal counts only where TLS is required."""
    reply: Reply = await connection.run(connection.session.starttls())
    if not reply.is_positive:
        if way.tls_minimum is TLSMinimum.OPPORTUNISTIC and connection.reusable:
            return None
        return of_reply(Stage.STARTTLS, reply)  # also for a host that says 421 and closes
    await _handshake(connection, way)
    return _refusal(Stage.HELLO, await connection.run(connection.session.ehlo(way.helo_hostname)))


async def _handshake(connection: Connection, way: Way) -> None:
    try:
        timeout_s = connection.wheel.shortened(HANDSHAKE_MAX_S)
        await connection.start_tls(_context(way.tls_minimum), timeout_s)
    except (OSError, TimeoutError, ValueError) as error:
        connection.abort()
        raise _BrokenTlsError(f"{connection.where}: the TLS handshake failed: {error}") from error


async def _log_in(connection: Connection, way: Way) -> Outcome | None:
    """Say who we are, if a smarthost wants to know; a password never goes in the clear."""
    if way.login is None:
        return None
    if not connection.tls:
        return of_login(f"{connection.where} offers no TLS, and a password is not sent without")
    if not mechanism_of(connection.session.extensions):
        return of_login(f"{connection.where} offers neither PLAIN nor LOGIN")
    try:
        reply = await connection.run(authenticate(connection.session, way.login))
    except BrokenSession as broken:
        return of_failure(Stage.AUTH, f"{connection.where}: {broken.reason}")
    return _refusal(Stage.AUTH, reply)


def _refusal(stage: Stage, reply: Reply) -> Outcome | None:
    return None if reply.is_positive else of_reply(stage, reply)


@cache
def _context(minimum: TLSMinimum) -> ssl.SSLContext:
    """Return a context; only a Verified minimum looks at the certificate (opportunistic never does, RFC 7435)."""
    context = ssl.create_default_context()
    if minimum is not TLSMinimum.VERIFIED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
