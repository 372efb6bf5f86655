"""Mail from programs, by gRPC: our deliverers' reports, and clients who authenticate with each call.

It asks the same Intake the same questions as an SMTP session does; only the order is fixed.
"""

import base64
import binascii
import uuid
from dataclasses import dataclass, replace

import structlog

from paquebot.mail.envelope import Envelope
from paquebot.mail.handling import lane_of, tags_of
from paquebot.mail.labels import a_labelled
from paquebot.mail.principal import Principal
from paquebot.mail.refusal import ContentRefused
from paquebot.mail.reply import Reply
from paquebot.runtime.rpc_client import RpcRefusedError, RpcUnavailableError
from paquebot.runtime.rpc_server import AlreadyExistsError, BusyError, Caller, Server
from paquebot.smtp.dsn import wishes_fault
from paquebot.smtp.grammar import is_mailbox, is_utf8_mailbox
from paquebot.submission.dialogue import Authenticate
from paquebot.submission.gate import crowd_refusal, size_refusal
from paquebot.submission.handed import Mail
from paquebot.submission.intake import Intake, refused
from paquebot.submission.repeat import IDEMPOTENCY_KEY_MAX
from paquebot.submission.room import CLAIM_MIN_BYTES, COPIES, Claim, Room
from paquebot.wire.auth import AuthenticateRequest, Refusal
from paquebot.wire.submission import SUBMIT, SubmitAnswer, SubmitRequest

REPORTER = "deliverer"  # the identity whose mail is our own
CALLERS = frozenset({REPORTER, "client", "admin"})
PROTOCOL = "GRPC"
AGAIN_S = 5.0  # when a program may try again that found no room
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProgramDoor:
    """Takes mail from programs."""

    intake: Intake
    authenticate: Authenticate
    room: Room

    def serve(self, server: Server) -> None:
        """Let the server answer Submit."""
        server.unary(SUBMIT, self.submit, CALLERS)

    async def submit(self, request: SubmitRequest, caller: Caller) -> SubmitAnswer:
        """Take a message; the reply is the same that SMTP would give.

        Raises AlreadyExistsError when its idempotency_key stands for another message.
        """
        request = replace(request, envelope=_labelled(request.envelope))
        if caller.identity == REPORTER:
            principal = Principal(request.tenant, "", internal=True)
            refusal = _report_refusal(request)
        else:
            found = await self._principal(caller)
            if isinstance(found, Reply):
                return SubmitAnswer(found)
            principal = found
            refusal = _client_refusal(request) or self.intake.sender_refusal(principal, request.envelope.reverse_path)
        refusal = refusal or _envelope_refusal(principal, request)
        if refusal is not None:
            return SubmitAnswer(refused(refusal, "program"))
        try:
            lane = lane_of(request.lane, "lane") if request.lane else None
            tags = tags_of(request.tags.items(), "tags")
        except ContentRefused as unfit:
            return SubmitAnswer(refused(unfit.reply, "program"))
        for recipient in request.envelope.recipients:
            refusal = self.intake.recipient_refusal(principal, request.envelope.reverse_path, recipient)
            if refusal is not None:
                return SubmitAnswer(refusal)
        mail = Mail(
            principal=principal,
            envelope=request.envelope,
            content=request.content,
            protocol=PROTOCOL,
            id=request.id,
            pool=request.pool,
            report_of=request.report_of,
            tags=tags,
            lane=lane,
            idempotency_key=request.idempotency_key,
        )
        answer = await self._taken(mail)
        if answer.id and request.idempotency_key and not answer.reply.is_positive:
            raise AlreadyExistsError(str(answer.reply))
        return answer

    async def _taken(self, mail: Mail) -> SubmitAnswer:
        """Take a message when there is room for it, the same that SMTP's messages share; BusyError: there is none."""
        principal = mail.principal
        claim = Claim(f"{principal.tenant}.{principal.credential}")
        octets = max(CLAIM_MIN_BYTES, len(mail.content) * COPIES)
        try:
            if principal.internal:
                self.room.take(claim, octets)
            elif not self.room.ask(claim, octets):
                refusal = await self.room.wait(claim, octets)
                if refusal is not None:
                    raise BusyError(str(refused(refusal, "room")), AGAIN_S)
            return await self.intake.take(mail)
        finally:
            self.room.leave(claim)

    async def _principal(self, caller: Caller) -> Principal | Reply:
        """Return who calls, by its metadata: user name and password (RFC 7617), or a token (RFC 6750)."""
        request = _credentials(caller)
        if request is None:
            text = "Metadata wants authorization: Basic base64(username:password), or Bearer token"
            return refused(Reply(530, "5.7.0", text), "credentials")
        try:
            answer = await self.authenticate(request)
        except (RpcUnavailableError, RpcRefusedError) as error:
            LOG.warning("auth does not answer", why=str(error))
            return refused(Reply(454, "4.7.0", "Authentication does not answer: try again later"), "auth")
        return refused(answer.reply, "credentials") if isinstance(answer, Refusal) else answer


