"""Submission's limits, as Prometheus hears of them."""

import asyncio
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from paquebot.mail.principal import Principal
from paquebot.queue.events import EventWriter
from paquebot.runtime.memory import Memory
from paquebot.submission.connection import Hall, SmtpSettings
from paquebot.submission.crowd import Crowd, CrowdLimits
from paquebot.submission.fullness import tell_fullness
from paquebot.submission.room import Claim
from paquebot.submission.shortage import Shortage
from paquebot.submission.smtp_server import SmtpServer


def told(limit: str) -> tuple[float | None, float | None]:
    labels = {"limit": limit}
    values = [REGISTRY.get_sample_value(f"paquebot_limit_{name}", labels) for name in ("used", "max")]
    return values[0], values[1]


async def test_each_limit_is_told_beside_what_is_used_of_it(world: Any, tmp_path: Path) -> None:
    (tmp_path / "memory.stat").write_text("inactive_file 100\n")
    (tmp_path / "memory.current").write_text("600")
    crowd = Crowd(CrowdLimits(10, 5, 4))
    room = world.room(octets_max=100_000, messages_max=7, waiting_max=3)
    hall = Hall(
        SmtpSettings("mx.example"), lambda: None, world.intake(), world.authenticate, crowd, room, asyncio.TaskGroup()
    )  # type: ignore[arg-type, return-value]
    shortage = Shortage(Memory(1000, tmp_path), room, crowd)
    events = EventWriter(None)  # type: ignore[arg-type]  (nothing is stored)
    events.unstored = 3
    tell_fullness(SmtpServer(hall, unnamed=1), shortage, events)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        crowd.enter(address)
    crowd.seat(Principal("shop", "web"))
    shortage.look()
    assert room.ask(Claim("a"), 1234)
    assert told("connections") == (3, 10)
    assert told("connections of an address") == (2, 5)
    assert told("connections of a credential") == (1, 4)
    assert told("connections without a PROXY header") == (1, 10)
    assert told("content bytes") == (1234, 100_000)
    assert told("messages at once") == (1, 7)
    assert told("messages in line") == (0, 3)
    assert told("memory bytes") == (500, 1000)
    assert told("records not stored yet") == (3, 50_000)
