"""An MX host on loopback: sockets around the same session that our own submission runs, with a manner of its own."""

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from paquebot.mail.envelope import Envelope
from paquebot.mail.reply import Reply
from paquebot.sandbox.doorkeeper import Doorkeeper
from paquebot.sandbox.manner import Act, Answer, Handshake, Manner, Stage, Wording
from paquebot.sandbox.outbox import Outbox
from paquebot.sandbox.voice import Voice
from paquebot.smtp.events import AuthAttempt, Content, DataStart, Event, MailFrom, RcptTo, StartTls
from paquebot.smtp.server import GO_AHEAD, ServerLimits, ServerSession

LIMITS = ServerLimits(recipients_max=1_000, errors_max=100, commands_max=10_000)
BACKLOG = 1_024
NO_RELAY = Reply(550, "5.7.1", "We do not receive mail for that domain")
_TLS_READY = Reply(220, "2.0.0", "Ready to start TLS")
_GARBAGE = b"\x15\x03\x03\x00\x02\x02\x28 this is no TLS\r\n"  # an alert, handshake_failure, and more


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
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  (the same each time)
    doorkeeper: Doorkeeper = field(init=False)
    _server: asyncio.Server | None = None
    _connections: "set[Connection]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.doorkeeper = Doorkeeper(self.manner, self.chance)

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
        manner = host.manner
        self._host = host
        self._manner = manner
        self._connections = connections
        self._tls = tls
        self._session = ServerSession(
            host.name,
            replace(LIMITS, content_max_bytes=manner.size_max_bytes),
            tls=False,
            starttls="STARTTLS" not in manner.without,
            auth_required=False,
        )
        self._voice = None if _speaks_plainly(manner) else Voice(host.name, manner.wording, manner.without)
        self._outbox = Outbox(self._write, manner.delay_s, manner.trickle_s)
        self._transport: asyncio.Transport
        self._client = ""
        self._reverse_path = ""
        self._recipients: list[str] = []
        self._taken = 0
        self._deaf = False
        self._in_content: Answer | None = None  # what comes in the middle of it
        self._handshake: asyncio.Task[None] | None = None
        self._early: list[bytes] | None = None  # decrypted before the handshake's end was heard of
        self._spoils_handshake = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or do not."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of asyncio's
        self._client = str(transport.get_extra_info("peername")[0])
        self._connections.add(self)
        answer = self._host.doorkeeper.connected(self._client, self._now_s())
        if isinstance(answer, Act):
            self._act(answer)
            return
        self._session.greet(answer)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Answer what has come whole."""
        if self._deaf:
            return
        if self._early is not None:
            self._early.append(data)
            return
        if self._spoils_handshake:
            self._write(_GARBAGE)
            self._transport.close()
            return
        if self._session.mid_content and self._in_content is not None:
            self._interrupt(self._in_content)
            return
        self._session.receive_data(data)
        while not self._deaf and (event := self._session.next_event()) is not None:
            answer = self._answer_to(event)
            if isinstance(answer, Act):
                self._flush()
                self._act(answer)
                return
            self._session.answer(answer)
            if isinstance(event, StartTls) and answer is _TLS_READY:
                self._begin_tls()
                return
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        del exc
        self._session.receive_eof()
        self._outbox.forget()
        if self in self._connections:
            self._connections.discard(self)
            self._host.doorkeeper.gone(self._client)

    def abort(self) -> asyncio.Task[None] | None:
        """Cut the connection; return the handshake to wait for, if there is one."""
        self._outbox.forget()
        if self._handshake is not None:
            self._handshake.cancel()
        self._transport.abort()
        return self._handshake

    # Deciding.

    def _answer_to(self, event: Event) -> Answer:
        keeper = self._host.doorkeeper
        match event:
            case StartTls():
                return _TLS_READY
            case MailFrom():
                self._reverse_path, self._recipients = event.path, []
                return keeper.sender(self._client, event.path, self._taken, self._now_s())
            case RcptTo():
                return self._recipient(event.path)
            case DataStart():
                self._in_content = keeper.content(Stage.CONTENT, self._reverse_path, tuple(self._recipients))
                return keeper.content(Stage.DATA, self._reverse_path, tuple(self._recipients)) or GO_AHEAD
            case Content():
                answer, keeps = keeper.final_dot(event.content)
                if keeps:
                    self._take(event)
                return answer
            case AuthAttempt():
                raise AssertionError("a session without AUTH refuses it by itself")

    def _recipient(self, path: str) -> Answer:
        if path.rpartition("@")[2].lower() not in self._host.domains:
            return NO_RELAY
        triple = (self._client, self._reverse_path, path)
        answer = self._host.doorkeeper.recipient(triple, len(self._recipients), self._now_s())
        if isinstance(answer, Reply) and answer.is_positive:
            self._recipients.append(path)
        return answer

    def _take(self, event: Content) -> None:
        self._taken += 1
        session, host = self._session, self._host
        host.on_received(
            Received(
                host.name,
                self._client,
                session.client.hello_name,
                session.client.tls,
                event.envelope,
                event.content,
                time.time(),
            )
        )

    # Doing.

    def _act(self, act: Act) -> None:
        self._deaf = True
        if act is Act.HANG_UP:
            self._outbox.then(self._transport.abort)

    def _interrupt(self, answer: Answer) -> None:
        """Stop taking content: hang up, fall silent, or say why and leave."""
        if isinstance(answer, Act):
            self._act(answer)
            return
        self._deaf = True
        self._outbox.say(f"{answer}\r\n".encode())
        self._outbox.then(self._transport.close)

    def _flush(self) -> None:
        out = self._session.data_to_send()
        if self._voice is None:
            if out:
                self._write(out)
        else:
            for reply in self._voice.replies(out):
                self._say(self._voice, reply)
        if self._session.closed:
            self._outbox.then(self._transport.close)

    def _say(self, voice: Voice, reply: Reply) -> None:
        """Say a reply of the session; what EHLO gets is decided here, since the session answers it alone."""
        answer = self._host.doorkeeper.hello(self._client) if voice.is_hello(reply) else None
        if isinstance(answer, Act):
            self._act(answer)
            return
        self._outbox.say(voice.words(answer or reply))
        if answer is not None and answer.code == 421:  # noqa: PLR2004  (RFC 5321 §3.8)
            self._outbox.then(self._transport.close)

    def _write(self, octets: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(octets)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    # TLS.

    def _begin_tls(self) -> None:
        """Stop reading first: the client's first TLS octets are not for the session."""
        match self._manner.handshake:
            case Handshake.SILENT:
                self._flush()
                self._deaf = True
            case Handshake.BROKEN:
                self._flush()
                self._spoils_handshake = True
            case Handshake.GOOD:
                self._early = []
                self._transport.pause_reading()
                self._flush()
                self._outbox.then(self._start_handshake)

    def _start_handshake(self) -> None:
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


def _speaks_plainly(manner: Manner) -> bool:
    """Say whether what the session says can go out as it stands, at once."""
    paced = manner.delay_s or manner.trickle_s or manner.without or manner.wording is not Wording.PLAIN
    return not paced and all(trouble.at is not Stage.EHLO for trouble in manner.troubles)
