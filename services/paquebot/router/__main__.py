"""Run the router: `python -m paquebot.router`. It listens once it has a policy."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from paquebot.dns.resolver import Resolver
from paquebot.policy.values import Policy
from paquebot.queue.beginning import first_connection
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.members import Heartbeat, Member
from paquebot.queue.policystore import follow_policy
from paquebot.router.keyring import Keyring
from paquebot.router.service import Router, serve
from paquebot.runtime.metrics import tell_limits
from paquebot.runtime.process import Process, ProcessSettings, run
from paquebot.runtime.rpc_server import Server
from paquebot.runtime.settings import Address

GRACE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """What the router reads from the environment. `resolver` counts only in the sandbox."""

    nats_url: str
    grpc_listen: Address
    hostname: str
    dkim_dir: Path | None = None
    resolver: Address | None = None
    sandbox: bool = False


async def main(process: Process, settings: Settings) -> None:
    """Plan until the process is told to drain."""
    process.readiness.missing("policy", "no revision was read yet")
    process.readiness.present("start")
    named = settings.resolver if settings.sandbox else None
    resolver = Resolver((named.host, named.port) if named else None)
    router = Router(settings.hostname, resolver, Keyring(settings.dkim_dir))
    server = Server(settings.grpc_listen, settings.identity_dir, process.readiness)
    serve(server, router)
    js = await first_connection(settings.nats_url, settings.identity_dir, "router", process.waits_for("queue"))
    if js is None:
        return
    process.readiness.present("queue")
    tell_limits(resolver.fullness)
    try:
        await _work(process, js, router, server)
    finally:
        await server.stop(GRACE_S)
        await js.close()


async def _work(process: Process, js: JetStream, router: Router, server: Server) -> None:
    heartbeat = Heartbeat(js, Member(process.pod, "router"))
    loaded = asyncio.Event()

    def use(policy: Policy) -> None:
        router.follow(policy)
        heartbeat.runs(policy.revision)
        process.readiness.present("policy")
        loaded.set()

    async with asyncio.TaskGroup() as tasks:
        background = (tasks.create_task(follow_policy(js, use)), tasks.create_task(heartbeat.run()))
        ends = (tasks.create_task(process.draining.wait()), tasks.create_task(js.dead.wait()))
        begins = tasks.create_task(loaded.wait())
        await asyncio.wait((*ends, begins), return_when=asyncio.FIRST_COMPLETED)
        if loaded.is_set():
            await server.start()
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in (*background, *ends, begins):
            task.cancel()
    if js.dead.is_set():
        # A new process connects anew; this one would never hear of another policy.
        raise QueueUnavailableError("the connection to NATS cannot be mended")
    await heartbeat.leave()


if __name__ == "__main__":
    run(main, "router", Settings)
