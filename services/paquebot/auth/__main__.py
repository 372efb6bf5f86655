"""Run auth: `python -m paquebot.auth`. It listens at once and answers 454 until policy and hashes are read."""

import asyncio
import secrets
import time
from dataclasses import dataclass

from paquebot.auth.authenticator import Authenticator
from paquebot.auth.service import serve
from paquebot.policy.values import Policy
from paquebot.queue.beginning import first_connection
from paquebot.queue.credentials import follow_hashes
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.members import Heartbeat, Member
from paquebot.queue.orders import follow_orders
from paquebot.queue.policystore import follow_policy
from paquebot.runtime.metrics import tell_limits
from paquebot.runtime.process import Process, ProcessSettings, run
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address

_GRACE_S = 10.0
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """What auth reads from the environment."""

    nats_url: str
    grpc_listen: Address


async def main(process: Process, settings: Settings) -> None:
    """Answer until the process is told to drain."""
    for name in ("policy", "hashes"):
        process.readiness.missing(name, "not read yet")
    authenticator = Authenticator(lambda: time.time_ns() // 1_000_000, secrets.token_bytes(_KEY_BYTES))
    server = Server(settings.grpc_listen, settings.identity_dir, process.readiness)
    serve(server, authenticator)
    tell_limits(authenticator.fullness)
    await server.start()
    process.readiness.present("start")
    try:
        js = await first_connection(settings.nats_url, settings.identity_dir, "auth", process.waits_for("queue"))
        if js is None:
            return
        process.readiness.present("queue")
        try:
            await _learn(process, js, authenticator)
        finally:
            await js.close()
    finally:
        await server.stop(_GRACE_S)
        authenticator.close()


async def _learn(process: Process, js: JetStream, authenticator: Authenticator) -> None:
    """Follow policy and hashes until the process drains."""
    heartbeat = Heartbeat(js, Member(process.pod, "auth"))

    def use_policy(policy: Policy) -> None:
        authenticator.learn_policy(policy)
        heartbeat.runs(policy.revision)
        process.readiness.present("policy")

    def use_hashes(hashes: dict[str, tuple[str, ...]]) -> None:
        authenticator.learn_hashes(hashes)
        process.readiness.present("hashes")

    async with asyncio.TaskGroup() as tasks:
        watching = (
            tasks.create_task(follow_policy(js, use_policy)),
            tasks.create_task(follow_hashes(js, use_hashes)),
            tasks.create_task(follow_orders(js, heartbeat, authenticator.learn_orders)),
            tasks.create_task(heartbeat.run()),
        )
        ends = (tasks.create_task(process.draining.wait()), tasks.create_task(js.dead.wait()))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in (*watching, *ends):
            task.cancel()
    if js.dead.is_set():
        # A new process connects anew; one that hears of no change any more would honour what was revoked.
        raise QueueUnavailableError("the connection to NATS cannot be mended")
    await heartbeat.leave()


if __name__ == "__main__":
    run(main, "auth", Settings)
