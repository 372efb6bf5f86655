"""The network between two parts, as a proxy that can be cut, swallow everything, or be slow."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from enum import StrEnum

SLOW_S = 0.15  # more on the way, each piece
SLOW_BYTES_PER_S = 200_000
PIECE_BYTES = 1 << 16
CONNECT_S = 5.0

Target = tuple[str, int]


class Way(StrEnum):
    """How octets pass."""

    OPEN = "open"
    CUT = "cut"  # connections are reset, new ones too
    HOLE = "black hole"  # nothing passes, nobody is told; what was sent arrives when it ends, if both still live
    SLOW = "slow"


class Link:
    """One way between two parts. `targets` says where it leads, by the address that was connected to; any will do."""

    def __init__(self, name: str, targets: Callable[[str], Sequence[Target]]) -> None:
        self.name, self.targets = name, targets
        self.way = Way.OPEN
        self.port = 0
        self._passes = asyncio.Event()
        self._passes.set()
        self._servers: list[asyncio.Server] = []
        self._transports: set[asyncio.BaseTransport] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, *addresses: str) -> None:
        """Listen at addresses, at one port that is free at all of them."""
        for _ in range(50):
            try:
                for address in addresses:
                    server = await asyncio.start_server(self._serve, address, self.port, limit=PIECE_BYTES)
                    self._servers.append(server)
                    self.port = server.sockets[0].getsockname()[1]
            except OSError:
                await self.close()
                self.port, self._servers = 0, []
            else:
                return
        raise OSError(f"no port is free at {addresses}")

    def become(self, way: Way) -> None:
        """Let octets pass in another way from now on."""
        self.way = way
        if way is Way.CUT:
            for transport in tuple(self._transports):
                transport.abort()
        if way is Way.HOLE:
            self._passes.clear()
        else:
            self._passes.set()

    async def close(self) -> None:
        """Listen no more, and cut who is here."""
        for server in self._servers:
            server.close()
        self.become(Way.CUT)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._transports.add(writer.transport)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._transports.discard(writer.transport)
            writer.transport.abort()
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._pass(0)
        onward = await self._connect(writer.get_extra_info("sockname")[0])
        if onward is None:
            return
        self._transports.add(onward[1].transport)
        try:
            there = asyncio.create_task(self._carry(reader, onward[1]))
            back = asyncio.create_task(self._carry(onward[0], writer))
            try:
                await asyncio.gather(there, back)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        finally:
            self._transports.discard(onward[1].transport)
            onward[1].transport.abort()

    async def _connect(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Return a connection to the first target that takes one, None when the way is cut or nobody is there."""
        if self.way is Way.CUT:
            return None
        for target in self.targets(address):
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    return await asyncio.open_connection(*target, limit=PIECE_BYTES)
        return None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry octets one way until the end, which is carried too."""
        with contextlib.suppress(OSError):
            while octets := await reader.read(PIECE_BYTES):
                await self._pass(len(octets))
                if writer.transport.is_closing():
                    break
                writer.write(octets)
                await writer.drain()
        await self._pass(0)
        writer.close()

    async def _pass(self, count: int) -> None:
        if self.way is Way.SLOW:
            await asyncio.sleep(SLOW_S + count / SLOW_BYTES_PER_S)
        while not self._passes.is_set():
            await self._passes.wait()
