"""A connection to JetStream: publishes with one ack inbox, direct reads, API requests.

nats-py carries the octets; its `js.publish`, `fetch` and friends cost three times as much and are not used.
One table of futures and one clock serve all publishes (research: own ack inbox, 17 µs instead of 56).
"""

import asyncio
import contextlib
import functools
import itertools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats.errors
import structlog
from cryptography.x509 import load_pem_x509_certificate
from cryptography.x509.oid import NameOID

from paquebot.queue.abreast import Abreast
from paquebot.queue.cutting import abandon, abort
from paquebot.queue.natsclient import Heard, OrderedClient
from paquebot.queue.trust import Trust

TICK_S = 0.1
PING_S = 5.0
PINGS_MISSED_MAX = 3
RECONNECT_S = 0.25
CONNECT_S = 10.0
PENDING_BYTES_MAX = 64 << 20
BATCH = 256  # messages of one direct read
BATCH_READ_S = 20.0  # what lies scattered on a cold disk comes at 58 to 250 messages/s
LOG = structlog.get_logger()
# asyncio warns of nats-py's harmless answer to the end of a TLS stream, at every close.
logging.getLogger("asyncio").addFilter(lambda line: "eof_received() has no effect" not in line.getMessage())

FENCE_ERRORS = {10071}
BESIDE_ANOTHER = {10158, 10164}  # of several servers: a write with this Msg-Id or expectation is on its way
EXPECTED = "Nats-Expected-Last-Subject-Sequence-Subject"
FULL_ERRORS = {10023, 10047, 10077, 10122}
PASSING_CODES = {429, 503}  # too many at once, no leader now: the same request may succeed later


class QueueUnavailableError(Exception):
    """No answer in time, or no connection: nothing is known, trying again with the same Msg-Id is safe."""


class BesideAnotherError(QueueUnavailableError):
    """Another publish is on its way that decides about this one: nothing was compared yet."""


class QueueFullError(Exception):
    """The store refuses for want of space."""


class TooManyError(Exception):
    """More subjects match than the server tells at once."""


class FenceLostError(Exception):
    """An expected sequence was wrong: somebody else wrote."""


class ApiError(Exception):
    """JetStream refused a request; `err_code` is its own number."""

    def __init__(self, code: int, err_code: int, description: str) -> None:
        super().__init__(f"{description} ({err_code})")
        self.code = code
        self.err_code = err_code
        self.description = description


