"""What holds for every test: machines may be slow, and what a module leaves open is its own fault."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Keep what importing made out of the collections that follow: they are cheap then."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    """Find what a module forgot to close at its end, not some time later in another one."""
    yield
    gc.collect()
