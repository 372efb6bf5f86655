"""The queue's certificates and roots change while connections to it stand."""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paquebot.queue import jetstream
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.server import NatsServer, find_nats_server
from paquebot.queue.trust import Trust
from paquebot.queue.users import ServerPlace
from paquebot.runtime.authority import create_authority, issue
from queue_fixtures import free_port
from tests_support import wait_for


@pytest.fixture
def folders(identities: Path, tmp_path: Path) -> Path:
    for name in ("authority", "nats", "admin", "publisher"):
        shutil.copytree(identities / name, tmp_path / name)
    create_authority(tmp_path / "next")
    return tmp_path


@pytest.fixture
def server(folders: Path) -> Iterator[NatsServer]:
    place = ServerPlace(folders / "store", folders / "nats", free_port(), storage_max_bytes=1 << 30)
    server = NatsServer(find_nats_server(), place, folders / "server")
    server.start()
    yield server
    server.stop()


def trust(folders: Path, name: str, *authorities: str) -> None:
    roots = b"".join((folders / authority / "ca.crt").read_bytes() for authority in authorities)
    (folders / name / "ca.crt").write_bytes(roots)


def reissue(folders: Path, authority: str, name: str) -> None:
    roots = (folders / name / "ca.crt").read_bytes()
    (folders / name / "tls.crt").unlink()
    issue(folders / authority, name, folders / name, ())
    (folders / name / "ca.crt").write_bytes(roots)


async def reload(server: NatsServer) -> None:
    def reloads() -> int:
        return (server.folder / "nats-server.log").read_text().count("Reloaded server configuration")

    before = reloads()
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    await wait_for(lambda: reloads() > before)


async def test_a_root_changes_in_three_steps_while_a_connection_stands_and_is_made_again(
    server: NatsServer, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    js = await JetStream.connect(server.url, folders / "admin", "long-lived")

    async def change(step: Callable[[str], None]) -> None:
        for name in ("admin", "nats"):
            step(name)
        await reload(server)
        assert (await js.ask("$SYS.REQ.USER.INFO"))["data"]["user"] == "admin"
        newcomer = await JetStream.connect(server.url, folders / "admin", "newcomer")
        await newcomer.close()

    await change(lambda name: trust(folders, name, "authority", "next"))
    await change(lambda name: reissue(folders, "next", name))
    await change(lambda name: trust(folders, name, "next"))
    assert js.client.stats["reconnects"] == 0
    trust(folders, "publisher", "next")  # it believes the server, but its leaf is of the root that was dropped
    monkeypatch.setattr(jetstream, "CONNECT_S", 1.0)
    with pytest.raises(QueueUnavailableError):
        await JetStream.connect(server.url, folders / "publisher", "left behind")
    server.kill()
    await wait_for(lambda: not js.connected)
    server.start()
    await wait_for(lambda: js.connected)
    assert (await js.ask("$SYS.REQ.USER.INFO"))["data"]["user"] == "admin"
    await js.close()


def test_a_root_that_is_dropped_is_believed_no_more(folders: Path) -> None:
    connection = Trust(folders / "admin")
    before = connection.current().get_ca_certs()
    trust(folders, "admin", "authority", "next")
    assert len(connection.current().get_ca_certs()) == 2
    trust(folders, "admin", "next")
    assert before[0] not in connection.current().get_ca_certs()


def test_a_bad_file_leaves_the_last_good_context(folders: Path) -> None:
    connection = Trust(folders / "admin")
    first = connection.current()
    assert connection.current() is first
    shutil.copy(folders / "nats" / "tls.key", folders / "admin" / "tls.key")
    assert connection.current() is first
    (folders / "admin" / "ca.crt").write_text("broken")
    assert connection.current() is first
    shutil.copytree(folders / "publisher", folders / "admin", dirs_exist_ok=True)
    assert connection.current() is not first
