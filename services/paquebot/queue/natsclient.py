"""nats-py's client, with a way in and a way out of our own; the rest of it connects, subscribes and comes back.

Out: what is posted in a turn of the loop leaves in one write, which is one record of TLS. nats-py wakes a task for it,
and makes a record of each message. In: what comes is handed to a function at once. nats-py puts it into a queue, for
a task a subscription, and reads header fields as those of mail. Together they cost more than what was done with it.

Mended too: its ping comes after what was sent before it, and may be answered late. nats-py writes a PING to the socket
past what it still buffers. The server may answer it before it has read a subscription or the end of one, so `flush`
and `Subscription.drain` return too early: what comes meanwhile is lost.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.client import PING_PROTO, Client
from nats.aio.subscription import Subscription
from nats.errors import BadHeaderError, ConnectionClosedError, MaxPayloadError

WRITE_AHEAD_BYTES = 1 << 20  # in the socket's buffer; beyond, nats-py waits until the server has read some of it
HEAD = "NATS/1.0"
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came. A status, as of a request that ended, stands among the headers as nats-py has it."""

    subject: str
    reply: str
    payload: bytes
    headers: dict[str, str] = field(default_factory=dict)


class OrderedClient(Client):
    """A client that posts and hears without a task, and whose `flush` returns when all sent before has been read."""

    def __init__(self) -> None:
        super().__init__()
        self._hearers: dict[int, Callable[[Heard], None]] = {}
        self._writing = False  # at the end of this turn

    async def hear(self, subject: str, on_message: Callable[[Heard], None]) -> Subscription:
        """Subscribe; each message is handed over as it is read, also after a reconnect."""
        subscription = await self.subscribe(subject)
        self._hearers[subscription._id] = on_message  # noqa: SLF001  (nats-py has no other way to ask)
        return subscription

    def post(self, subject: str, payload: bytes, reply: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Send a message with what else is sent in this turn of the loop; raise an Error of nats-py's."""
        if self.is_closed:
            raise ConnectionClosedError
        if len(payload) > self._max_payload:
            raise MaxPayloadError
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += len(payload)
        command = _publication(subject, payload, reply, headers)
        self._pending.append(command)
        self._pending_data_size += len(command)
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_soon(self._write_out)

    def _write_out(self) -> None:
        """Give the socket all that is buffered; without a connection it waits for the next one."""
        self._writing = False
        if not (self.is_connected and self._pending):
            return
        transport: Any = self._transport
        if transport._io_writer.transport.get_write_buffer_size() > WRITE_AHEAD_BYTES:  # noqa: SLF001  (the same)
            if self._flush_queue is not None and self._flush_queue.empty():
                self._flush_queue.put_nowait(asyncio.get_running_loop().create_future())
            return
        pending, self._pending, self._pending_data_size = self._pending, [], 0
        transport.write(b"".join(pending))

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        on_message = self._hearers.get(sid)
        if on_message is None:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(data)
        try:
            on_message(Heard(subject.decode(), reply.decode(), data, _headers(headers) if headers else {}))
        except Exception:  # a fault in what is done with one message must not end the reader
            LOG.exception("a message broke who heard it", subject=subject.decode())

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        self._hearers.pop(sid, None)
        super()._remove_sub(sid, max_msgs)

    async def _send_ping(self, future: "asyncio.Future[bool] | None" = None) -> None:
        if not self.is_connected:
            await super()._send_ping(future)  # what is buffered now goes to a later connection
            return
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def _process_pong(self) -> None:
        """Take a pong; where nobody waits for it any more, nats-py would end its reader and keep the connection."""
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()


def _publication(subject: str, payload: bytes, reply: str, headers: Mapping[str, str] | None) -> bytes:
    """Return PUB, or HPUB where there are headers. Subjects are ours; what stands in headers may be anybody's."""
    if not headers:
        return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise BadHeaderError("a line break in a header")
    head = "\r\n".join((HEAD, *lines, "", "")).encode()
    size = len(head) + len(payload)
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (subject.encode(), reply.encode(), len(head), size, head, payload)


def _headers(block: bytes) -> dict[str, str]:
    """Read a header block, whose first line may carry a status: `NATS/1.0 408 Request Timeout`."""
    first, *lines = block.decode(errors="surrogateescape").split("\r\n")
    code, _, description = first[len(HEAD) :].strip().partition(" ")
    found = {"Status": code} if code else {}
    if description:
        found["Description"] = description.strip()
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = value.strip()
    return found
