"""Shares of the hourly quotas, leased from auth and spent here, so that most messages ask nobody.

While auth does not answer, sessions that are authenticated go on (DESIGN §10): their mail is not counted.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.runtime.rpc_client import RpcRefusedError, RpcUnavailableError
from paquebot.wire.auth import LeaseAnswer, LeaseRequest

ASK_MESSAGES = 50
ASK_MESSAGES_MAX = 400
KEPT_MAX = 10_000  # credentials
UNCOUNTED = Counter("paquebot_submission_uncounted", "Messages not counted because auth did not answer.")
LOG = structlog.get_logger()

_Key = tuple[str, str]


@dataclass(slots=True)
class _Share:
    left: int
    until_s: float
    granted: int


class Leases:
    """What is left of each credential's share. `ask` is auth's Lease; `clock` counts seconds."""

    __slots__ = ("_ask", "_asking", "_clock", "_shares")

    def __init__(self, ask: Callable[[LeaseRequest], Awaitable[LeaseAnswer]], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._shares: dict[_Key, _Share] = {}
        self._asking: dict[_Key, asyncio.Future[LeaseAnswer | None]] = {}

    def __repr__(self) -> str:
        return f"<Leases {len(self._shares)} credentials>"

    def has_room(self, principal: Principal) -> bool:
        """Say whether another message may be sent now; False: it must be asked."""
        if principal.internal:
            return True
        share = self._shares.get((principal.tenant, principal.credential))
        return share is not None and share.left > 0 and share.until_s > self._clock()

    async def refusal(self, principal: Principal) -> Reply | None:
        """Ask for a share if there is none; return why no message may be sent now, or None."""
        while not self.has_room(principal):
            answer = await self._asked((principal.tenant, principal.credential))
            if answer is None:
                UNCOUNTED.inc()
                return None
            if not answer.granted:
                return Reply(452, "4.7.1", f"{answer.reason}: try again in {-(-answer.retry_ms // 1000)} s")
        return None

    def spend(self, principal: Principal) -> None:
        """Count a message, if there is a share to count it on."""
        share = self._shares.get((principal.tenant, principal.credential))
        if share is not None and not principal.internal:
            share.left -= 1

    async def _asked(self, key: _Key) -> LeaseAnswer | None:
        """Ask auth, once for all who wait; None when it does not answer."""
        running = self._asking.get(key)
        if running is not None:
            return await asyncio.shield(running)
        future = self._asking[key] = asyncio.get_running_loop().create_future()
        answer: LeaseAnswer | None = None
        try:
            answer = await self._ask(LeaseRequest(*key, self._wanted(key)))
            if answer.granted:
                self._keep(key, answer)
        except (RpcUnavailableError, RpcRefusedError) as error:
            LOG.warning("auth gives no lease", tenant=key[0], credential=key[1], why=str(error))
        finally:
            del self._asking[key]
            future.set_result(answer)
        return answer

    def _wanted(self, key: _Key) -> int:
        """Return how much to ask for: twice as much where the last share was spent before its time.

        So what runs out unused, and is lost to the quota, is no more than what was used before it.
        """
        last = self._shares.get(key)
        if last is None or last.left > 0 or last.until_s <= self._clock():
            return ASK_MESSAGES
        return min(max(ASK_MESSAGES, 2 * last.granted), ASK_MESSAGES_MAX)

    def _keep(self, key: _Key, answer: LeaseAnswer) -> None:
        if len(self._shares) >= KEPT_MAX:
            now = self._clock()
            self._shares = {each: share for each, share in self._shares.items() if share.until_s > now}
        self._shares[key] = _Share(answer.granted, self._clock() + answer.valid_ms / 1000, answer.granted)
