"""The sandbox's small internet beside a cluster: in a thread of its own, for tests that do not await."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hack.in_namespace import CLUSTER_DNS

from paquebot.sandbox.internet import Internet
from paquebot.sandbox.mxhost import Received
from paquebot.sandbox.zone import Record

START_MAX_S = 30.0
# Whoever asks the servers of a zone themselves comes to the cluster's DNS, which hands the question on to us.
AUTHORITY = (Record(".", "NS", "ns.sandbox.test."), Record("ns.sandbox.test", "A", CLUSTER_DNS))


@dataclass(slots=True)
class World:
    """DNS and MX hosts. Use `start`, then `stop`; all else from any thread in between."""

    folder: Path | None = None
    on_received: Callable[[Received], None] = field(default=lambda _received: None)
    internet: Internet = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen on ports that are free."""
        self.internet = Internet(folder=self.folder, on_received=self.on_received, more_records=AUTHORITY)
        self._thread = threading.Thread(target=self._loop.run_forever, name="world", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.internet.start(), self._loop).result(START_MAX_S)

    def stop(self) -> None:
        """Cut everything."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self.internet.stop(), self._loop).result(START_MAX_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def resolver(self) -> tuple[str, int]:
        """Where the DNS server listens."""
        address = self.internet.resolver_address
        return address.host, address.port

    def receive_for(self, domains: Iterable[str]) -> None:
        """Receive for domains of our own too, as for their reports."""
        self._loop.call_soon_threadsafe(self.internet.receive_for, tuple(domains))

    def publish(self, name: str, text: str) -> None:
        """Add a TXT record, or replace it."""
        self._loop.call_soon_threadsafe(self.internet.publish_txt, name, text)

    def received(self, subject: str = "") -> list[Received]:
        """Return what has come, or that of one subject."""
        line = f"\r\nSubject: {subject}\r\n".encode()
        return [each for each in self.internet if not subject or line in each.content]

    def wait_for(self, subject: str, timeout_s: float = 60.0) -> Received:
        """Return the first message of a subject. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = self.received(subject)
            if found:
                return found[0]
            time.sleep(0.1)
        raise TimeoutError(f"nothing of the subject {subject!r} came in {timeout_s} s")
