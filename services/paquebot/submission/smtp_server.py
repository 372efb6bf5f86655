"""SMTP on sockets: an asyncio.Protocol around each sans-IO session, for 465 (TLS at once) and 587 (STARTTLS).

Each handshake gets the certificate that is on disk then. A command costs neither a task nor
a timer; a message costs one task, while others are asked. One sweep a second looks at who is overdue.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

import structlog

from paquebot.mail.reply import Reply
from paquebot.runtime.settings import Address, Networks
from paquebot.smtp import sasl, table
from paquebot.smtp.events import StartTls
from paquebot.smtp.proxy import ProxyFault
from paquebot.smtp.server import ServerLimits, ServerSession
from paquebot.submission.counts import ENDED, SESSIONS
from paquebot.submission.crowd import Crowd
from paquebot.submission.dialogue import Authenticate, Dialogue
from paquebot.submission.intake import Intake
from paquebot.submission.patience import Patience, Waiting
from paquebot.submission.proxied import client_address

SWEEP_S = 1.0
ACCEPT_PAUSE_S = 0.1
SHUTDOWN_S = 3.0  # for a client to close its end of TLS after our last word
BACKLOG = 1024
LOG = structlog.get_logger()

_READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
_GOING_DOWN = Reply(421, "4.3.2", "The service is going down: try again")
_INTERNAL = Reply(451, "4.3.0", "Something went wrong here: try again later")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """What sessions are held to."""

    hostname: str
    limits: ServerLimits = field(default_factory=ServerLimits)
    patience: Patience = field(default_factory=Patience)
    memory_max_bytes: int = 512 << 20  # of contents that come in at once, in all sessions
    proxy_peers: Networks = field(default_factory=Networks)  # who must begin with a PROXY header


@dataclass(slots=True)
class SmtpServer:
    """All SMTP sessions of the process. `context` returns the TLS context for the next handshake."""

    settings: SmtpSettings
    context: Callable[[], ssl.SSLContext]
    intake: Intake
    authenticate: Authenticate
    crowd: Crowd
    tasks: asyncio.TaskGroup
    connections: "set[Connection]" = field(default_factory=set)
    memory_bytes: int = 0
    unnamed: int = 0  # connections of load balancers that have not said whose they are
    draining: bool = False
    emptied: asyncio.Event = field(default_factory=asyncio.Event)  # the last connection has gone
    _listeners: "dict[socket.socket, asyncio.Task[None]]" = field(default_factory=dict)

    def listen(self, address: Address, *, implicit_tls: bool) -> int:
        """Listen for clients; return the port."""
        both = address.host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if ":" in address.host else socket.AF_INET,
            backlog=BACKLOG,
            dualstack_ipv6=both,
        )
        listener.setblocking(False)
        self._listeners[listener] = self.tasks.create_task(self._accept(listener, implicit_tls=implicit_tls))
        return int(listener.getsockname()[1])

    async def sweep(self) -> None:
        """Look at all sessions once a second, for ever."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = asyncio.get_running_loop().time()
            for connection in tuple(self.connections):
                connection.check(now_s)

    async def drain(self, grace_s: float) -> None:
        """Accept nobody, send the idle away with 421, let transactions end; after `grace_s` end the rest."""
        self.draining = True
        for listener, accepting in self._listeners.items():
            accepting.cancel()
            listener.close()
        self._listeners.clear()
        for connection in tuple(self.connections):
            connection.drain()
        self.emptied.clear()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self.emptied.wait()
        for connection in tuple(self.connections):
            connection.end("drained")

    async def _accept(self, listener: socket.socket, *, implicit_tls: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, peer = await loop.sock_accept(listener)
            except OSError as error:  # no file descriptors left, or a client that was gone before we looked
                LOG.warning("a connection could not be accepted", why=str(error))
                await asyncio.sleep(ACCEPT_PAUSE_S)
                continue
            address = str(peer[0])
            if address not in self.settings.proxy_peers:
                self._enter(client, address, implicit_tls=implicit_tls)
            elif self.unnamed < self.crowd.limits.connections_max:
                self.tasks.create_task(self._ask_proxy(client, address, implicit_tls=implicit_tls))
            else:
                client.close()

    async def _ask_proxy(self, client: socket.socket, peer: str, *, implicit_tls: bool) -> None:
        """Hear from a load balancer whose connection this is."""
        self.unnamed += 1
        try:
            address = await client_address(client, peer)
        except (ProxyFault, OSError) as fault:
            LOG.warning("a listed peer says not whose connection it passes on", peer=peer, why=str(fault))
            ENDED.labels("no PROXY header").inc()
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        finally:
            self.unnamed -= 1
        self._enter(client, address, implicit_tls=implicit_tls)

    def _enter(self, client: socket.socket, address: str, *, implicit_tls: bool) -> None:
        """Count a client and serve it, unless that alone would cost too much."""
        connection = Connection(self, address, self.crowd.enter(address), implicit_tls=implicit_tls)
        if self.crowd.floods(address):  # a handshake is what a flood would like to make us pay for
            connection.never_came("flood")
            client.close()
        else:
            self.tasks.create_task(self._welcome(connection, client))

    async def _welcome(self, connection: "Connection", client: socket.socket) -> None:
        """Give a connection its transport, behind TLS if its port wants that."""
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                client,
                ssl=self.context() if connection.implicit_tls else None,
                ssl_handshake_timeout=self.settings.patience.handshake_s if connection.implicit_tls else None,
                ssl_shutdown_timeout=SHUTDOWN_S if connection.implicit_tls else None,
            )
        except OSError as error:  # SSLError is one
            LOG.info("no TLS", address=connection.address, why=str(error))
            connection.never_came("handshake failed")
            client.close()
        except asyncio.CancelledError:  # the process ends while hands are being shaken
            client.close()
            raise

    def has_memory(self) -> bool:
        """Say whether another content may begin to come in."""
        return self.memory_bytes < self.settings.memory_max_bytes


