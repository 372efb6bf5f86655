"""A platform of its own for each test: it will be hurt."""

from collections.abc import AsyncIterator

import pytest

from platform_support import Stage


@pytest.fixture
async def stage(tmp_path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.start()
    yield stage
    await stage.stop()
