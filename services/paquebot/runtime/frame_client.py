"""Asking over streams of frames: what waits while a stream is busy goes out together.

One stream a backend address, balanced by load, and replaced when it is old or the identity has changed: the next one
stands before it is let go. An item that is unanswered when its stream dies is asked once more elsewhere.
Deadlines are looked at by one clock for all items, not by a timer each.
"""

import asyncio
import contextlib
import itertools
import socket
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import grpc
import grpc.aio
import structlog

from paquebot.runtime.metrics import tell_limits
from paquebot.runtime.rpc_client import RpcRefusedError, RpcUnavailableError, open_channel
from paquebot.runtime.settings import Address
from paquebot.runtime.tls import Identity, Reloading, read_identity
from paquebot.wire.method import Answered, Asked, Fault, StreamMethod

FRAME_MAX_BYTES = 1 << 20
FRAME_ITEMS_MAX = 256
WAITING_MAX = 10_000
TICK_S = 0.05
RESOLVE_S = 10.0
AGAIN_S = 1.0  # while no backend answers, and between two streams that a backend breaks
OPEN_S = 9.0  # less than RESOLVE_S: then it is tried with the identity of that time
STREAM_LIFE_S = 300.0  # then it is half-closed and drained, so that new pods get work
TRIES_MAX = 2
LOG = structlog.get_logger()

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(slots=True, eq=False)
class _Question(Generic[Q, A]):
    request: Q
    size: int
    deadline: float
    answer: "asyncio.Future[A]"
    tries: int = 0


@dataclass(slots=True, eq=False)
class _Stream(Generic[Q, A]):
    """One open stream to one address."""

    address: str
    born: float
    identity: Identity = field(repr=False)
    waiting: "deque[_Question[Q, A]]" = field(default_factory=deque)
    asked: "dict[int, _Question[Q, A]]" = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    closing: bool = False
    task: "asyncio.Task[None] | None" = None

    @property
    def load(self) -> int:
        return len(self.waiting) + len(self.asked)


