"""What a process tells of itself."""

from prometheus_client import REGISTRY, generate_latest

from paquebot.runtime.metrics import describe, tell_limits
from paquebot.runtime.readiness import Readiness


def test_build_and_readiness_are_told() -> None:
    readiness = Readiness({"queue": "not connected"})
    describe("router", readiness)
    assert REGISTRY.get_sample_value("paquebot_ready") == 0
    readiness.present("queue")
    assert REGISTRY.get_sample_value("paquebot_ready") == 1
    assert b'paquebot_build_info{service="router",version="0' in generate_latest()


def test_a_limit_is_told_as_it_stands_when_asked() -> None:
    counts = {"things": (1, 10)}
    tell_limits(lambda: counts)
    counts["things"] = (9, 20)
    assert REGISTRY.get_sample_value("paquebot_limit_used", {"limit": "things"}) == 9
    assert REGISTRY.get_sample_value("paquebot_limit_max", {"limit": "things"}) == 20
