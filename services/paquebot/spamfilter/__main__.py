"""Run the spam filter: `python -m paquebot.spamfilter`."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path

import structlog

from paquebot.policy.values import Policy
from paquebot.queue.beginning import first_connection
from paquebot.queue.events import EventWriter
from paquebot.queue.jetstream import QueueUnavailableError
from paquebot.queue.members import Heartbeat, Member
from paquebot.queue.models import Models
from paquebot.queue.policystore import follow_policy
from paquebot.queue.suppression import read_secret
from paquebot.runtime.process import Process, ProcessSettings, run
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address
from paquebot.spamfilter.choosing import Choosing
from paquebot.spamfilter.content import SHIPPED
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.keeper import keep
from paquebot.spamfilter.history.keys import Hashes
from paquebot.spamfilter.history.response import Response
from paquebot.spamfilter.learning import Learning
from paquebot.spamfilter.panel import Panel, load
from paquebot.spamfilter.service import SpamFilter
from paquebot.wire.spamfilter import JUDGE, JUDGE_STREAM

_STREAM_CALLERS = frozenset({"submission"})
_CALLERS = frozenset({"submission", "client", "admin"})
_GRACE_S = 10.0
_KEY_OCTETS = 32
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """What the spam filter reads from the environment."""

    nats_url: str
    grpc_listen: Address
    suppression_key: Path | None = None
    model: Path = SHIPPED
    shadow_model: Path | None = None


async def main(process: Process, settings: Settings) -> None:
    """Judge until the process is told to drain; listen once the policy is known."""
    process.readiness.missing("policy", "the policy has not been read yet")
    process.readiness.present("start")
    js = await first_connection(settings.nats_url, settings.identity_dir, "spamfilter", process.waits_for("queue"))
    if js is None:
        return
    process.readiness.present("queue")
    known = asyncio.Event()
    histories = Histories(_hashes(settings.suppression_key))
    events = EventWriter(js)
    response = Response(js, events)
    learning = Learning.of(js)
    spam_filter = SpamFilter(Policy(), histories, _panel(settings), learning.taught, learning.notes, response.to)
    heartbeat = Heartbeat(js, Member(process.pod, "spamfilter"))

    def use(policy: Policy) -> None:
        spam_filter.use(policy)
        heartbeat.runs(policy.revision)
        known.set()

    async with asyncio.TaskGroup() as tasks:
        watching = (
            tasks.create_task(follow_policy(js, use)),
            tasks.create_task(heartbeat.run()),
            tasks.create_task(keep(js, histories)),
            tasks.create_task(learning.run()),
            tasks.create_task(Choosing(Models(js), spam_filter.panel, spam_filter.read_by).run()),
        )
        listening = tasks.create_task(_listen(process, settings, spam_filter, known))
        ends = (tasks.create_task(process.draining.wait()), tasks.create_task(js.dead.wait()))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            await listening.result().stop(_GRACE_S)
        for task in (listening, *watching, *ends):
            task.cancel()
    if js.dead.is_set():
        # A new process connects anew; this one would never hear of another policy.
        raise QueueUnavailableError("the connection to NATS cannot be mended")
    await response.background.drain(_GRACE_S)
    await asyncio.gather(events.drain(_GRACE_S), heartbeat.leave())
    await js.close()


def _panel(settings: Settings) -> Panel:
    """Return the models that the settings name. Where none is shipped, rules judge."""
    model = settings.model if settings.model != SHIPPED or SHIPPED.exists() else None
    panel = Panel(load(model), load(settings.shadow_model))
    LOG.info("content is read", by=str(panel))
    return panel


def _hashes(key: Path | None) -> Hashes:
    """Return the hashes by the key that all replicas have; raises ValueError for a bad one."""
    if key is not None:
        return Hashes(read_secret(key))
    LOG.warning("SUPPRESSION_KEY names no file: what is remembered of senders is known to this process alone")
    return Hashes(secrets.token_bytes(_KEY_OCTETS))


async def _listen(process: Process, settings: Settings, spam_filter: SpamFilter, known: asyncio.Event) -> Server:
    await known.wait()
    server = Server(settings.grpc_listen, settings.identity_dir, process.readiness)
    server.stream(JUDGE_STREAM, spam_filter.answer, _STREAM_CALLERS)
    server.unary(JUDGE, spam_filter.answer_one, _CALLERS)
    await server.start()
    process.readiness.present("policy")
    return server


if __name__ == "__main__":
    run(main, "spamfilter", Settings)
