"""An MX host on loopback: sockets around the same session that our own submission runs."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from paquebot.mail.envelope import Envelope
from paquebot.mail.reply import Reply
from paquebot.sandbox.manner import NO_RELAY, Doorkeeper, Manner
from paquebot.smtp.events import AuthAttempt, Content, DataStart, Event, MailFrom, RcptTo, StartTls
from paquebot.smtp.server import GO_AHEAD, ServerLimits, ServerSession

LIMITS = ServerLimits(content_max_bytes=104_857_600, recipients_max=1_000, errors_max=100, commands_max=10_000)
BACKLOG = 1_024
_TLS_READY = Reply(220, "2.0.0", "Ready to start TLS")


@dataclass(frozen=True, slots=True)
class Received:
    """A transaction that a host has accepted. `time_s` is Unix time."""

    host: str
    client: str
    hello_name: str
    tls: bool
    envelope: Envelope
    content: bytes = field(repr=False)
    time_s: float


@dataclass(slots=True)
class MxHost:
    """One receiving host: its name, address, the domains it receives for, and its manner."""

    name: str
    address: str
    domains: frozenset[str]
    manner: Manner
    on_received: Callable[[Received], None]
    doorkeeper: Doorkeeper = field(init=False)
    _server: asyncio.Server | None = None
    _connections: "set[Connection]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.doorkeeper = Doorkeeper(self.manner)

    async def start(self, port: int, tls: ssl.SSLContext) -> int:
        """Listen; return the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self, self._connections, tls), self.address, port, backlog=BACKLOG
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more and cut who is here."""
        if self._server is not None:
            self._server.close()
        handshakes = [connection.abort() for connection in tuple(self._connections)]
        await asyncio.gather(*(task for task in handshakes if task is not None), return_exceptions=True)

    def open_connections(self) -> int:
        """Count clients."""
        return len(self._connections)


class Connection(asyncio.Protocol):
    """One client of one host."""

    def __init__(self, host: MxHost, connections: "set[Connection]", tls: ssl.SSLContext) -> None:
        self._host = host
        self._connections = connections
        self._tls = tls
        self._session = ServerSession(host.name, LIMITS, tls=False, starttls=host.manner.starttls, auth_required=False)
        self._transport: asyncio.Transport
        self._client = ""
        self._reverse_path = ""
        self._taken = 0
        self._handshake: asyncio.Task[None] | None = None
        self._early: list[bytes] | None = None  # decrypted before the handshake's end was heard of

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of asyncio's
        self._client = str(transport.get_extra_info("peername")[0])
        self._connections.add(self)
        self._session.greet()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Answer what has come whole."""
        if self._early is not None:
            self._early.append(data)
            return
        self._session.receive_data(data)
        while (event := self._session.next_event()) is not None:
            reply = self._reply_to(event)
            self._session.answer(reply)
            if isinstance(event, StartTls) and reply is _TLS_READY:
                self._start_tls()
                return
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        del exc
        self._session.receive_eof()
        self._connections.discard(self)

    def abort(self) -> asyncio.Task[None] | None:
        """Cut the connection; return the handshake to wait for, if there is one."""
        if self._handshake is not None:
            self._handshake.cancel()
        self._transport.abort()
        return self._handshake

    def _reply_to(self, event: Event) -> Reply:
        now_s = asyncio.get_running_loop().time()
        doorkeeper = self._host.doorkeeper
        match event:
            case StartTls():
                return _TLS_READY
            case MailFrom():
                self._reverse_path = event.path
                return doorkeeper.sender(self._taken, now_s)
            case RcptTo():
                ours = event.path.rpartition("@")[2] in self._host.domains
                triple = (self._client, self._reverse_path, event.path)
                return doorkeeper.recipient(triple, now_s) if ours else NO_RELAY
            case DataStart():
                return GO_AHEAD
            case Content():
                return self._host.manner.content_reply or self._take(event)
            case AuthAttempt():
                raise AssertionError("a session without AUTH refuses it by itself")

    def _take(self, event: Content) -> Reply:
        self._taken += 1
        session, host = self._session, self._host
        host.on_received(
            Received(
                host.name,
                self._client,
                session.hello_name,
                session.tls,
                event.envelope,
                event.content,
                time.time(),
            )
        )
        return Reply(250, "2.0.0", "Ok: taken by the sandbox")

    def _flush(self) -> None:
        if out := self._session.data_to_send():
            self._transport.write(out)
        if self._session.closed:
            self._transport.close()

    def _start_tls(self) -> None:
        """Stop reading first: the client's first TLS octets are not for the session."""
        self._early = []
        self._transport.pause_reading()
        self._flush()
        self._handshake = asyncio.get_running_loop().create_task(self._shake_hands())

    async def _shake_hands(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            upgraded = await loop.start_tls(self._transport, self, self._tls, server_side=True)
        except OSError:  # ssl.SSLError is one too: the client goes its way
            upgraded = None
        early, self._early = self._early or [], None
        if upgraded is None:
            self._transport.abort()
            self.connection_lost(None)
            return
        self._transport = upgraded
        self._session.tls_started()
        for chunk in early:
            self.data_received(chunk)
