"""Asking the deliverers of a running platform for their live state."""

import asyncio
from dataclasses import dataclass

from paquebot.cli.place import Place, Running
from paquebot.runtime.rpc_client import Channel, RpcRefusedError, RpcUnavailableError
from paquebot.wire.deliverer import STATE, DelivererState, StateRequest

ANSWER_S = 0.8  # who does not answer within is told as silent: the asker waits for an explanation


@dataclass(frozen=True, slots=True)
class Live:
    """What the deliverers say, and the names of those that say nothing."""

    states: tuple[DelivererState, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deliverers:
    """Channels to all deliverers that a platform announced. Use `ask`, then `close`."""

    channels: dict[str, Channel]

    @classmethod
    def of(cls, place: Place, running: Running) -> "Deliverers":
        """Return the deliverers of a running platform, reached as admin."""
        identity = place.identity("admin")
        return cls({name: Channel(address, identity, "deliverer") for name, address in running.deliverers.items()})

    async def ask(self, request: StateRequest) -> Live:
        """Ask all at once."""
        answers = await asyncio.gather(*(_ask(channel, request) for channel in self.channels.values()))
        return Live(
            tuple(answer for answer in answers if answer is not None),
            tuple(name for name, answer in zip(self.channels, answers, strict=True) if answer is None),
        )

    async def close(self) -> None:
        """Close the channels."""
        await asyncio.gather(*(channel.close() for channel in self.channels.values()))


async def _ask(channel: Channel, request: StateRequest) -> DelivererState | None:
    try:
        return await channel.unary(STATE, request, ANSWER_S)
    except (RpcUnavailableError, RpcRefusedError):
        return None
