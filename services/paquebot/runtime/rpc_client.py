"""Calling gRPC: channels with mutual TLS, unary calls with a deadline."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio

from paquebot.runtime.tls import read_identity, stamp
from paquebot.wire.method import Method

MESSAGE_MAX_BYTES = 64 << 20
Q = TypeVar("Q")
A = TypeVar("A")

_REFUSALS = {
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED,
}


class RpcUnavailableError(Exception):
    """Nobody answered in time; trying again may help."""


class RpcRefusedError(Exception):
    """The service said no; trying again does not help."""


def open_channel(target: str, identity_dir: Path, service: str) -> grpc.aio.Channel:
    """Return a channel to a service that must show its own identity's certificate.

    Raises OSError (ssl.SSLError is one) when our own identity cannot be used.
    """
    own = read_identity(identity_dir)
    credentials = grpc.ssl_channel_credentials(own.ca, own.key, own.certificate)
    options = [
        ("grpc.ssl_target_name_override", service),
        ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
        ("grpc.max_send_message_length", MESSAGE_MAX_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    return grpc.aio.secure_channel(target, credentials, options)


@dataclass(slots=True)
class Channel:
    """Unary calls to one service. The channel is made anew when the identity's files change."""

    target: str
    identity_dir: Path
    service: str
    _stamp: tuple[int, ...] = ()
    _channel: grpc.aio.Channel | None = field(default=None, repr=False)

    async def unary(
        self, method: Method[Q, A], request: Q, timeout_s: float, metadata: tuple[tuple[str, str], ...] = ()
    ) -> A:
        """Call; raise RpcUnavailableError or RpcRefusedError."""
        call = (await self._current()).unary_unary(method.path, method.encode_request, method.decode_answer)
        try:
            answer: A = await call(request, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            text = f"{self.service}: {error.code().name}: {error.details()}"
            if error.code() in _REFUSALS:
                raise RpcRefusedError(text) from error
            raise RpcUnavailableError(text) from error
        return answer

    async def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close()

    async def _current(self) -> grpc.aio.Channel:
        now = stamp(self.identity_dir)
        if self._channel is None or now != self._stamp:
            try:
                fresh = open_channel(self.target, self.identity_dir, self.service)
            except OSError as error:
                if self._channel is None:
                    raise RpcUnavailableError(f"{self.service}: our own certificate cannot be used: {error}") from error
                return self._channel  # half written: the one that we have is good for a while
            old, self._channel, self._stamp = self._channel, fresh, now
            if old is not None:
                await old.close(grace=30)
        return self._channel
