"""SMTP on sockets: the ports 465 (TLS at once) and 587 (STARTTLS), who is let in, and how all are sent away.

Each handshake gets the certificate that is on disk then. One sweep a second looks at who is overdue. When all
connections are taken, who has not authenticated makes room for who comes: idle strangers keep nobody out.
"""

import asyncio
import contextlib
import itertools
import socket
from dataclasses import dataclass, field

import structlog

from paquebot.runtime.settings import Address
from paquebot.smtp.proxy import ProxyFault
from paquebot.submission.connection import SHUTDOWN_S, Connection, Hall
from paquebot.submission.counts import ENDED
from paquebot.submission.proxied import client_address

SWEEP_S = 1.0
ACCEPT_PAUSE_S = 0.1
BACKLOG = 1024
STRANGERS_ASKED = 8  # for who comes; those whose password is being checked stay
LOG = structlog.get_logger()


@dataclass(slots=True)
class SmtpServer:
    """Where SMTP clients come in, and go."""

    hall: Hall
    unnamed: int = 0  # connections of load balancers that have not said whose they are
    _listeners: "dict[socket.socket, asyncio.Task[None]]" = field(default_factory=dict)

    def listen(self, address: Address, *, implicit_tls: bool) -> int:
        """Listen for clients; return the port."""
        both = address.host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if ":" in address.host else socket.AF_INET,
            backlog=BACKLOG,
            dualstack_ipv6=both,
        )
        listener.setblocking(False)
        self._listeners[listener] = self.hall.tasks.create_task(self._accept(listener, implicit_tls=implicit_tls))
        return int(listener.getsockname()[1])

    async def sweep(self) -> None:
        """Look at all sessions once a second, for ever."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = asyncio.get_running_loop().time()
            patience = self.hall.patience
            for connection in tuple(self.hall.connections):
                connection.check(now_s, patience)

    async def drain(self, grace_s: float) -> None:
        """Accept nobody, send the idle away with 421, let transactions end; after `grace_s` end the rest."""
        self.hall.draining = True
        for listener, accepting in self._listeners.items():
            accepting.cancel()
            listener.close()
        self._listeners.clear()
        for connection in tuple(self.hall.connections):
            connection.drain()
        self.hall.emptied.clear()
        if self.hall.connections:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self.hall.emptied.wait()
        for connection in tuple(self.hall.connections):
            connection.end("drained")

    async def _accept(self, listener: socket.socket, *, implicit_tls: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, peer = await loop.sock_accept(listener)
            except OSError as error:  # no file descriptors left, or a client that was gone before we looked
                LOG.warning("a connection could not be accepted", why=str(error))
                await asyncio.sleep(ACCEPT_PAUSE_S)
                continue
            address = str(peer[0])
            if address not in self.hall.settings.proxy_peers:
                self._enter(client, address, implicit_tls=implicit_tls)
            elif self.unnamed < self.hall.crowd.limits.connections_max:
                self.hall.tasks.create_task(self._ask_proxy(client, address, implicit_tls=implicit_tls))
            else:
                client.close()

    async def _ask_proxy(self, client: socket.socket, peer: str, *, implicit_tls: bool) -> None:
        """Hear from a load balancer whose connection this is."""
        self.unnamed += 1
        try:
            address = await client_address(client, peer)
        except (ProxyFault, OSError) as fault:
            LOG.warning("a listed peer says not whose connection it passes on", peer=peer, why=str(fault))
            ENDED.labels("no PROXY header").inc()
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        finally:
            self.unnamed -= 1
        self._enter(client, address, implicit_tls=implicit_tls)

    def _enter(self, client: socket.socket, address: str, *, implicit_tls: bool) -> None:
        """Count a client and serve it, unless that alone would cost too much."""
        crowd = self.hall.crowd
        if crowd.fullness >= 1:
            self._make_room()
        connection = Connection(self.hall, address, crowd.enter(address), implicit_tls=implicit_tls)
        if crowd.floods(address):  # a handshake is what a flood would like to make us pay for
            connection.never_came("flood")
            client.close()
        else:
            connection.welcoming = self.hall.tasks.create_task(self._welcome(connection, client))

    def _make_room(self) -> None:
        """Send the client away that has been here longest without saying who it is."""
        for stranger in tuple(itertools.islice(self.hall.strangers, STRANGERS_ASKED)):
            if stranger.make_room():
                return

    async def _welcome(self, connection: "Connection", client: socket.socket) -> None:
        """Give a connection its transport, behind TLS if its port wants that."""
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                client,
                ssl=self.hall.context() if connection.implicit_tls else None,
                ssl_handshake_timeout=self.hall.patience.handshake_s if connection.implicit_tls else None,
                ssl_shutdown_timeout=SHUTDOWN_S if connection.implicit_tls else None,
            )
        except OSError as error:  # SSLError is one
            LOG.info("no TLS", address=connection.address, why=str(error))
            connection.never_came("handshake failed")
            client.close()
        except asyncio.CancelledError:  # the process ends while hands are being shaken
            client.close()
            raise
