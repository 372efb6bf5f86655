"""Every leaf and the root itself change while mail flows: no session ends, no message is lost or sent twice."""

import asyncio
import itertools
import signal
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paquebot.cli.place import IDENTITIES
from paquebot.runtime.authority import Pair, make_authority, make_leaf
from platform_support import Stage, content
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")
SESSIONS = 3
PACE_S = 0.1
MESSAGES = 12  # of all sessions together, at each step


def replace(path: Path, text: bytes) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(text)
    fresh.chmod(0o600)
    fresh.replace(path)


def write(stage: Stage, roots: bytes, issuer: Pair | None) -> None:
    """Give every identity these roots, and a leaf of the issuer, as the operator and a kubelet would."""
    for name in (*IDENTITIES, "smtp"):
        folder = stage.place.identity(name)
        if issuer is not None:
            names = (name, "localhost", "mail.paquebot.test", "127.0.0.1", "::1")
            leaf = make_leaf(issuer, names, 90, datetime.now(UTC))
            replace(folder / "tls.crt", leaf.certificate)
            replace(folder / "tls.key", leaf.key)
        replace(folder / "ca.crt", roots)
    assert stage.platform.nats is not None
    assert stage.platform.nats.process is not None
    stage.platform.nats.process.send_signal(signal.SIGHUP)


def servers(stage: Stage) -> Iterator[tuple[int, Path]]:
    """Return the ports of all that serve TLS from the first octet on, and the certificate that each should show."""
    assert stage.platform.nats is not None
    yield stage.platform.nats.place.port, stage.place.identity("nats") / "tls.crt"
    for name, port in stage.platform.ports.items():
        if name != "smtp":  # STARTTLS; it shares its context with smtps
            identity = {"smtps": "smtp"}.get(name, name.partition("-")[0])
            yield port, stage.place.identity(identity) / "tls.crt"


def shown(stage: Stage, port: int) -> str:
    context = ssl.create_default_context(cafile=stage.place.identity("admin") / "ca.crt")
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), 10) as raw,
        context.wrap_socket(raw) as secured,
    ):
        certificate = secured.getpeercert(binary_form=True)
    assert certificate is not None
    return ssl.DER_cert_to_PEM_cert(certificate)


def all_show_what_was_written(stage: Stage) -> bool:
    return all(shown(stage, port) == path.read_text() for port, path in servers(stage))


def keep_sending(stage: Stage, session: int, stop: threading.Event) -> list[str]:
    """Send over one connection, which is never opened again; return the replies."""
    replies = []
    with stage.client() as client:
        for number in itertools.count():
            if stop.wait(PACE_S):
                break
            message = content(f"session-{session}-{number}")
            replies.append(stage.send(message, f"s{session}@accept.test", client=client))
    return replies


async def test_leaves_and_then_a_root_are_replaced_and_nobody_notices(stage: Stage) -> None:
    authority = stage.place.root / "authority"
    old = Pair((authority / "ca.crt").read_bytes(), (authority / "ca.key").read_bytes())
    new = make_authority("another", 3650, datetime.now(UTC))
    both = old.certificate + new.certificate
    stop = threading.Event()
    sessions = [asyncio.create_task(asyncio.to_thread(keep_sending, stage, each, stop)) for each in range(SESSIONS)]
    replies = []
    try:
        for number, (roots, issuer) in enumerate(
            ((old.certificate, old), (both, None), (both, new), (new.certificate, None))
        ):
            await wait_for(more_were_sent(stage), 60)
            await asyncio.to_thread(write, stage, roots, issuer)
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(all_show_what_was_written, stage):
                    await asyncio.sleep(0.1)
            replies.append(await stage.submit(content(f"newcomer-{number}"), "n@accept.test"))
        await wait_for(more_were_sent(stage), 60)
    finally:
        stop.set()
    replies += itertools.chain(*await asyncio.gather(*sessions))
    assert [reply for reply in replies if not reply.startswith("250")] == []
    await stage.settled()  # what a killed deliverer has in hand comes a minute later, and may come twice
    await all_begin_anew(stage)
    account = await stage.settled()
    assert (account.lost, account.duplicated, account.delivered) == (0, 0, len(stage.sent))


def more_were_sent(stage: Stage) -> Callable[[], bool]:
    enough = len(stage.sent) + MESSAGES
    return lambda: len(stage.sent) >= enough


async def all_begin_anew(stage: Stage) -> None:
    """Whoever starts anew now, or connects again, does so with what was written last."""
    for name, service in stage.platform.services.items():
        if name in {"router", "auth"} or service.module == "paquebot.deliverer":
            assert service.process is not None
            service.process.kill()
    restarted = stage.platform.nats
    assert restarted is not None
    await asyncio.to_thread(restarted.stop)
    await asyncio.to_thread(restarted.start)
    async with asyncio.timeout(60):
        while not (await again(stage)).startswith("250"):
            await asyncio.sleep(0.2)


async def again(stage: Stage) -> str:
    try:
        return await stage.submit(content("at-the-end"), "c@accept.test")
    except (smtplib.SMTPException, OSError) as error:
        return str(error)
