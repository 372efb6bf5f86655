"""What nobody wants is kept for a while, then deleted; what is wanted again stays."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kube_plane import Plane
from paquebot_operator.domains.leavings import KEPT_S, MARK, Leavings
from paquebot_operator.kube.client import Kube
from paquebot_operator.names import CONFIG_MAP


@pytest.fixture
async def kube(bare_plane: Plane) -> AsyncIterator[Kube]:
    door = Kube.login(bare_plane.kubeconfig("admin"))
    yield door
    door.close()


async def made(kube: Kube, namespace: str) -> dict[str, Any]:
    metadata = {"name": "left", "namespace": namespace}
    return await kube.apply(CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, "test")


async def test_it_is_marked_first_and_deleted_only_when_its_time_is_over(kube: Kube, namespace: str) -> None:
    entry, now_s = await made(kube, namespace), 1_000_000.0
    leavings = Leavings(kube, lambda: now_s)
    assert not await leavings.unwanted(CONFIG_MAP, entry)
    entry = await kube.get(CONFIG_MAP, namespace, "left") or {}
    now_s += KEPT_S - 1
    assert not await leavings.unwanted(CONFIG_MAP, entry)
    now_s += 1
    assert await leavings.unwanted(CONFIG_MAP, entry)
    assert await kube.get(CONFIG_MAP, namespace, "left") is None


async def test_what_is_wanted_again_has_its_whole_time_before_it(kube: Kube, namespace: str) -> None:
    entry, leavings = await made(kube, namespace), Leavings(kube, lambda: 5.0)
    await leavings.unwanted(CONFIG_MAP, entry)
    entry = await kube.get(CONFIG_MAP, namespace, "left") or {}
    assert entry["metadata"]["annotations"] == {MARK: "5"}
    await leavings.wanted(CONFIG_MAP, entry)
    entry = await kube.get(CONFIG_MAP, namespace, "left") or {}
    assert "annotations" not in entry["metadata"]
