"""What an SMTP session's events mean to us: one Dialogue decides for one session, without knowing its transport.

An answer is a Reply when it is known at once, else a coroutine that ends in one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace

import structlog

from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.runtime.rpc_client import RpcRefusedError, RpcUnavailableError
from paquebot.smtp.events import AuthAttempt, Content, DataStart, Event, MailFrom, RcptTo
from paquebot.smtp.server import GO_AHEAD, ServerSession
from paquebot.submission.crowd import Crowd
from paquebot.submission.gate import size_refusal
from paquebot.submission.handed import Mail
from paquebot.submission.intake import LARGE_BYTES, Intake, refused
from paquebot.submission.room import CLAIM_MIN_BYTES, COPIES, Claim, Room
from paquebot.wire.auth import AuthenticateRequest, Refusal

LOG = structlog.get_logger()
AUTH_DELAY_MAX_S = 30.0

_AUTHENTICATED = Reply(235, "2.7.0", "Authentication succeeded")
_AUTH_DOWN = Reply(454, "4.7.0", "Authentication does not answer: try again later")
_GONE = Reply(421, "4.4.2", "The client is gone")
_SENDER_OK = Reply(250, "2.1.0", "Ok")
_RECIPIENT_OK = Reply(250, "2.1.5", "Ok")

Authenticate = Callable[[AuthenticateRequest], Awaitable[Principal | Refusal]]


@dataclass(slots=True)
class Dialogue:
    """Who the client is, and where its transaction stands."""

    session: ServerSession
    intake: Intake
    authenticate: Authenticate
    crowd: Crowd
    address: str
    room: Room
    claim: Claim = field(default_factory=Claim, init=False)
    principal: Principal | None = field(default=None, init=False)
    reverse_path: str = field(default="", init=False)  # of the last MAIL
    declared_bytes: int = field(default=0, init=False)  # by its SIZE
    gone: bool = field(default=False, init=False)

    @property
    def in_transaction(self) -> bool:
        """The client has begun a message, and was not told what becomes of it."""
        return self.session.in_transaction

    def answer(self, event: Event) -> Reply | Coroutine[None, None, Reply]:
        """Return what to say to an event, or a coroutine that finds it out."""
        match event:
            case RcptTo():
                refusal = self.intake.recipient_refusal(self._known(), self.reverse_path, event.path)
                return refusal or _RECIPIENT_OK
            case MailFrom():
                return self._mail(event)
            case DataStart():
                return self._data()
            case Content():
                return self._content(event)
            case AuthAttempt():
                return self._authenticated(event)
            case _:
                raise AssertionError(f"{event!r} is the transport's")

    def leave(self) -> None:
        """Forget who the client was: the connection is gone."""
        self.gone = True
        self.room.leave(self.claim)
        if self.principal is not None:
            self.crowd.unseat(self.principal)
            self.principal = None

    async def _authenticated(self, event: AuthAttempt) -> Reply:
        request = AuthenticateRequest(event.username, event.password, self.address, event.token)
        try:
            answer = await self.authenticate(request)
        except (RpcUnavailableError, RpcRefusedError) as error:
            LOG.warning("auth does not answer", why=str(error))
            return refused(_AUTH_DOWN, "auth")
        if isinstance(answer, Refusal):
            return await self._unwelcome(answer)
        refusal = _GONE if self.gone else self.crowd.seat(answer)
        if refusal is not None:
            return refused(refusal, "connections")
        self.principal = answer
        self.room.leave(self.claim)  # what was counted for nobody
        self.claim.whose = f"{answer.tenant}.{answer.credential}"
        self.session.limits = replace(
            self.session.limits,
            content_max_bytes=min(self.session.limits.content_max_bytes, answer.message_size_max_bytes),
            recipients_max=answer.recipients_max,
        )
        return _AUTHENTICATED

    async def _unwelcome(self, refusal: Refusal) -> Reply:
        """Say no after the delay that guessing has earned; 421 hangs up."""
        refused(refusal.reply, "credentials")
        LOG.info("not authenticated", address=self.address, reply=str(refusal.reply))
        await asyncio.sleep(min(refusal.delay_ms / 1000, AUTH_DELAY_MAX_S))
        return Reply(421, "4.7.0", refusal.reply.text) if refusal.close else refusal.reply

    def _mail(self, event: MailFrom) -> Reply | Coroutine[None, None, Reply]:
        principal = self._known()
        self.reverse_path, self.declared_bytes = event.path, event.size_bytes or 0
        refusal = self.intake.sender_refusal(principal, event.path)
        if refusal is not None:
            return refusal
        refusal = size_refusal(principal, event.size_bytes or 0)
        if refusal is not None:
            return refused(refusal, "size")
        if not self.intake.leases.has_room(principal):
            return self._leased(principal)
        return _SENDER_OK

    async def _leased(self, principal: Principal) -> Reply:
        return await self.intake.quota_refusal(principal) or _SENDER_OK

    def _data(self) -> Reply | Coroutine[None, None, Reply]:
        """Let a content come when there is room for it."""
        octets = max(CLAIM_MIN_BYTES, self.declared_bytes * COPIES)
        return GO_AHEAD if self.room.ask(self.claim, octets) else self._in_line(octets)

    async def _in_line(self, octets: int) -> Reply:
        refusal = await self.room.wait(self.claim, octets)
        return GO_AHEAD if refusal is None else refused(refusal, "room")

    async def _content(self, event: Content) -> Reply:
        session = self.session
        self.room.take(self.claim, self.claim.octets)  # it may have stepped aside
        mail = Mail(
            principal=self._known(),
            envelope=event.envelope,
            content=event.content,
            protocol=session.client.protocol(event.envelope),
            client_name=session.client.hello_name,
            client_address=self.address,
        )
        began_s = self.room.clock()
        reply = (await self.intake.take(mail)).reply
        if len(event.content) <= LARGE_BYTES:
            self.room.learn(self.room.clock() - began_s)
        return reply

    def _known(self) -> Principal:
        """Return who sends. The session's table lets nobody else come here; this is the second lock."""
        if self.principal is None:
            raise PermissionError("mail from a client that has not authenticated")
        return self.principal
