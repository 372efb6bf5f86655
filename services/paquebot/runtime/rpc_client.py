"""Calling gRPC: channels with mutual TLS, unary calls with a deadline."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio

from paquebot.runtime.tls import BAD_IDENTITY, Identity, Reloading, read_identity
from paquebot.wire.method import Method

MESSAGE_MAX_BYTES = 64 << 20
HANDSHAKE_MAX_MS = 2000  # where processors are busy 100 ms were too few, and every call failed
DRAIN_S = 30.0  # for calls on a channel whose certificate was replaced
Q = TypeVar("Q")
A = TypeVar("A")

_REFUSALS = {
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.UNIMPLEMENTED,
}


class RpcUnavailableError(Exception):
    """Nobody answered in time; trying again may help."""


class RpcRefusedError(Exception):
    """The service said no; trying again does not help."""


def open_channel(target: str, identity: Identity, service: str) -> grpc.aio.Channel:
    """Return a channel to a service that must show its own identity's certificate."""
    credentials = grpc.ssl_channel_credentials(identity.roots, identity.key, identity.certificate)
    options = [
        ("grpc.ssl_target_name_override", service),
        ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
        ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", HANDSHAKE_MAX_MS),  # which is what a try to connect may take, TLS included
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    return grpc.aio.secure_channel(target, credentials, options)


@dataclass(slots=True)
class Channel:
    """Unary calls to one service. When the identity changes, new calls go over a new channel; the old one drains."""

    target: str
    identity_dir: Path
    service: str
    _identities: Reloading[Identity] = field(init=False, repr=False)
    _identity: Identity | None = field(default=None, repr=False)
    _channel: grpc.aio.Channel | None = field(default=None, repr=False)
    _draining: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        self._identities = Reloading(self.identity_dir, read_identity)

    async def unary(
        self, method: Method[Q, A], request: Q, timeout_s: float, metadata: tuple[tuple[str, str], ...] = ()
    ) -> A:
        """Call; raise RpcUnavailableError or RpcRefusedError."""
        call = self._current().unary_unary(method.path, method.encode_request, method.decode_answer)
        try:
            answer: A = await call(request, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            text = f"{self.service}: {error.code().name}: {error.details()}"
            if error.code() in _REFUSALS:
                raise RpcRefusedError(text) from error
            raise RpcUnavailableError(text) from error
        return answer

    async def close(self) -> None:
        """Close the channel, and wait for none that drains."""
        draining = list(self._draining)
        for task in draining:
            task.cancel()
        await asyncio.gather(*draining, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()

    def _current(self) -> grpc.aio.Channel:
        try:
            identity = self._identities.current()
        except BAD_IDENTITY as error:
            raise RpcUnavailableError(f"{self.service}: our own certificate cannot be used: {error}") from error
        if self._channel is None or identity is not self._identity:
            old, self._channel = self._channel, open_channel(self.target, identity, self.service)
            self._identity = identity
            if old is not None:
                task = asyncio.create_task(old.close(DRAIN_S))
                self._draining.add(task)
                task.add_done_callback(self._draining.discard)
        return self._channel
