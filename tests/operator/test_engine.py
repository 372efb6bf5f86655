"""The engine hears of every change, follows when another fails, and ends when in doubt."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kube_plane import Plane, Refused
from operator_support import PLATFORM, Objects, give_identities, running, settings, until
from paquebot.queue.server import NatsServer
from paquebot_operator import engine as module
from paquebot_operator.engine import DoubtError, Engine
from paquebot_operator.kube import lease
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.lease import Leadership
from paquebot_operator.kube.store import Store
from paquebot_operator.kube.watch import Watch
from paquebot_operator.names import MAIL_DOMAIN, Key
from paquebot_operator.work import Work


def make(plane: Plane, kube: Kube) -> Engine:
    """Return an engine that nobody watches for."""
    work = Work({})
    kinds = (MAIL_DOMAIN,)
    watch = Watch(kube, kinds, plane.kubeconfig("admin"))
    return Engine(kube, kinds, Store(), work, watch, Leadership(kube, PLATFORM, "test", "me"), lambda _a, _b: [])


@pytest.fixture
def engine(bare_plane: Plane) -> Engine:
    return make(bare_plane, Kube.login(bare_plane.kubeconfig("admin")))


async def test_it_reads_everything_before_it_says_that_it_knows(engine: Engine, objects: Objects) -> None:
    objects.domain("shop", "default")
    await engine._read_all()
    assert engine.store.get(Key("MailDomain", objects.namespace, "shop"))


async def test_a_change_that_the_watch_missed_is_a_reason_to_end(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, objects: Objects
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.1)
    objects.domain("shop", "default")
    await engine._read_all()
    await engine._compare(MAIL_DOMAIN)
    objects.domain("shop", "default", expiry="1d")
    with pytest.raises(DoubtError, match="missed"):
        await engine._compare(MAIL_DOMAIN)


async def test_a_deletion_that_the_watch_missed_is_one_too(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, objects: Objects
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.1)
    objects.domain("shop", "default")
    await engine._read_all()
    objects.plane.call("DELETE", MAIL_DOMAIN.path(objects.namespace, "shop"))
    with pytest.raises(DoubtError, match="missed"):
        await engine._compare(MAIL_DOMAIN)


async def test_what_the_watch_is_merely_late_with_is_none(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, objects: Objects
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.5)
    objects.domain("shop", "default")
    await engine._read_all()
    objects.domain("shop", "default", expiry="1d")
    comparing = asyncio.create_task(engine._compare(MAIL_DOMAIN))
    await asyncio.sleep(0.2)
    engine.heard(objects.get("maildomains", "shop"), False)
    await comparing


async def test_work_that_stands_still_is_a_reason_to_end(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setattr(module, "STANDSTILL_S", 0.0)
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    engine.work.resume()
    with pytest.raises(DoubtError, match="no work"):
        await asyncio.wait_for(engine._see_progress(), 20)


async def test_after_the_api_server_was_gone_changes_are_heard_again(
    monkeypatch: pytest.MonkeyPatch, objects: Objects, nats: NatsServer, identities: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(lease, "RENEW_MAX_S", 120)  # it shall stay, so that the watch itself is tried
    plane = objects.plane
    give_identities(plane, identities)
    objects.pool("default")
    async with running(monkeypatch, plane, settings(nats.url, tmp_path / "own")):
        objects.domain("before", "default")
        await until(lambda: objects.accepted("maildomains", "before"))
        plane.kill("kube-apiserver")
        await asyncio.sleep(1)
        plane.start_server()  # in this thread: a child dies with the thread that made it
        objects.domain("after", "default")
        await until(lambda: objects.accepted("maildomains", "after"), 120)


async def test_a_standby_takes_over_when_the_leader_dies(
    monkeypatch: pytest.MonkeyPatch, objects: Objects, nats: NatsServer, identities: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(lease, "LEASE_S", 2)
    give_identities(objects.plane, identities)
    objects.pool("default")
    first, second = settings(nats.url, tmp_path / "1"), settings(nats.url, tmp_path / "2")
    async with running(monkeypatch, objects.plane, first, "operator-1") as leader:
        await until(lambda: holder(objects.plane) == "operator-1")
        async with running(monkeypatch, objects.plane, second, "operator-2") as standby:
            await until(lambda: standby.engine.store.keys("SendingPool"))
            assert standby.engine.work.paused
            leader.engine.leadership.kube = cut_off(objects.plane, tmp_path)
            await until(lambda: holder(objects.plane) == "operator-2")
            objects.domain("shop", "default")
            await until(lambda: objects.accepted("maildomains", "shop"))


def cut_off(plane: Plane, folder: Path) -> Kube:
    """Return a login at an API server that does not answer."""
    config = folder / "nowhere"
    config.write_text(plane.kubeconfig("admin").read_text().replace(str(plane.port), "1"))
    return Kube.login(config)


def holder(plane: Plane) -> str:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{PLATFORM}/leases/paquebot-operator"
    try:
        return str(plane.call("GET", path)["spec"].get("holderIdentity"))
    except Refused:
        return ""  # nobody ever led


def test_it_says_what_is_missing_when_there_is_no_cluster(tmp_path: Path) -> None:
    environment: dict[str, Any] = {
        "KUBECONFIG": str(tmp_path / "missing"),
        "PAQUEBOT_NAMESPACE": PLATFORM,
        "PAQUEBOT_NATS_URL": "tls://127.0.0.1:1",
        "PAQUEBOT_HOSTNAME": "mail.example.com",
        "PAQUEBOT_IMAGE": "paquebot",
        "PAQUEBOT_ADMIN_LISTEN": "127.0.0.1:0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "paquebot_operator"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "no cluster to log in at" in done.stdout + done.stderr
