"""A chosen model is used within a look, an unusable one never, and back is one more choice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from paquebot.queue.jetstream import JetStream
from paquebot.queue.models import NONE, SHIPPED, Card, Choice, Models
from paquebot.spamfilter.choosing import Choosing
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.panel import Panel
from queue_fixtures import connect, identities, js, nats

__all__ = ["connect", "identities", "js", "nats"]


@pytest.fixture(scope="module")
def octets(path: Path) -> bytes:
    return path.read_bytes()


async def test_what_is_chosen_is_used_and_what_came_before_can_be_had_again(
    js: JetStream, connect: Callable, octets: bytes
) -> None:
    used: list[Panel] = []
    models, digest = Models(js), Model.of_octets(octets, "m").digest
    choosing = Choosing(Models(await connect("spamfilter")), Panel(), used.append)
    await choosing.look()
    assert used == []
    await models.put(octets, Card(digest, len(octets), 1, "ann"))
    await models.choose(Choice(SHIPPED, digest, 1, "ann", "try it"))
    await choosing.look()
    await models.choose(Choice(digest, NONE, 2, "ann", "it is better"))
    await choosing.look()
    await models.choose(Choice(SHIPPED, NONE, 3, "ann", "it was not"))
    await choosing.look()
    await choosing.look()
    names = [tuple(each and each.digest for each in (panel.model, panel.shadow)) for panel in used]
    assert names == [(None, digest), (digest, None), (None, None)]


async def test_what_cannot_be_used_leaves_the_last_good_one_at_work(js: JetStream, octets: bytes) -> None:
    used: list[Panel] = []
    models, digest = Models(js), Model.of_octets(octets, "m").digest
    choosing = Choosing(models, Panel(), used.append)
    await models.choose(Choice(digest, NONE, 1, "ann", "too early"))
    await choosing.look()
    assert used == []
    await models.put(octets, Card(digest, len(octets), 1, "ann"))
    await choosing.look()
    assert [panel.model.digest for panel in used if panel.model] == [digest]
