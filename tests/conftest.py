"""What holds for every test: machines may be slow, and what a module leaves open is its own fault.

Of several workers (`make test`) each has a network of its own, and the modules that take longest come first.
"""

import ctypes
import fcntl
import gc
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests_support import log_plainly

settings.register_profile("untimed", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

log_plainly()

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
TESTS = Path(__file__).parent
LONGEST_FIRST = ("chaos", "strangers")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") and sys.platform == "linux":
        _leave_the_network()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest, or one worker would end long after the others."""
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """Keep what importing made out of the collections that follow: they are cheap then."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    """Find what a module forgot to close at its end, not some time later in another one."""
    yield
    gc.collect()


def _place(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0] if TESTS in item.path.parents else ""
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def _leave_the_network() -> None:
    """Go into an empty network with a loopback, where no other worker takes our ports; only root may, others stay."""
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        return
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
