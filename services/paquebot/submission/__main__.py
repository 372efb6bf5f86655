"""Run submission: `python -m paquebot.submission`. It listens for mail once it has a policy."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from paquebot.policy.values import Policy
from paquebot.queue.beginning import first_fit_connection
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.policystore import follow_policy
from paquebot.runtime.memory import keep_large_apart, memory
from paquebot.runtime.process import Process, ProcessSettings, run
from paquebot.runtime.settings import Address, Networks
from paquebot.smtp.server import ServerLimits
from paquebot.submission.connection import SmtpSettings
from paquebot.submission.crowd import CrowdLimits
from paquebot.submission.service import Service, Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ProcessSettings):
    """What submission reads from the environment. `message_size_max_bytes` is what EHLO says of SIZE."""

    nats_url: str
    grpc_listen: Address
    hostname: str
    smtp_listen: Address
    smtps_listen: Address
    smtp_cert_dir: Path
    auth_target: Address
    spamfilter_target: Address
    router_target: Address
    suppression_key: Path | None = None
    message_size_max_bytes: int = 52_428_800
    memory_max_bytes: int = 0  # what the process may take; 0: the limit of its cgroup, else 1.5 GiB
    connections_max: int = 5000
    connections_of_address_max: int = 100
    connections_of_principal_max: int = 200
    # Load balancers: they must begin with a PROXY header, and only they may.
    proxy_peers: Networks = field(default_factory=Networks)
    drain_s: float = 12.0

    @property
    def targets(self) -> Targets:
        """Where the others are."""
        return Targets(self.hostname, self.identity_dir, self.auth_target, self.spamfilter_target, self.router_target)

    @property
    def smtp(self) -> SmtpSettings:
        """What sessions are held to."""
        limits = ServerLimits(content_max_bytes=self.message_size_max_bytes)
        return SmtpSettings(self.hostname, limits, proxy_peers=self.proxy_peers)

    @property
    def crowd(self) -> CrowdLimits:
        """How many connections are served at once."""
        return CrowdLimits(self.connections_max, self.connections_of_address_max, self.connections_of_principal_max)


async def main(process: Process, settings: Settings) -> None:
    """Take mail until the process is told to drain."""
    process.readiness.missing("policy", "no revision was read yet")
    process.readiness.present("start")
    # A server that answers before the disk has the message makes our 250 a lie: it is refused.
    waits = process.waits_for("queue")
    js = await first_fit_connection(settings.nats_url, settings.identity_dir, "submission", waits)
    if js is None:
        return
    process.readiness.present("queue")
    try:
        async with asyncio.TaskGroup() as tasks:
            await _work(process, settings, js, tasks)
    finally:
        await js.close()
    if js.dead.is_set():
        # A new process connects anew; this one would only refuse.
        raise QueueUnavailableError("the connection to NATS cannot be mended")


async def _work(process: Process, settings: Settings, js: JetStream, tasks: asyncio.TaskGroup) -> None:
    keep_large_apart()
    service = Service(process, js, tasks, settings.targets, memory(settings.memory_max_bytes))
    smtp = service.smtp_server(settings.smtp, settings.crowd, settings.smtp_cert_dir)
    programs = service.program_server(settings.grpc_listen)
    loaded = asyncio.Event()

    def use(policy: Policy) -> None:
        service.follow(policy)
        loaded.set()

    if settings.suppression_key is not None:
        service.suppress(settings.suppression_key)
    service.start()
    watching = tasks.create_task(follow_policy(js, use))
    ends = (tasks.create_task(process.draining.wait()), tasks.create_task(js.dead.wait()))
    begins = tasks.create_task(loaded.wait())
    await asyncio.wait((*ends, begins), return_when=asyncio.FIRST_COMPLETED)
    if loaded.is_set():
        await programs.start()
        smtp.listen(settings.smtp_listen, implicit_tls=False)
        smtp.listen(settings.smtps_listen, implicit_tls=True)
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(smtp.drain(settings.drain_s), programs.stop(settings.drain_s))
    await service.stop()
    for task in (watching, *ends, begins):
        task.cancel()


if __name__ == "__main__":
    run(main, "submission", Settings)
