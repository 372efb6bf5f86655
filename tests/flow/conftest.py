"""One platform for the tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from platform_support import Stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"))
    await stage.start()
    yield stage
    await stage.stop()
