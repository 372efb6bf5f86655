"""Follows which models people have chosen, and reads them: the filter judges by the last good ones meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from paquebot.queue.jetstream import ApiError, QueueUnavailableError
from paquebot.queue.models import NONE, SHIPPED, Choice, Models
from paquebot.spamfilter.content import Model, ModelUnusableError
from paquebot.spamfilter.panel import Panel

LOOK_S = 2.0
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Choosing:
    """Hands over a panel whenever the choice changes. `own` are the models of the settings."""

    models: Models
    own: Panel
    use: Callable[[Panel], None]
    seen: Choice = field(default_factory=Choice)

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Use what is chosen, if that is new and can be had; else what was used before, and try again."""
        try:
            choice = await self.models.chosen()
            if choice == self.seen:
                return
            panel = Panel(await self._model(choice.model, self.own.model), await self._shadow(choice.shadow))
        except (QueueUnavailableError, ApiError, ModelUnusableError) as error:
            LOG.warning("the chosen models cannot be used", why=str(error))
            return
        self.use(panel)
        self.seen = choice
        LOG.info("content is read", by=str(panel), chosen_by=choice.author, reason=choice.reason)

    async def _shadow(self, digest: str) -> Model | None:
        return self.own.shadow if digest == NONE else await self._model(digest, self.own.model)

    async def _model(self, digest: str, own: Model | None) -> Model | None:
        if digest == SHIPPED or (own is not None and own.digest == digest):
            return own
        octets = await self.models.get(digest)
        if octets is None:
            raise ModelUnusableError(f"model {digest} is not in the store, or not whole")
        return await asyncio.to_thread(Model.of_octets, octets, digest)
