"""Auth on the wire: which methods it answers, and to whom."""

from paquebot.auth.authenticator import Authenticator
from paquebot.mail.principal import Principal
from paquebot.runtime.rpc_server import Caller, Server
from paquebot.wire.auth import AUTHENTICATE, LEASE, AuthenticateRequest, LeaseAnswer, LeaseRequest, Refusal

CALLERS = frozenset({"submission"})


def serve(server: Server, authenticator: Authenticator) -> None:
    """Let the server answer for the authenticator. Submission alone may ask: it meets the clients."""

    async def authenticate(request: AuthenticateRequest, _caller: Caller) -> Principal | Refusal:
        return await authenticator.authenticate(request)

    async def lease(request: LeaseRequest, _caller: Caller) -> LeaseAnswer:
        return authenticator.lease(request)

    server.unary(AUTHENTICATE, authenticate, CALLERS)
    server.unary(LEASE, lease, CALLERS)
