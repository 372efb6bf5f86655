"""A platform, or a nats-server, of its own for each test: it will be hurt."""

from collections.abc import AsyncIterator

import pytest

from platform_support import Stage
from queue_fixtures import connect, identities, js, nats
from queue_owner import owner

__all__ = ["connect", "identities", "js", "nats", "owner", "stage"]


@pytest.fixture
async def stage(tmp_path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.start()
    yield stage
    await stage.stop()
