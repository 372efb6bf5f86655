"""nats-py's client, mended in one place: its ping comes after what was sent before it, and may be answered late.

nats-py writes a PING to the socket past what it still buffers. The server may answer it before it has read
a subscription or the end of one, so `flush` and `Subscription.drain` return too early: what comes meanwhile is lost.
"""

import asyncio

from nats.aio.client import PING_PROTO, Client


class OrderedClient(Client):
    """A client whose `flush` returns when the server has read all that was sent before."""

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
