"""One holds the lease; another takes it when the first lets go or stays silent."""

import asyncio
from pathlib import Path

import pytest

from kube_plane import Plane
from paquebot_operator.kube import lease as module
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.lease import Leadership
from paquebot_operator.names import LEASE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    monkeypatch.setattr(module, "LEASE_S", 1)


async def test_one_leads_and_the_next_follows_when_it_lets_go(kube: Kube, namespace: str) -> None:
    first, second = (Leadership(kube, namespace, "work", holder) for holder in ("pod-1", "pod-2"))
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await first.release()
    await asyncio.wait_for(waiting, 20)
    entry = await kube.get(LEASE, namespace, "work")
    assert entry is not None
    assert entry["spec"]["holderIdentity"] == "pod-2"


async def test_a_silent_holder_is_replaced_and_learns_that_it_lost(kube: Kube, namespace: str) -> None:
    first, second = (Leadership(kube, namespace, "work", holder) for holder in ("pod-1", "pod-2"))
    await first.acquire()
    await asyncio.wait_for(second.acquire(), 20)  # the first never renews
    await asyncio.wait_for(first.keep(), 20)


async def test_a_holder_that_renews_keeps_it(kube: Kube, namespace: str) -> None:
    first, second = (Leadership(kube, namespace, "work", holder) for holder in ("pod-1", "pod-2"))
    await first.acquire()
    keeping = asyncio.create_task(first.keep())
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(2.0)
    assert not waiting.done()
    assert not keeping.done()
    for task in (keeping, waiting):
        task.cancel()
    await asyncio.gather(keeping, waiting, return_exceptions=True)


async def test_who_cannot_renew_ends(
    monkeypatch: pytest.MonkeyPatch, bare_plane: Plane, kube: Kube, namespace: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "RENEW_MAX_S", 0.3)
    leadership = Leadership(kube, namespace, "work", "pod-1")
    await leadership.acquire()
    (tmp_path / "config").write_text(bare_plane.kubeconfig("admin").read_text().replace(str(bare_plane.port), "1"))
    leadership.kube = Kube.login(tmp_path / "config")
    await asyncio.wait_for(leadership.keep(), 20)
    leadership.kube.close()
