"""One SMTP client on a socket: an asyncio.Protocol around a sans-IO session, and what all of them share.

A command costs neither a task nor a timer; a message costs one task, while others are asked, and another one when
there is no room for it at once.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

import structlog

from paquebot.mail.reply import Reply
from paquebot.runtime.settings import Networks
from paquebot.smtp import sasl, table
from paquebot.smtp.events import StartTls
from paquebot.smtp.server import ServerLimits, ServerSession
from paquebot.submission.counts import ENDED, SESSIONS
from paquebot.submission.crowd import Crowd
from paquebot.submission.dialogue import Authenticate, Dialogue
from paquebot.submission.intake import Intake, refused
from paquebot.submission.patience import Patience, Waiting
from paquebot.submission.room import COPIES, STEP_BYTES, Room

SHUTDOWN_S = 3.0  # for a client to close its end of TLS after our last word
STRANGER_S = 2.0  # a client has so long to authenticate however many come
PLACE_S = 2.0  # a client that sends for longer lets others run meanwhile
LOG = structlog.get_logger()

_READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
_GOING_DOWN = Reply(421, "4.3.2", "The service is going down: try again")
_MADE_ROOM = Reply(421, "4.3.2", "Too many connections: those that do not authenticate make room for others")
_INTERNAL = Reply(451, "4.3.0", "Something went wrong here: try again later")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """What sessions are held to."""

    hostname: str
    limits: ServerLimits = field(default_factory=ServerLimits)
    patience: Patience = field(default_factory=Patience)
    proxy_peers: Networks = field(default_factory=Networks)  # who must begin with a PROXY header


@dataclass(slots=True)
class Hall:
    """What all connections of the process share. `context` returns the TLS context for the next handshake."""

    settings: SmtpSettings
    context: Callable[[], ssl.SSLContext]
    intake: Intake
    authenticate: Authenticate
    crowd: Crowd
    room: Room
    tasks: asyncio.TaskGroup
    connections: "set[Connection]" = field(default_factory=set)
    strangers: "dict[Connection, None]" = field(default_factory=dict)  # who have not authenticated, the first first
    draining: bool = False
    emptied: asyncio.Event = field(default_factory=asyncio.Event)  # the last connection has gone

    @property
    def patience(self) -> Patience:
        """How long clients are waited for now: the more there are, the shorter."""
        return self.settings.patience.when(self.crowd.fullness)


class Connection(asyncio.Protocol):
    """One client: moves octets between its transport and its session, and asks the dialogue what to say."""

    def __init__(self, hall: Hall, address: str, refusal: Reply | None, *, implicit_tls: bool) -> None:
        self.address = address
        self.implicit_tls = implicit_tls
        self._hall = hall
        self._refusal = refusal
        self._transport: asyncio.Transport
        self._session = ServerSession(
            hall.settings.hostname, hall.settings.limits, tls=implicit_tls, starttls=not implicit_tls
        )
        if hall.intake.policy.cluster is not None:
            self._session.client.mechanisms = (*sasl.WITH_PASSWORD, *sasl.WITH_TOKEN)
        self._dialogue = Dialogue(self._session, hall.intake, hall.authenticate, hall.crowd, address, hall.room)
        now_s = asyncio.get_running_loop().time()
        self._waiting = Waiting(now_s, now_s)
        self.welcoming: asyncio.Task[None] | None = None  # while there is no transport yet
        hall.strangers[self] = None
        self._early: list[bytes] | None = None  # what came between the handshake and our hearing of it
        self._placed_s = 0.0  # when a content was first seen coming
        self._widening = False  # we wait for room, and read nothing meanwhile
        self._write_paused = False
        self._over = False

    def __repr__(self) -> str:
        return f"<Connection {self.address} {self._session!r}>"

    # What asyncio tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the client."""
        self._transport = cast("asyncio.Transport", transport)  # of a stream socket; uvloop's are no subclass
        self.welcoming = None
        self._hall.connections.add(self)
        SESSIONS.inc()
        if self._hall.draining:
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
        if not self._widening:
            self._transport.resume_reading()
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the client out."""
        if self._over:
            return
        self._over = True
        hall = self._hall
        hall.connections.discard(self)
        hall.strangers.pop(self, None)
        if not hall.connections:
            hall.emptied.set()
        hall.crowd.leave(self.address)
        self._dialogue.leave()
        SESSIONS.dec()
        if exc is not None:
            LOG.debug("connection lost", address=self.address, why=str(exc))

    # What the server tells us.

    def never_came(self, why: str) -> None:
        """Count the client out that got no transport."""
        ENDED.labels(why).inc()
        self._over = True
        self._hall.strangers.pop(self, None)
        self._hall.crowd.leave(self.address)

    def make_room(self) -> bool:
        """Send a client away that has not authenticated; return False when it came just now, or waits for us."""
        if self._session.waiting or asyncio.get_running_loop().time() - self._waiting.born_s < STRANGER_S:
            return False
        if self.welcoming is not None:
            self.welcoming.cancel()
            self.never_came("made room")
            return True
        ENDED.labels("made room").inc()
        self._session.close_with(_MADE_ROOM)
        self._flush()
        self._transport.close()
        self.connection_lost(None)
        return True

    def check(self, now_s: float, patience: Patience) -> None:
        """End the session if the client has had its time; who waits for our answer is not overdue."""
        session = self._session
        if self._early is not None or session.waiting or self._widening:
            self._waiting.answered(now_s)
            return
        self._step_aside(now_s)
        self._note_transaction(now_s)
        why = self._waiting.overdue(
            patience,
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
                self._hall.tasks.create_task(self._answer_later(answer))
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
        if self._session.client.authenticated:
            self._hall.strangers.pop(self, None)
        if not self._session.in_transaction:
            self._hall.room.leave(self._dialogue.claim)
        if self._hall.draining:
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
        elif not (self._write_paused or self._widening or self._transport.is_reading()):
            self._transport.resume_reading()

    def _start_tls(self) -> None:
        """Answer STARTTLS. Reading stops first, so that nothing of the handshake is taken for plaintext."""
        self._session.answer(_READY_FOR_TLS)
        self._early = []
        self._transport.pause_reading()
        self._transport.write(self._session.data_to_send())
        self._hall.tasks.create_task(self._shake_hands())

    async def _shake_hands(self) -> None:
        """Put TLS between the transport and us, then begin anew (RFC 3207 §4.2)."""
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                self._hall.context(),
                server_side=True,
                ssl_handshake_timeout=self._hall.patience.handshake_s,
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

    def _step_aside(self, now_s: float) -> None:
        """Let other messages run while a content comes slowly; what it keeps of memory stays counted."""
        if not self._dialogue.claim.placed:
            self._placed_s = 0.0
        elif not self._placed_s:
            self._placed_s = now_s
        elif now_s - self._placed_s > PLACE_S:
            self._hall.room.step_aside(self._dialogue.claim)

    def _hold(self) -> None:
        """Count the octets that the session keeps; when it has no room for more, read no more until it has."""
        if self._over:
            return
        room, claim, session = self._hall.room, self._dialogue.claim, self._session
        wanted = session.kept_bytes * COPIES
        if not session.in_transaction:
            room.leave(claim)
        if wanted <= claim.octets or self._widening:
            return
        if not session.mid_content:
            room.count(claim, wanted)
        elif not room.widen(claim, wanted + STEP_BYTES):
            self._widening = True
            self._transport.pause_reading()
            self._hall.tasks.create_task(self._widen(wanted + STEP_BYTES))

    async def _widen(self, octets: int) -> None:
        """Wait until the rest of a content may come."""
        refusal = await self._hall.room.wait_for_more(self._dialogue.claim, octets)
        self._widening = False
        if self._over:
            return
        if refusal is not None:
            LOG.info("no room for a content that comes", address=self.address, why=refusal.text)
            self._session.close_with(Reply(421, refusal.enhanced, refused(refusal, "room").text))
        self._pump()