@dataclass(slots=True)
class FrameClient(Generic[Q, A]):
    """Asks one service. `async with` it, or start and close it."""

    target: Address
    identity_dir: Path
    method: StreamMethod[Q, A]
    service: str
    streams: "dict[str, _Stream[Q, A]]" = field(default_factory=dict)
    opening: "dict[str, _Stream[Q, A]]" = field(default_factory=dict)
    draining: "set[_Stream[Q, A]]" = field(default_factory=set)
    homeless: "deque[_Question[Q, A]]" = field(default_factory=deque)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    keeper: "asyncio.Task[None] | None" = None
    look_at: float = 0.0  # loop time when backends are looked for next
    _identities: Reloading[Identity] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._identities = Reloading(self.identity_dir, read_identity)

    def start(self) -> None:
        """Begin to look for backends; raise OSError or ValueError when there is no good certificate to begin with."""
        self._identities.current()
        tell_limits(lambda: {f"questions to {self.service}": (self.unanswered, WAITING_MAX)})
        self.keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End; what is unanswered fails."""
        streams = (*self.opening.values(), *self.streams.values(), *self.draining)
        tasks = [stream.task for stream in streams if stream.task]
        tasks += [self.keeper] if self.keeper else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for question in self.homeless:
            _fail(question, "the client was closed")

    def ask(self, request: Q, deadline_s: float) -> "asyncio.Future[A]":
        """Return a future of the answer; it fails with RpcUnavailableError or RpcRefusedError."""
        loop = asyncio.get_running_loop()
        question: _Question[Q, A] = _Question(
            request, self.method.request_size(request), loop.time() + deadline_s, loop.create_future()
        )
        self._place(question)
        return question.answer

    @property
    def connected(self) -> int:
        """The number of streams that are open."""
        return len(self.streams)

    @property
    def unanswered(self) -> int:
        """The questions that wait on the fullest stream, or for one."""
        return max([len(self.homeless), *(stream.load for stream in self.streams.values())])

    def _place(self, question: "_Question[Q, A]") -> None:
        question.tries += 1
        stream = self._freest()
        if stream is None:
            if len(self.homeless) >= WAITING_MAX:
                _fail(question, f"{self.service}: too many items wait and no backend answers")
            else:
                self.homeless.append(question)
        elif stream.load >= WAITING_MAX:
            _fail(question, f"{self.service}: too many items wait for an answer")
        else:
            stream.waiting.append(question)
            stream.wake.set()

    def _freest(self) -> "_Stream[Q, A] | None":
        if len(self.streams) == 1:
            return next(iter(self.streams.values()))
        return min(self.streams.values(), key=lambda each: each.load, default=None)

    async def _keep(self) -> None:
        """Watch deadlines, addresses and the age of streams."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            if now >= self.look_at:
                self.look_at = now + (RESOLVE_S if self.streams else AGAIN_S)
                await self._resolve(now)
            self._expire(now)
            await asyncio.sleep(TICK_S)

    async def _resolve(self, now: float) -> None:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self.target.host, self.target.port, type=socket.SOCK_STREAM
            )
        except OSError:
            self.look_at = now + AGAIN_S
            return
        addresses = {str(Address(str(entry[4][0]), int(entry[4][1]))) for entry in found}
        for address in self.streams.keys() - addresses:
            self._retire(self.streams[address])
        identity = self._identities.current()
        for address in addresses - self.opening.keys():
            if self._lacks(address, identity, now):
                stream = self.opening[address] = _Stream[Q, A](address, now, identity)
                stream.task = asyncio.create_task(self._run(stream))

    def _lacks(self, address: str, identity: Identity, now: float) -> bool:
        stream = self.streams.get(address)
        return stream is None or stream.identity is not identity or now - stream.born > STREAM_LIFE_S

    def _retire(self, stream: "_Stream[Q, A]") -> None:
        """Half-close a stream; what was asked on it is still answered."""
        del self.streams[stream.address]
        self.draining.add(stream)
        stream.closing = True
        stream.wake.set()

    def _expire(self, now: float) -> None:
        for stream in (*self.streams.values(), *self.draining):
            late = [number for number, question in stream.asked.items() if question.deadline < now]
            for number in late:
                _fail(stream.asked.pop(number), f"{self.service}: no answer in time")
            while stream.waiting and stream.waiting[0].deadline < now:
                _fail(stream.waiting.popleft(), f"{self.service}: no answer in time")
        while self.homeless and self.homeless[0].deadline < now:
            _fail(self.homeless.popleft(), f"{self.service}: no backend answers at {self.target}")

    async def _run(self, stream: "_Stream[Q, A]") -> None:
        """Live as one stream, from connecting to its end, whatever ends it."""
        channel = open_channel(stream.address, stream.identity, self.service)
        try:
            async with asyncio.timeout(OPEN_S):
                await channel.channel_ready()
            call = channel.stream_stream(self.method.path, self.method.encode_requests, self.method.decode_answers)()
            self._take_over(stream)
            self._house()
            writer = asyncio.create_task(self._write(stream, call))
            try:
                while (frame := await call.read()) is not grpc.aio.EOF:
                    for answered in frame:
                        _settle(stream.asked.pop(answered.item, None), answered)
            finally:
                writer.cancel()
                with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    await writer
        except TimeoutError:
            LOG.warning("a backend does not answer", service=self.service, address=stream.address)
        except grpc.aio.AioRpcError as error:
            LOG.warning("a stream ended", service=self.service, code=error.code().name, details=error.details())
        finally:
            self._bury(stream)
            await channel.close()

    def _take_over(self, stream: "_Stream[Q, A]") -> None:
        """Put a stream that stands in the place of the one before it."""
        del self.opening[stream.address]
        if stream.address in self.streams:
            self._retire(self.streams[stream.address])
        self.streams[stream.address] = stream

    async def _write(self, stream: "_Stream[Q, A]", call: grpc.aio.StreamStreamCall) -> None:
        while True:
            if not stream.waiting:
                if stream.closing:
                    await call.done_writing()
                    return
                stream.wake.clear()
                await stream.wake.wait()
                continue
            await call.write(self._frame(stream))

    def _frame(self, stream: "_Stream[Q, A]") -> list[Asked[Q]]:
        now = asyncio.get_running_loop().time()
        frame: list[Asked[Q]] = []
        size = 0
        while stream.waiting and len(frame) < FRAME_ITEMS_MAX:
            question = stream.waiting[0]
            if frame and size + question.size > FRAME_MAX_BYTES:
                break
            stream.waiting.popleft()
            size += question.size
            number = next(self.numbers)
            stream.asked[number] = question
            frame.append(Asked(number, max(1, int((question.deadline - now) * 1000)), question.request))
        return frame

    def _house(self) -> None:
        waiting, self.homeless = self.homeless, deque()
        for question in waiting:
            question.tries -= 1
            self._place(question)

    def _bury(self, stream: "_Stream[Q, A]") -> None:
        if self.streams.get(stream.address) is stream:  # it broke
            del self.streams[stream.address]
            self.look_at = min(self.look_at, stream.born + AGAIN_S)
        if self.opening.get(stream.address) is stream:
            del self.opening[stream.address]
        self.draining.discard(stream)
        for question in (*stream.asked.values(), *stream.waiting):
            if question.tries < TRIES_MAX:
                self._place(question)
            else:
                _fail(question, f"{self.service}: the stream broke twice")


def _settle(question: "_Question[Q, A] | None", answered: Answered[A]) -> None:
    if question is None or question.answer.done():
        return
    answer = answered.answer
    if not isinstance(answer, Fault):
        question.answer.set_result(answer)
    elif answer.code == "INVALID":
        question.answer.set_exception(RpcRefusedError(answer.text))
    else:
        question.answer.set_exception(RpcUnavailableError(answer.text))


def _fail(question: "_Question[Q, A]", text: str) -> None:
    if not question.answer.done():
        question.answer.set_exception(RpcUnavailableError(text))
