"""A platform with its mail in flight is asked through the cluster, the deliverers too."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kube_fixtures import make_namespace
from kube_plane import Plane
from kubectl_support import Plugin
from paquebot.cli.kubectl.reaching import SUPPRESSION_KEY, SUPPRESSION_SECRET
from platform_support import Stage, content

LIST = """
---
{apiVersion: paquebot.dev/v1alpha1, kind: SuppressionList, metadata: {name: never, namespace: mail-system},
 spec: {ttl: 366d}}
"""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"), extra=LIST)
    await stage.start()
    yield stage
    await stage.stop()


@pytest.fixture
def plugin(stage: Stage, bare_plane: Plane, tmp_path) -> Plugin:
    """Declare in the API server what a cluster with this platform would have."""
    running = stage.platform.running()
    plugin = Plugin(bare_plane, make_namespace(bare_plane, "reached"), tmp_path)
    plugin.give_identity(stage.place.identity("admin"))
    plugin.give_secret(SUPPRESSION_SECRET, {SUPPRESSION_KEY: stage.place.suppression_key.read_bytes()})
    plugin.ways["service/paquebot-nats"] = int(running.nats_url.rpartition(":")[2])
    for name, address in running.deliverers.items():
        port = int(address.rpartition(":")[2])
        pod = name.replace("_", "-")
        plugin.give_pod(pod, port)
        plugin.ways[f"pod/{pod}"] = port
    return plugin


async def told(plugin: Plugin, *words: str) -> str:
    code, said = await asyncio.to_thread(plugin.run, *words)
    assert code == 0, said
    return said


async def test_a_message_is_explained_by_queue_and_deliverers(stage: Stage, plugin: Plugin) -> None:
    ident = (await stage.submit(content("far"), "someone@full.test")).rpartition(" ")[2]
    while "deferred" not in (said := await told(plugin, "explain", ident, "--output", "json")):
        pass
    facts = json.loads(said)["facts"]
    assert facts["kept"][0]["delivery"]["last_reply"]["code"] == 452
    assert [each["pool"] for each in facts["deliverers"]] == ["mail-system_default"]
    assert "someone@full.test" in await told(plugin, "trace", ident)


async def test_a_deliverer_that_is_gone_meanwhile_stops_nothing(plugin: Plugin) -> None:
    (pod,) = [way for way in plugin.ways if way.startswith("pod/")]
    del plugin.ways[pod]
    said = await told(plugin, "explain", "mail-system/default")
    assert f"kubectl port-forward {pod} was not opened" in said
    assert "mail-system/default: " in said


async def test_deliverers_are_asked_at_their_own_addresses_too(stage: Stage, plugin: Plugin) -> None:
    here = ("--direct", "--nats-url", stage.platform.running().nats_url)
    assert "owns 16 of 16 partitions" in await told(plugin, *here, "explain", "mail-system/default")
    assert not plugin.opened


async def test_an_address_is_suppressed_with_the_platforms_key(stage: Stage, plugin: Plugin) -> None:
    await told(plugin, "suppression", "add", "mail-system/never", "eve@example.com")
    assert "mail-system/never" in await told(plugin, "suppression", "check", "Eve@EXAMPLE.com")
    assert stage.platform.policy.suppression.by_place


async def test_who_suspends_is_obeyed(plugin: Plugin) -> None:
    said = await told(plugin, "suspend", "tenant", "news", "--reason", "too much", "--author", "ann")
    assert said.startswith("tenant news is suspended until")
    assert "tenant news is resumed" in await told(plugin, "resume", "tenant", "news")
