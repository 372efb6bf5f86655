"""An operator's parts around pools."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kube_plane import Plane
from paquebot.queue.server import NatsServer
from paquebot_operator.conditions import TRUE, Condition
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.events import Recorder
from paquebot_operator.kube.store import Store
from paquebot_operator.names import Key
from paquebot_operator.policy.publish import Publishing
from paquebot_operator.pools.reconcile import Pools
from paquebot_operator.pools.settings import PoolSettings
from paquebot_operator.pools.workloads import Workloads
from paquebot_operator.queue_link import QueueLink
from paquebot_operator.scaling.scaler import Scaler
from paquebot_operator.status import StatusWriter
from pool_desk import Desk
from queue_fixtures import identities, nats

__all__ = ["identities", "nats"]


@pytest.fixture
async def desk(bare_plane: Plane, namespace: str, nats: NatsServer, identities: Path) -> AsyncIterator[Desk]:
    kube = Kube.login(bare_plane.kubeconfig("admin"))
    store, queue = Store(), QueueLink(nats.url, identities)
    seen: list[Key] = []
    publishing = Publishing(store, queue, namespace, seen.append, list)
    recorder = Recorder(kube, "test", namespace)
    writer = StatusWriter(kube, store, recorder, lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    settings = PoolSettings(
        namespace=namespace,
        image="paquebot:test",
        nats_url=nats.url,
        submission_target="paquebot-submission:4000",
        hostname="smtp.example.net",
    )
    pools = Pools(
        Workloads(kube, settings),
        publishing,
        Scaler(queue.connected),
        queue,
        writer,
        lambda: Condition("CertificatesReady", TRUE, "Issued"),
        lambda: datetime.now(UTC) + made.later,
    )
    made = Desk(bare_plane, namespace, store, publishing, pools, seen)
    yield made
    await queue.close()
    kube.close()
