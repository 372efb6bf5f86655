"""ClusterIPs: for each port of a Service a listener that hands connections to a ready pod. UDP is not served.

A pod sees the proxy's address, not its client's: as with kube-proxy and `externalTrafficPolicy: Cluster`.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Manifest = Mapping[str, Any]
Key = tuple[str, str]
Place = tuple[str, int]  # address and port
LET_IN_S = 0.01
PIECE_BYTES = 1 << 16
LABEL = "kubernetes.io/service-name"


def headless(service: Manifest) -> bool:
    """Say whether a Service has no address of its own."""
    return service["spec"].get("clusterIP") in {None, "", "None"}


def endpoints(slices: Mapping[Key, Manifest], service: Key) -> Iterator[tuple[Manifest, Manifest]]:
    """Give each ready endpoint of a Service with its slice."""
    for (namespace, _), each in sorted(slices.items()):
        if namespace == service[0] and (each["metadata"].get("labels") or {}).get(LABEL) == service[1]:
            for endpoint in each.get("endpoints") or ():
                if endpoint.get("conditions", {}).get("ready") is not False:
                    yield endpoint, each


def backends(slices: Mapping[Key, Manifest], service: Key, port: str) -> tuple[Place, ...]:
    """Return where a Service's port, by its name, is served just now."""
    return tuple(
        (address, wanted["port"])
        for endpoint, each in endpoints(slices, service)
        for wanted in each.get("ports") or ()
        if wanted.get("name", "") == port
        for address in endpoint["addresses"]
    )


@dataclass(slots=True)
class Proxy:
    """Listeners for all Services; `follow` after each change of them or of their endpoints."""

    fixed: Mapping[Key, Place]  # Services whose backend is no pod
    listening: dict[Place, asyncio.Server] = field(default_factory=dict)
    table: dict[Place, tuple[Place, ...]] = field(default_factory=dict)
    turn: Iterator[int] = field(default_factory=itertools.count)
    talks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def follow(self, services: Mapping[Key, Manifest], slices: Mapping[Key, Manifest]) -> None:
        """Listen where a Service has ready pods; nowhere else, so that others are refused."""
        self.table = {}
        for key, service in services.items():
            for port in () if headless(service) else service["spec"].get("ports") or ():
                behind = (self.fixed[key],) if key in self.fixed else backends(slices, key, port.get("name", ""))
                if behind and port.get("protocol", "TCP") == "TCP":
                    self.table[service["spec"]["clusterIP"], port["port"]] = behind
        for place in [place for place in self.listening if place not in self.table]:
            await _close(self.listening.pop(place))
        for place in self.table:
            if place not in self.listening:
                self.listening[place] = await asyncio.start_server(
                    lambda reader, writer, place=place: self._talk(place, reader, writer), *place
                )

    async def stop(self) -> None:
        """Listen no more, and cut what is open."""
        for server in self.listening.values():
            server.close()
        for talk in self.talks:
            talk.cancel()
        await asyncio.gather(*self.talks, return_exceptions=True)

    async def _talk(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self.talks.add(talk)
        try:
            behind = self.table.get(place)
            if behind:
                await _relay(reader, writer, behind[next(self.turn) % len(behind)])
        except (OSError, asyncio.CancelledError):
            pass  # one side has gone: so does the other
        finally:
            self.talks.discard(talk)
            writer.close()


async def _close(server: asyncio.Server) -> None:
    """Listen no more. Who is being let in at this moment comes in first: asyncio would leave him open for ever."""
    for listener in server.sockets:
        asyncio.get_running_loop().remove_reader(listener.fileno())
    await asyncio.sleep(LET_IN_S)
    server.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: Place) -> None:
    behind_reader, behind_writer = await asyncio.open_connection(*place)
    try:
        await asyncio.gather(_pump(reader, behind_writer), _pump(behind_reader, writer))
    finally:
        behind_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