@dataclass(frozen=True, slots=True)
class PubAck:
    """A publish that is stored."""

    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message, read or delivered.

    Of a delivered one `delivered` counts how often, `pending` what waits behind it; `stored_ms` is Unix time.
    """

    subject: str
    payload: bytes
    seq: int
    headers: Mapping[str, str]
    reply: str = ""
    delivered: int = 0
    pending: int = 0
    stored_ms: int = 0


@dataclass(slots=True, eq=False)
class _Read:
    messages: list[Message]
    done: "asyncio.Future[None]"


@dataclass(slots=True)
class JetStream:
    """A connection. Make it with `connect`; `dead` is set when it answers no more and cannot be mended."""

    client: OrderedClient
    inbox: str
    trust: Trust
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    closing: bool = False
    on_reconnect: list[Callable[[], None]] = field(default_factory=list)
    _abreast: Abreast = field(default_factory=lambda: Abreast(BesideAnotherError))
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _acks: "dict[str, tuple[float, asyncio.Future[Any]]]" = field(default_factory=dict)
    _reads: dict[str, _Read] = field(default_factory=dict)
    _tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    @classmethod
    async def connect(cls, url: str, identity_dir: Path, name: str) -> "JetStream":
        """Connect with the identity's certificate; raise QueueUnavailableError when nobody answers."""
        client = OrderedClient()
        js = cls(client, "", Trust(identity_dir))
        identity = _common_name(identity_dir / "tls.crt")
        try:
            connecting = client.connect(
                url,
                name=name,
                tls=js.trust.current(),
                tls_handshake_first=True,
                tls_hostname="nats",
                inbox_prefix=f"_INBOX_{identity}",
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_S,  # type: ignore[arg-type]  # seconds, fractions are fine
                pending_size=PENDING_BYTES_MAX,
                ping_interval=20,
                disconnected_cb=js._disconnected,
                reconnected_cb=js._reconnected,
                error_cb=js._complain,
            )
            async with asyncio.timeout(CONNECT_S):
                await connecting
        except (OSError, nats.errors.Error, TimeoutError) as error:
            await abandon(client)
            raise QueueUnavailableError(f"{url}: {str(error) or 'no answer in time'}") from error
        except asyncio.CancelledError:
            await abandon(client)
            raise
        js.inbox = client.new_inbox()
        await client.hear(f"{js.inbox}.a.*", js._on_ack)
        await client.hear(f"{js.inbox}.r.*", js._on_read)
        js._tasks = [asyncio.create_task(js._sweep()), asyncio.create_task(js._watch())]
        return js

    @property
    def connected(self) -> bool:
        """True while the connection stands."""
        return bool(self.client.is_connected)

    async def publish(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None, timeout_s: float = 5.0
    ) -> PubAck:
        """Store a message; raise QueueUnavailableError, QueueFullError, FenceLostError or ApiError."""
        if headers is None or EXPECTED not in headers:
            ack: PubAck = await self._ask(subject, payload, headers, timeout_s)
            return ack
        ask = functools.partial(self._ask, subject, payload, headers, timeout_s)
        return await self._abreast.publish(headers[EXPECTED], timeout_s, ask)

    async def request(self, subject: str, body: Mapping[str, Any] | None = None, timeout_s: float = 5.0) -> Any:
        """Ask the JetStream API (`$JS.API.` is added); raise ApiError or QueueUnavailableError."""
        payload = json.dumps(body).encode() if body is not None else b""
        return await self._ask(f"$JS.API.{subject}", payload, None, timeout_s)

    async def ask(self, subject: str, payload: bytes = b"", timeout_s: float = 5.0) -> Any:
        """Ask any subject for one JSON answer."""
        return await self._ask(subject, payload, None, timeout_s)

    def send(self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Publish without waiting for anything: acks, progress, journal."""
        if self.connected:
            with contextlib.suppress(nats.errors.Error):
                self.client.post(subject, payload, headers=headers)

    async def get_last(self, stream: str, subject: str) -> Message | None:
        """Return the last message of a subject, None when there is none."""
        found = await self._read(f"$JS.API.DIRECT.GET.{stream}", {"last_by_subj": subject})
        return found[0] if found else None

    async def get(self, stream: str, wanted: Mapping[str, Any]) -> list[Message]:
        """Return what a direct get with these fields finds; raise TooManyError when the server tells no so many."""
        return await self._read(f"$JS.API.DIRECT.GET.{stream}", wanted, BATCH_READ_S)

    async def read(
        self, stream: str, subjects: str, *, start_seq: int = 1, batch: int = BATCH, octets_max: int = 0
    ) -> list[Message]:
        """Return up to `batch` messages of subjects (wildcards allowed) from a sequence on, and how many are left.

        A batch ends with the message that brings it to `octets_max`; 0: at what the server sends at once.
        """
        wanted = {"next_by_subj": subjects, "seq": max(1, start_seq), "batch": batch, "max_bytes": octets_max}
        return await self.get(stream, wanted)

    async def read_since(self, stream: str, subjects: str, start_time: str, batch: int = BATCH) -> list[Message]:
        """Return up to `batch` messages from a time (RFC 3339) on."""
        return await self.get(stream, {"next_by_subj": subjects, "start_time": start_time, "batch": batch})

    async def read_all(self, stream: str, subjects: str, limit: int = 1_000_000) -> list[Message]:
        """Return all messages of subjects, in order of their sequence."""
        messages: list[Message] = []
        start = 1
        while len(messages) < limit:
            batch = await self.read(stream, subjects, start_seq=start)
            messages += batch
            if len(batch) < BATCH:
                break
            start = batch[-1].seq + 1
        return messages[:limit]

    async def close(self) -> None:
        """Send what is buffered and close."""
        self.closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.connected:
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                await self.client.flush(2)
        await self.client.close()
        self._fail_all("the connection was closed")

    async def _ask(self, subject: str, payload: bytes, headers: dict[str, str] | None, timeout_s: float) -> Any:
        if not self.connected:
            raise QueueUnavailableError("not connected to the queue")
        loop = asyncio.get_running_loop()
        token = str(next(self._numbers))
        future: asyncio.Future[Any] = loop.create_future()
        self._acks[token] = (loop.time() + timeout_s, future)
        try:
            self.client.post(subject, payload, f"{self.inbox}.a.{token}", headers)
        except nats.errors.Error as error:
            self._acks.pop(token, None)  # the sweep or a broken connection may have been faster
            future.cancel()
            raise QueueUnavailableError(str(error)) from error
        return await future

    def _on_ack(self, message: Heard) -> None:
        entry = self._acks.pop(message.subject.rpartition(".")[2], None)
        if entry is None or entry[1].done():
            return
        future = entry[1]
        if message.headers.get("Status") == "503":
            future.set_exception(QueueUnavailableError("nobody serves this subject now"))
            return
        try:
            answer = json.loads(message.payload)
        except ValueError:
            future.set_exception(QueueUnavailableError("the answer is not JSON"))
            return
        if "error" in answer:
            future.set_exception(_error(answer["error"]))
        elif "seq" in answer and "stream" in answer:
            future.set_result(PubAck(answer["seq"], answer.get("duplicate", False)))
        else:
            future.set_result(answer)

    async def _read(self, subject: str, wanted: Mapping[str, Any], timeout_s: float = 5.0) -> list[Message]:
        if not self.connected:
            raise QueueUnavailableError("not connected to the queue")
        token = str(next(self._numbers))
        read = _Read([], asyncio.get_running_loop().create_future())
        self._reads[token] = read
        try:
            self.client.post(subject, json.dumps(wanted).encode(), f"{self.inbox}.r.{token}")
            async with asyncio.timeout(timeout_s):
                await read.done
        except (nats.errors.Error, TimeoutError) as error:
            raise QueueUnavailableError(f"no answer to {subject}") from error
        finally:
            del self._reads[token]
        return read.messages

    def _on_read(self, message: Heard) -> None:
        read = self._reads.get(message.subject.rpartition(".")[2])
        if read is None or read.done.done():
            return
        headers = message.headers
        status = headers.get("Status")
        if status == "503":
            read.done.set_exception(QueueUnavailableError("nobody serves this subject now"))
        elif status in {"404", "204"}:
            read.done.set_result(None)
        elif status == "413":
            read.done.set_exception(TooManyError())
        elif status is not None:
            read.done.set_exception(QueueUnavailableError(f"{status} {headers.get('Description', '')}"))
        else:
            seq = int(headers.get("Nats-Sequence", "0"))
            read.messages.append(Message(headers.get("Nats-Subject", ""), message.payload, seq, headers))
            if "Nats-Num-Pending" not in headers:  # a single read, not a batch
                read.done.set_result(None)

    async def _sweep(self) -> None:
        """Fail what waits beyond its deadline: one clock for all."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            for token in [token for token, (deadline, _) in self._acks.items() if deadline < now]:
                _fail(self._acks.pop(token)[1], "no acknowledgement in time")

    async def _watch(self) -> None:
        """Notice new certificates, and a connection that stands but answers no more (nats.py issue 914)."""
        missed = 0
        while missed < PINGS_MISSED_MAX:
            await asyncio.sleep(PING_S)
            self._read_certificate()
            if not self.connected:
                missed = 0
                continue
            missed = 0 if await self._answers() else missed + 1
        LOG.error("the queue's connection is silent", missed=missed)
        self.dead.set()

    async def _answers(self) -> bool:
        """Ping. A client whose reader died would call its ping answered, so the reader is looked at too."""
        reader = self.client._reading_task  # noqa: SLF001  (nats-py has no other way to ask)
        if reader is None or reader.done():
            return False
        try:
            await self.client.flush(int(PING_S))
        except (nats.errors.Error, TimeoutError):
            return False
        return True

    async def _disconnected(self) -> None:
        if not self.closing:
            LOG.warning("disconnected from the queue")
            self._read_certificate()
        self._fail_all("the connection to the queue broke")

    async def _complain(self, error: Exception) -> None:
        if not self.connected:
            abort(self.client)  # a try that failed: the client makes its next one and would keep the socket of this
        if not isinstance(error, nats.errors.StaleConnectionError | ConnectionError | OSError):
            LOG.warning("the queue's client complains", error=str(error))

    def _read_certificate(self) -> None:
        self.client.options["tls"] = self.trust.current()  # nats-py has no other way; its next connection takes it

    async def _reconnected(self) -> None:
        LOG.info("connected to the queue again")
        for call in self.on_reconnect:
            call()

    def _fail_all(self, text: str) -> None:
        waiting, self._acks = self._acks, {}
        for _deadline, future in waiting.values():
            _fail(future, text)
        for read in self._reads.values():
            _fail(read.done, text)


def _common_name(certificate: Path) -> str:
    """Return the identity in a certificate: the inbox that its user may read is named after it."""
    names = load_pem_x509_certificate(certificate.read_bytes()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names:
        raise QueueUnavailableError(f"{certificate} has no common name: it must be the identity")
    return str(names[0].value)


def _error(error: Mapping[str, Any]) -> Exception:
    number = int(error.get("err_code", 0))
    text = str(error.get("description", ""))
    if number in FENCE_ERRORS:
        return FenceLostError(text)
    if number in FULL_ERRORS or "insufficient" in text or "exceeded" in text:
        return QueueFullError(text)
    code = int(error.get("code", 0))
    if number in BESIDE_ANOTHER:
        return BesideAnotherError(text)
    return QueueUnavailableError(text) if code in PASSING_CODES else ApiError(code, number, text)


def _fail(future: "asyncio.Future[Any]", text: str) -> None:
    if not future.done():
        future.set_exception(QueueUnavailableError(text))
