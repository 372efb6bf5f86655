"""Manifests change while the platform runs: objects come and go, faults change nothing, no mail is lost."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.load import under_load
from paquebot.auth.password import hash_password
from paquebot.cli.watching import Watching, stamps
from paquebot.queue.jetstream import ApiError
from paquebot.sandbox.manner import Manner
from platform_support import MANIFESTS, PASSWORD, Stage, content
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

BULK = """
{apiVersion: paquebot.dev/v1alpha1, kind: SendingPool, metadata: {name: bulk, namespace: mail-system},
 spec: {heloHostname: bulk.paquebot.test, allowedNamespaces: {names: ["*"]},
        retry: {quick: [1s], initial: 1s, max: 1s}}}
"""


def domain(name: str, pool: str = "default") -> str:
    return (
        f"{{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {{name: {name}, namespace: {name}}},\n"
        f" spec: {{domain: {name}.test, poolRef: {{name: {pool}}}}}}}\n---\n"
        f"{{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {{name: app, namespace: {name}}},\n"
        f" spec: {{domainRefs: [{{name: {name}}}]}}}}\n"
    )


@dataclass
class Folder:
    """The manifests of a running platform, and what it says about them."""

    stage: Stage
    path: Path
    said: list[str] = field(default_factory=list)

    def write(self, **files: str) -> None:
        """Make the folder hold exactly these files beside the first one."""
        wanted = {f"{name}.yaml": text for name, text in files.items()}
        for file in self.path.iterdir():
            if file.name not in {"main.yaml", *wanted}:
                file.unlink()
        for name, text in wanted.items():
            (self.path / name).write_text(text)

    async def hears(self, told: str, timeout_s: float = 30.0) -> None:
        await wait_for(lambda: any(told in line for line in self.said), timeout_s)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Folder]:
    stage = Stage(tmp_path_factory.mktemp("platform"))
    await stage.start()
    path = tmp_path_factory.mktemp("manifests")
    (path / "main.yaml").write_text(MANIFESTS)
    folder = Folder(stage, path)
    stage.platform.say = folder.said.append
    watching = asyncio.create_task(Watching([path], stage.platform, folder.said.append, stamps([path])).run())
    yield folder
    assert not watching.done()
    watching.cancel()
    await stage.stop()


@pytest.fixture(autouse=True)
def unsaid(folder: Folder) -> None:
    folder.said.clear()


async def accepted(stage: Stage, message: bytes, recipient: str, **sender: str) -> str:
    """Submit until it is accepted: services take a new revision within a second or two."""
    for _ in range(100):
        try:
            reply = await stage.submit(message, recipient, **sender)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPServerDisconnected) as error:
            reply = str(error)
        if reply.startswith("250"):
            return reply
        await asyncio.sleep(0.1)
    raise AssertionError(reply)


async def test_a_domain_and_its_credential_come_and_go(folder: Folder) -> None:
    stage = folder.stage
    stage.place.write_hash("fresh.app", hash_password(PASSWORD.encode()))
    folder.write(fresh=domain("fresh"))
    await folder.hears("added SMTPCredential fresh/app")
    assert "added MailDomain fresh/fresh" in folder.said
    message = content("from-fresh", "me@fresh.test")
    await accepted(stage, message, "you@accept.test", username="fresh.app", sender="me@fresh.test")
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)])
    arrived = next(each for each in stage.internet if each.content.endswith(message))
    assert b"d=fresh.test;" in arrived.content
    folder.write()
    await folder.hears("removed SMTPCredential fresh/app")
    await wait_for_refusal(stage, "fresh.app")


async def wait_for_refusal(stage: Stage, username: str) -> None:
    for _ in range(100):
        try:
            (await asyncio.to_thread(stage.client, username)).close()
        except smtplib.SMTPAuthenticationError:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{username} is let in for ever")


async def test_faults_are_told_with_their_place_and_the_last_good_revision_stays(folder: Folder) -> None:
    folder.write(fresh=domain("fresh").replace("domainRefs", "domianRefs"), broken="kind: [\n")
    await folder.hears("the last good revision stays")
    assert any(line.startswith(f"{folder.path}/broken.yaml:2: ") for line in folder.said)
    told = f"{folder.path}/fresh.yaml:5: SMTPCredential fresh/app: spec.domianRefs: is not a known field; did you mean"
    assert any(line.startswith(told) for line in folder.said)
    assert (await folder.stage.submit(content("still"), "a@accept.test")).startswith("250")
    folder.write(fresh=domain("fresh"))
    await folder.hears("added MailDomain fresh/fresh")
    folder.write()
    await folder.hears("removed MailDomain fresh/fresh")


async def test_a_pool_that_a_domain_still_names_cannot_go(folder: Folder) -> None:
    (folder.path / "main.yaml").write_text(MANIFESTS.partition("---")[2])
    await folder.hears("the last good revision stays")
    assert any(
        "MailDomain shop/shop: spec.poolRef: there is no SendingPool mail-system/default" in line
        for line in folder.said
    )
    (folder.path / "main.yaml").write_text(MANIFESTS)
    await folder.hears("the manifests say nothing new")


async def test_deliverers_come_and_go_while_mail_flows_and_none_is_lost_or_doubled(folder: Folder) -> None:
    stage = folder.stage

    def rescale(count: int) -> Callable[[], None]:
        scaled = MANIFESTS.replace("heloHostname: out", f"replicas: {count}, heloHostname: out")
        return lambda: (folder.path / "main.yaml").write_text(scaled) and None

    await under_load(stage, 150, rescale(3))
    await folder.hears("deliverer-mail-system_default-2 is ready")
    await under_load(stage, 150, rescale(1))
    await folder.hears("deliverer-mail-system_default-1 has drained and ended")
    account = await stage.settled()
    assert (account.lost, account.duplicated) == (0, 0)
    (folder.path / "main.yaml").write_text(MANIFESTS)
    await folder.hears("changed SendingPool mail-system/default: spec.replicas")


async def test_without_deliverers_mail_waits_and_then_flows_at_once(folder: Folder) -> None:
    stage = folder.stage
    none = MANIFESTS.replace("heloHostname: out", "replicas: 0, heloHostname: out")
    (folder.path / "main.yaml").write_text(none)
    await folder.hears("pool mail-system/default has no deliverers: its mail waits until `replicas` is raised")
    message = content("waits-for-somebody")
    assert (await stage.submit(message, "a@accept.test")).startswith("250")
    assert len(await stage.waiting()) == 1
    (folder.path / "main.yaml").write_text(MANIFESTS)
    await folder.hears("deliverer-mail-system_default-0 is ready")
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)])
    await stage.settled()


async def test_a_removed_pool_drains_and_then_goes(folder: Folder) -> None:
    stage = folder.stage
    stage.place.write_hash("letters.app", hash_password(PASSWORD.encode()))
    folder.write(bulk=BULK, letters=domain("letters", "bulk"))
    await folder.hears("added MailDomain letters/letters")
    message = content("lingers", "me@letters.test")
    await accepted(stage, message, "you@full.test", username="letters.app", sender="me@letters.test")
    folder.write(letters=domain("letters"))
    await folder.hears("removed SendingPool mail-system/bulk")
    await folder.hears("pool mail-system/bulk is gone from the manifests: 1 delivery still waits; it drains")
    assert stage.platform.policy.pools["mail-system_bulk"].draining
    assert "deliverer-mail-system_bulk-0" in stage.platform.services
    full = stage.internet.hosts["mx.full.test"]
    full.manner = full.doorkeeper.manner = Manner()
    await folder.hears("pool mail-system/bulk is empty and removed")
    assert [each.content.endswith(message) for each in stage.internet].count(True) == 1
    assert "mail-system_bulk" not in stage.platform.policy.pools
    assert not any("bulk" in name for name in stage.platform.services)
    js = await stage.admin()
    try:
        with pytest.raises(ApiError, match="not found"):
            await js.request("STREAM.INFO.MQ_mail-system_bulk_0")
    finally:
        await js.close()