def _credentials(caller: Caller) -> AuthenticateRequest | None:
    scheme, _, given = caller.metadata.get("authorization", "").partition(" ")
    address, given = f"grpc:{caller.identity}", given.strip()
    if scheme.lower() == "bearer" and given:
        return AuthenticateRequest("", b"", address, given.encode())
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(given, validate=True).partition(b":")
        return AuthenticateRequest(username.decode(), password, address) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _labelled(envelope: Envelope) -> Envelope:
    """Return the envelope as an SMTP session would hand it over: domains in A-labels, each recipient once."""
    recipients = tuple(dict.fromkeys(_a_labelled(path) for path in envelope.recipients))
    wishes = {_a_labelled(path): wish for path, wish in envelope.wishes.items()}
    return replace(envelope, reverse_path=_a_labelled(envelope.reverse_path), recipients=recipients, wishes=wishes)


def _a_labelled(path: str) -> str:
    """Return a path with its domain in A-labels; what has none stays, and is refused as no mailbox."""
    try:
        return a_labelled(path)
    except ValueError:
        return path


def _report_refusal(request: SubmitRequest) -> Reply | None:
    """Say what is wrong with a report of ours: it would be a fault of the deliverer."""
    if request.envelope.reverse_path:
        return Reply(550, "5.7.1", "A report has the null reverse-path")
    if not (request.tenant and request.pool and request.report_of):
        return Reply(554, "5.5.4", "A report says its tenant, its pool and what it is about")
    try:
        uuid.UUID(request.id)
    except ValueError:
        return Reply(554, "5.5.4", "A report has a UUID of its own, so that a repeat is the same message")
    return None


def _client_refusal(request: SubmitRequest) -> Reply | None:
    if request.id or request.report_of or request.tenant or request.pool:
        return Reply(554, "5.5.4", "id, report_of, tenant and pool are for reports of our own deliverers")
    key = request.idempotency_key
    if len(key) > IDEMPOTENCY_KEY_MAX or not key.isprintable():
        return Reply(554, "5.5.4", f"idempotency_key is at most {IDEMPOTENCY_KEY_MAX} printable characters")
    return None


def _envelope_refusal(principal: Principal, request: SubmitRequest) -> Reply | None:
    """Say what SMTP's grammar and limits would have said."""
    envelope = request.envelope
    if envelope.reverse_path and (refusal := _path_refusal(envelope.reverse_path, "5.1.7", envelope)) is not None:
        return refusal
    if not envelope.recipients:
        return Reply(554, "5.5.1", "There are no recipients")
    for recipient in envelope.recipients:
        if (refusal := _path_refusal(recipient, "5.1.3", envelope)) is not None:
            return refusal
    if (refusal := wishes_fault(envelope)) is not None:
        return refusal
    return crowd_refusal(principal, len(envelope.recipients)) or size_refusal(principal, len(request.content))


def _path_refusal(path: str, enhanced: str, envelope: Envelope) -> Reply | None:
    if is_mailbox(path):
        return None
    if not is_utf8_mailbox(path):
        return Reply(501, enhanced, f"{path[:100]!r} is no mailbox: local-part@domain")
    return None if envelope.utf8 else Reply(553, "5.6.7", "An address beyond ASCII needs envelope.utf8")
