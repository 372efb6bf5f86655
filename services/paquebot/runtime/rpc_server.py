"""Serving gRPC: mutual TLS, who may call what, unary methods, streams of frames, health and reflection."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import MESSAGE_MAX_BYTES
from paquebot.runtime.settings import Address
from paquebot.runtime.tls import Identity, Reloading, read_identity
from paquebot.wire.method import Answered, Asked, Fault, Method, StreamMethod, WireError

ASYNC_ITEMS_MAX = 1000  # answered concurrently on one stream
STREAMS_MAX = 100  # calls at once of one connection: each may be as long as a message
LOG = structlog.get_logger()

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the identity in its certificate, and the call's metadata."""

    identity: str
    metadata: Mapping[str, str]


class RefusedError(Exception):
    """Raised by a handler to refuse a unary call with a reason."""


class AlreadyExistsError(Exception):
    """Raised by a handler when what a unary call names stands for something else."""


class BusyError(Exception):
    """Raised by a handler that has no room for a unary call now; `again_s`: when to try again."""

    def __init__(self, text: str, again_s: float) -> None:
        super().__init__(text)
        self.again_s = again_s


@dataclass(slots=True)
class Server:
    """A gRPC server. Add methods, then start; `allowed` names the identities of each call's peers."""

    listen: Address
    identity_dir: Path
    readiness: Readiness
    handlers: dict[str, dict[str, grpc.RpcMethodHandler]] = field(default_factory=dict)
    server: grpc.aio.Server | None = None
    port: int = 0

    def unary(self, method: Method[Q, A], answer: Callable[[Q, Caller], Awaitable[A]], allowed: frozenset[str]) -> None:
        """Serve a unary method."""

        async def serve(request: Q, context: grpc.aio.ServicerContext) -> A:
            caller = await _admitted(context, allowed)
            try:
                return await answer(request, caller)
            except RefusedError as refusal:
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(refusal))
                raise
            except AlreadyExistsError as refusal:
                await context.abort(grpc.StatusCode.ALREADY_EXISTS, str(refusal))
                raise
            except BusyError as busy:
                again = (("grpc-retry-pushback-ms", str(int(busy.again_s * 1000))),)
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(busy), again)
                raise

        self._add(
            method.service,
            method.name,
            grpc.unary_unary_rpc_method_handler(serve, method.decode_request, method.encode_answer),
        )

    def stream(
        self,
        method: StreamMethod[Q, A],
        answer: Callable[[Q, Caller], A | Fault | Awaitable[A | Fault]],
        allowed: frozenset[str],
    ) -> None:
        """Serve a stream of frames. Plain answers of a frame go back together, awaited ones as they come."""

        async def serve(_requests: Any, context: grpc.aio.ServicerContext) -> None:
            caller = await _admitted(context, allowed)
            await _Frames(answer, caller, context).serve()

        self._add(
            method.service,
            method.name,
            grpc.stream_stream_rpc_method_handler(serve, method.decode_requests, method.encode_answers),
        )

    async def start(self) -> int:
        """Listen; return the port."""
        limits = [
            ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
            ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
            ("grpc.max_concurrent_streams", STREAMS_MAX),
            ("grpc.so_reuseport", 0),
        ]
        self.server = grpc.aio.server(options=limits)
        for service, methods in self.handlers.items():
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        await self._add_health()
        names = (*self.handlers, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self.server)
        self.port = self.server.add_secure_port(str(self.listen), _credentials(self.identity_dir))
        await self.server.start()
        return self.port

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls, let the running ones end within `grace_s`."""
        if self.server is not None:
            await self.server.stop(grace_s)

    async def _add_health(self) -> None:
        servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(servicer, self.server)
        tasks: set[asyncio.Task[None]] = set()

        async def show(ready: bool) -> None:  # noqa: FBT001  (a watcher is told true or false)
            status = health_pb2.HealthCheckResponse
            for service in ("", *self.handlers):
                await servicer.set(service, status.SERVING if ready else status.NOT_SERVING)

        def changed(ready: bool) -> None:  # noqa: FBT001  (the same)
            task = asyncio.create_task(show(ready))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        self.readiness.watchers.append(changed)
        await show(self.readiness.is_ready)

    def _add(self, service: str, name: str, handler: grpc.RpcMethodHandler) -> None:
        self.handlers.setdefault(service, {})[name] = handler


@dataclass(slots=True)
class _Frames(Generic[Q, A]):
    """One stream of frames being served."""

    answer: Callable[[Q, Caller], A | Fault | Awaitable[A | Fault]]
    caller: Caller
    context: grpc.aio.ServicerContext
    outbox: list[Answered[A]] = field(default_factory=list)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASYNC_ITEMS_MAX))

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    frame = await self.context.read()
                except grpc.aio.BaseError:  # the server stops; the client asks elsewhere
                    return
                if frame is grpc.aio.EOF:
                    return
                for asked in frame:
                    await self._take(asked, tasks)
                await self._flush()

    async def _take(self, asked: Asked[Q], tasks: asyncio.TaskGroup) -> None:
        try:
            answer = self.answer(asked.request, self.caller)
        except Exception:
            LOG.exception("an item failed")
            self.outbox.append(Answered(asked.item, Fault("INTERNAL", "the service failed; its log has more")))
            return
        if hasattr(answer, "__await__"):  # `isinstance` of Awaitable costs as much as a rule of the filter
            await self.running.acquire()
            tasks.create_task(self._await(asked, answer))
        else:
            self.outbox.append(Answered(asked.item, answer))

    async def _await(self, asked: Asked[Q], answer: Awaitable[A | Fault]) -> None:
        outcome: A | Fault
        try:
            async with asyncio.timeout(asked.deadline_ms / 1000):
                outcome = await answer
        except TimeoutError:
            outcome = Fault("DEADLINE", "no answer within the item's deadline")
        except WireError as error:
            outcome = Fault("INVALID", str(error))
        except Exception:
            LOG.exception("an item failed")
            outcome = Fault("INTERNAL", "the service failed; its log has more")
        finally:
            self.running.release()
        self.outbox.append(Answered(asked.item, outcome))
        await self._flush()

    async def _flush(self) -> None:
        """Write all answers that wait; who comes while somebody writes finds his answer sent with the next."""
        async with self.writing:
            if self.outbox:
                answers, self.outbox = self.outbox, []
                await self.context.write(answers)


async def _admitted(context: grpc.aio.ServicerContext, allowed: frozenset[str]) -> Caller:
    names = context.auth_context().get("x509_common_name", ())
    identity = names[0].decode() if names else ""
    if identity not in allowed:
        await context.abort(
            grpc.StatusCode.PERMISSION_DENIED,
            f"the certificate's name {identity!r} may not call this; allowed are {', '.join(sorted(allowed))}",
        )
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    return Caller(identity, metadata)


def _credentials(folder: Path) -> grpc.ServerCredentials:
    """Return credentials that each handshake asks for what lies in the folder now."""
    identities = Reloading(folder, read_identity)
    served = identities.current()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal served
        found = identities.current()
        if found is served:
            return None
        served = found
        return _configuration(found)

    return grpc.dynamic_ssl_server_credentials(_configuration(served), fetch, require_client_authentication=True)


def _configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(identity.key, identity.certificate)], identity.roots)
