"""SuppressionLists at the deliverer: who gets nothing of what waits, and who is put on a list for not existing."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from paquebot.mail.delivery import Delivery
from paquebot.mail.outcome import Kind, Outcome, is_hard_bounce, of_conclusion
from paquebot.policy.values import Policy
from paquebot.queue.jetstream import ApiError, JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.suppression import Entry, Suppressions, key_of, lists_for, put

AGAIN_S = 1.0
SOURCE = "hard-bounce"
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Suppression:
    """What the lists say, by today's policy. `known` None: there is no key, so they say nothing."""

    js: JetStream
    known: Suppressions | None
    policy: Policy = field(default_factory=Policy)

    def follow(self, policy: Policy) -> None:
        """Work by this policy from now on."""
        self.policy = policy
        if self.known is None and policy.suppression.by_place:
            LOG.error("SuppressionLists are not applied: SUPPRESSION_KEY names no file")

    def outcomes(self, delivery: Delivery) -> dict[str, Outcome]:
        """Return a failure for each recipient that a list keeps mail from; reports of ours go all the same."""
        if self.known is None or not self.policy.suppression.by_place or not delivery.credential:
            return {}
        found = {
            each: self.known.find(self.policy, delivery.tenant, delivery.reverse_path, each)
            for each in delivery.recipients
        }
        return {
            each: of_conclusion(Kind.FAILED, 550, "5.7.1", str(listed))
            for each, listed in found.items()
            if listed is not None
        }

    async def learn(self, delivery: Delivery, outcomes: Mapping[str, Outcome]) -> None:
        """Put who does not exist on the lists that want it, before the failure is settled: a repeat changes nothing."""
        bounced = {each: outcome for each, outcome in outcomes.items() if is_hard_bounce(outcome)}
        if self.known is None or not bounced or not delivery.credential:
            return
        now_s = int(time.time())
        for each in lists_for(self.policy, delivery.tenant, delivery.reverse_path):
            if each.hard_bounces:
                for mailbox, outcome in bounced.items():
                    entry = Entry(str(outcome.reply), SOURCE, now_s, now_s + each.ttl_s)
                    await self._put(key_of(self.known.secret, each.place, mailbox), entry)

    async def _put(self, key: str, entry: Entry) -> None:
        while True:
            try:
                await put(self.js, key, entry)
            except QueueFullError:
                LOG.error("the SuppressionLists are full: nothing is added", key=key)  # noqa: TRY400
                return
            except (QueueUnavailableError, ApiError) as error:
                LOG.warning("a SuppressionList cannot be added to yet", error=str(error))
                await asyncio.sleep(AGAIN_S)
            else:
                return