class Connection(asyncio.Protocol):
    """One client: moves octets between its transport and its session, and asks the dialogue what to say."""

    def __init__(self, server: SmtpServer, address: str, refusal: Reply | None, *, implicit_tls: bool) -> None:
        self.address = address
        self.implicit_tls = implicit_tls
        self._server = server
        self._refusal = refusal
        self._transport: asyncio.Transport
        self._session = ServerSession(
            server.settings.hostname, server.settings.limits, tls=implicit_tls, starttls=not implicit_tls
        )
        if server.intake.policy.cluster is not None:
            self._session.client.mechanisms = (*sasl.WITH_PASSWORD, *sasl.WITH_TOKEN)
        self._dialogue = Dialogue(
            self._session, server.intake, server.authenticate, server.crowd, address, server.has_memory
        )
        now_s = asyncio.get_running_loop().time()
        self._waiting = Waiting(now_s, now_s)
        self._early: list[bytes] | None = None  # what came between the handshake and our hearing of it
        self._held_bytes = 0  # our part of the server's memory_bytes
        self._write_paused = False
        self._over = False

    def __repr__(self) -> str:
        return f"<Connection {self.address} {self._session!r}>"

    # What asyncio tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the client."""
        self._transport = cast("asyncio.Transport", transport)  # of a stream socket; uvloop's are no subclass
        self._server.connections.add(self)
        SESSIONS.inc()
        if self._server.draining:
            self._refusal = _GOING_DOWN
        if self._refusal is not None:
            ENDED.labels("refused at the door").inc()
        self._session.greet(self._refusal)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Give octets to the session."""
        if self._early is not None:
            self._early.append(data)
            return
        session = self._session
        session.receive_data(data)
        if session.mid_content:
            self._waiting.came(len(data))
        self._hold()
        self._pump()

    def eof_received(self) -> None:
        """Hear that the client sends no more; the transport closes itself."""
        self._session.receive_eof()

    def pause_writing(self) -> None:
        """Hear that the client does not read what we say: say no more until it does."""
        self._write_paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._write_paused = False
        self._transport.resume_reading()
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the client out."""
        if self._over:
            return
        self._over = True
        server = self._server
        server.connections.discard(self)
        if not server.connections:
            server.emptied.set()
        server.crowd.leave(self.address)
        self._dialogue.leave()
        self._release()
        SESSIONS.dec()
        if exc is not None:
            LOG.debug("connection lost", address=self.address, why=str(exc))

    # What the server tells us.

    def never_came(self, why: str) -> None:
        """Count the client out that got no transport."""
        ENDED.labels(why).inc()
        self._over = True
        self._server.crowd.leave(self.address)

    def check(self, now_s: float) -> None:
        """End the session if the client has had its time; who waits for our answer is not overdue."""
        session = self._session
        if self._early is not None or session.waiting:
            self._waiting.answered(now_s)
            return
        self._note_transaction(now_s)
        why = self._waiting.overdue(
            self._server.settings.patience,
            now_s,
            authenticated=session.client.authenticated,
            mid_content=session.mid_content,
        )
        if why:
            LOG.info("client overdue", address=self.address, why=why)
            ENDED.labels(why).inc()
            session.close_with(table.IDLE)
            self._flush()

    def drain(self) -> None:
        """Send the client away unless it is in a transaction; then when that has ended."""
        if self._early is None and not self._dialogue.in_transaction:
            self._session.close_with(table.SHUTDOWN)
            self._flush()

    def end(self, why: str) -> None:
        """Cut the connection."""
        ENDED.labels(why).inc()
        self._transport.abort()
        self.connection_lost(None)

    # What we do.

    def _pump(self) -> None:
        """Answer what can be answered now; leave what others must be asked to a task."""
        session = self._session
        while not (self._write_paused or self._over) and (event := session.next_event()) is not None:
            if isinstance(event, StartTls):
                self._start_tls()
                return
            answer = self._dialogue.answer(event)
            if not isinstance(answer, Reply):
                self._server.tasks.create_task(self._answer_later(answer))
                break
            session.answer(answer)
        self._hold()
        self._flush()

    async def _answer_later(self, coming: Coroutine[Any, Any, Reply]) -> None:
        try:
            reply = await coming
        except Exception:  # a fault in one session must not end the others
            LOG.exception("a session failed", address=self.address)
            reply = _INTERNAL
        if self._over:
            return
        self._session.answer(reply)
        if self._server.draining:
            self.drain()
        self._pump()

    def _flush(self) -> None:
        """Write what the session has to say, and keep as much from coming as it cannot take."""
        if self._over:
            return
        session = self._session
        said = session.data_to_send()
        if said:
            self._waiting.answered(asyncio.get_running_loop().time())
            self._transport.write(said)
        if session.closed:
            self._transport.close()
        elif session.congested:
            self._transport.pause_reading()
        elif not self._write_paused and not self._transport.is_reading():
            self._transport.resume_reading()

    def _start_tls(self) -> None:
        """Answer STARTTLS. Reading stops first, so that nothing of the handshake is taken for plaintext."""
        self._session.answer(_READY_FOR_TLS)
        self._early = []
        self._transport.pause_reading()
        self._transport.write(self._session.data_to_send())
        self._server.tasks.create_task(self._shake_hands())

    async def _shake_hands(self) -> None:
        """Put TLS between the transport and us, then begin anew (RFC 3207 §4.2)."""
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                self._server.context(),
                server_side=True,
                ssl_handshake_timeout=self._server.settings.patience.handshake_s,
                ssl_shutdown_timeout=SHUTDOWN_S,
            )
        except (OSError, RuntimeError) as error:  # RuntimeError: the transport has closed meanwhile
            LOG.info("no TLS", address=self.address, why=str(error))
            self.end("handshake failed")
            return
        if transport is None or self._over:
            return
        self._transport = transport
        self._session.tls_started()
        early, self._early = self._early or [], None
        for chunk in early:
            self.data_received(chunk)
        self._flush()

    def _note_transaction(self, now_s: float) -> None:
        waiting = self._waiting
        if not self._dialogue.in_transaction:
            waiting.transaction_s = 0.0
        elif not waiting.transaction_s:
            waiting.transaction_s = now_s

    def _hold(self) -> None:
        """Count the octets that the session keeps."""
        if self._over:
            return
        kept = self._session.kept_bytes
        self._server.memory_bytes += kept - self._held_bytes
        self._held_bytes = kept
        if self._server.memory_bytes > 2 * self._server.settings.memory_max_bytes:
            LOG.warning("contents in memory exceed twice their limit", address=self.address)
            self._release()
            self.end("memory")

    def _release(self) -> None:
        self._server.memory_bytes -= self._held_bytes
        self._held_bytes = 0
