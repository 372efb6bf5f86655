"""The auth service on the wire."""

from dataclasses import dataclass

from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.pb.v1 import auth_pb2 as pb
from paquebot.wire.method import Method, WireError
from paquebot.wire.values import principal_from_pb, principal_to_pb, reply_from_pb, reply_to_pb

SERVICE = "paquebot.v1.Auth"


@dataclass(frozen=True, slots=True)
class AuthenticateRequest:
    """A user name and password, or a token, from a client's address. Neither shows in a repr.

    With a token there is no password, and the user name may be empty. A token may come as a password too.
    """

    username: str
    password: bytes
    address: str
    token: bytes = b""

    def __repr__(self) -> str:
        return f"AuthenticateRequest({self.username!r}, ..., {self.address!r})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No: to be said after `delay_ms`; `close` asks for the connection to end after it."""

    reply: Reply
    delay_ms: int = 0
    close: bool = False


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A wish for a share of the hourly quota."""

    tenant: str
    credential: str
    messages: int


@dataclass(frozen=True, slots=True)
class LeaseAnswer:
    """`granted` messages, void after `valid_ms`; when 0, ask again after `retry_ms`, for `reason`."""

    granted: int
    valid_ms: int = 0
    retry_ms: int = 0
    reason: str = ""


def _encode_authenticate(request: AuthenticateRequest) -> bytes:
    return pb.AuthenticateRequest(
        username=request.username, password=request.password, address=request.address, token=request.token
    ).SerializeToString()


def _decode_authenticate(encoded: bytes) -> AuthenticateRequest:
    message = pb.AuthenticateRequest.FromString(encoded)
    return AuthenticateRequest(message.username, message.password, message.address, message.token)


def _encode_authenticated(answer: Principal | Refusal) -> bytes:
    if isinstance(answer, Principal):
        return pb.AuthenticateAnswer(principal=principal_to_pb(answer)).SerializeToString()
    refusal = pb.Refusal(reply=reply_to_pb(answer.reply), delay_ms=answer.delay_ms, close=answer.close)
    return pb.AuthenticateAnswer(refusal=refusal).SerializeToString()


def _decode_authenticated(encoded: bytes) -> Principal | Refusal:
    message = pb.AuthenticateAnswer.FromString(encoded)
    match message.WhichOneof("answer"):
        case "principal":
            return principal_from_pb(message.principal)
        case "refusal":
            refusal = message.refusal
            return Refusal(reply_from_pb(refusal.reply), refusal.delay_ms, refusal.close)
        case _:
            raise WireError("an AuthenticateAnswer without principal or refusal")


def _encode_lease(request: LeaseRequest) -> bytes:
    return pb.LeaseRequest(
        tenant=request.tenant, credential=request.credential, messages=request.messages
    ).SerializeToString()


def _decode_lease(encoded: bytes) -> LeaseRequest:
    message = pb.LeaseRequest.FromString(encoded)
    return LeaseRequest(message.tenant, message.credential, message.messages)


def _encode_leased(answer: LeaseAnswer) -> bytes:
    return pb.LeaseAnswer(
        granted=answer.granted, valid_ms=answer.valid_ms, retry_ms=answer.retry_ms, reason=answer.reason
    ).SerializeToString()


def _decode_leased(encoded: bytes) -> LeaseAnswer:
    message = pb.LeaseAnswer.FromString(encoded)
    return LeaseAnswer(message.granted, message.valid_ms, message.retry_ms, message.reason)


AUTHENTICATE: Method[AuthenticateRequest, Principal | Refusal] = Method(
    SERVICE,
    "Authenticate",
    _encode_authenticate,
    _decode_authenticate,
    _encode_authenticated,
    _decode_authenticated,
)
LEASE: Method[LeaseRequest, LeaseAnswer] = Method(
    SERVICE, "Lease", _encode_lease, _decode_lease, _encode_leased, _decode_leased
)
