"""A connection to a receiving host: the asyncio shell around the client session, driven by its generators."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.smtp.client import BeforeFinalDot, BrokenSession, ClientSession, Need, Timeout

HOST_CLOSES_S = 0.3  # behind its answer to QUIT; RFC 5321 §4.1.1.10 has the host close first
FAREWELL_S = 3.0  # for the last octets and the answer to QUIT, then the connection is cut


class LeaseLostError(Exception):
    """The partition is no longer ours: the transaction was broken off before the final dot."""


def _nothing(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Warrant:
    """Leave to go on with a delivery, and who hears of its final dots.

    `before_dot` takes the host, and may return what must be done before the dot goes out; `answered` takes those whom
    the host has taken the message for, nobody when it refused or the dot never went out.
    """

    may_go_on: Callable[[], bool] = lambda: True
    before_dot: "Callable[[str], asyncio.Future[None] | None]" = _nothing
    answered: Callable[[tuple[str, ...]], None] = _nothing


LEAVE = Warrant()


@dataclass(slots=True, eq=False)
class Connection(asyncio.Protocol):
    """One connection; one dialogue at a time."""

    wheel: DeadlineWheel
    host: str
    address: str
    session: ClientSession = field(default_factory=ClientSession)
    transport: asyncio.Transport | None = None
    messages: int = 0
    domains: set[str] = field(default_factory=set)  # of recipients that were named
    tls: str = ""
    committed: bool = False  # the final dot was sent: the host may be responsible, whatever it answers
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _dialogue: Generator[Need, None, Any] | None = None
    _result: "asyncio.Future[Any] | None" = None
    _warrant: Warrant = LEAVE
    _paused: bool = False
    _noting: bool = False  # the final dot waits until it is noted

    @property
    def where(self) -> str:
        """Name and address, as records tell them."""
        return f"{self.host} [{self.address}]"

    @property
    def reusable(self) -> bool:
        """True when another transaction may begin."""
        alive = self.transport is not None and not self.transport.is_closing()
        return alive and self._dialogue is None and self.session.reusable

    def run(self, dialogue: Generator[Need, None, Any], warrant: Warrant = LEAVE) -> "asyncio.Future[Any]":
        """Run a dialogue of the session; the future fails with BrokenSession or LeaseLostError."""
        assert self._dialogue is None, "one dialogue at a time"  # noqa: S101
        result = self._result = asyncio.get_running_loop().create_future()
        self._dialogue = dialogue
        self._warrant = warrant
        self._step()
        return result

    async def start_tls(self, context: ssl.SSLContext, timeout_s: float) -> None:
        """Do the handshake; raise OSError (ssl.SSLError too), TimeoutError, or ValueError for a name TLS cannot say."""
        if self.transport is None or self.transport.is_closing():
            raise ConnectionResetError("the connection was closed before the handshake")
        loop = asyncio.get_running_loop()
        name = self.address if self.host.startswith("[") else self.host
        transport = await loop.start_tls(
            self.transport, self, context, server_hostname=name, ssl_handshake_timeout=timeout_s
        )
        if transport is None:
            raise ConnectionResetError("the connection was closed during the handshake")
        self.transport = transport
        self.session.tls_started()
        self.tls = transport.get_extra_info("ssl_object").version() or "TLS"

    async def leave(self) -> None:
        """Say QUIT, hear the answer (RFC 5321 §4.1.1.10), and see the connection end; cut it after FAREWELL_S.

        Who waits for this keeps to the host's limits: it has seen this connection end before another one comes.
        """
        if self.transport is None:
            return
        try:
            async with asyncio.timeout(FAREWELL_S):
                if self.reusable:
                    await self.run(self.session.quit())
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(HOST_CLOSES_S):
                            await self.ended.wait()
                self.transport.close()
                await self.ended.wait()
        except (TimeoutError, BrokenSession, LeaseLostError):
            pass  # a peer that reads no more would keep it open for ever
        finally:
            self.abort()

    def break_off(self) -> None:
        """Cut the connection: before a final dot the dialogue fails with LeaseLostError, after it it is in doubt."""
        if self._dialogue is not None and not self.committed:
            self._dialogue.close()
            self._end(LeaseLostError("broken off before the final dot"))
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]  # TCP and TLS transports are Transports

    def data_received(self, data: bytes) -> None:
        """Hand octets to the session."""
        self.session.receive_data(data)
        self._step()

    def eof_received(self) -> bool:
        """Note the end; the transport closes itself."""
        self.session.receive_eof()
        self._step()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, with its reason."""
        self.wheel.disarm(self)
        self.session.receive_eof(f"connection lost: {exc}" if exc else "connection closed")
        self._step()
        self.ended.set()

    def pause_writing(self) -> None:
        """Hold blocks back until the socket takes more."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._step()

    def _step(self) -> None:
        """Go on with the dialogue as far as it goes without waiting."""
        dialogue = self._dialogue
        if dialogue is None or self._noting:
            return
        try:
            while True:
                need = next(dialogue)
                self._write()
                if isinstance(need, BeforeFinalDot):
                    if not self._may_finish(dialogue):
                        return
                    noted = self._warrant.before_dot(self.where)
                    if noted is not None and not noted.done():
                        self._noting = True
                        noted.add_done_callback(lambda _: self._noted(dialogue))
                        return
                    self.committed = True
                elif need is not Timeout.BLOCK or self._paused:
                    self.wheel.arm(self, need.seconds, self._late)
                    return
        except StopIteration as done:
            self._write()
            self._end(done.value)
        except Exception as error:  # noqa: BLE001  (BrokenSession, or a fault of ours: who waits must hear of it)
            self._end(error)
            self.abort()

    def _may_finish(self, dialogue: Generator[Need, None, Any]) -> bool:
        """Say whether the final dot may go out; break the dialogue off when the lease was lost."""
        if self._warrant.may_go_on():
            return True
        dialogue.close()
        self._end(LeaseLostError("the lease was lost before the final dot"))
        self.abort()
        return False

    def _noted(self, dialogue: Generator[Need, None, Any]) -> None:
        """Go on with a dialogue, unless it was broken off while its final dot was noted."""
        if self._dialogue is not dialogue:
            return
        self._noting = False
        if self._may_finish(dialogue):
            self.committed = True
            self._step()

    def _late(self) -> None:
        self.session.timed_out()
        self._step()

    def _write(self) -> None:
        octets = self.session.data_to_send()
        if octets and self.transport is not None and not self.transport.is_closing():
            self.transport.write(octets)

    def _end(self, outcome: object) -> None:
        self.wheel.disarm(self)
        self._dialogue = None
        self.committed = self._noting = False
        result, self._result = self._result, None
        if result is None or result.done():
            return
        if isinstance(outcome, Exception):
            result.set_exception(outcome)
        else:
            result.set_result(outcome)
