"""What every process tells Prometheus of itself, beside what the client library tells (CPU, memory, files)."""

from collections.abc import Callable, Mapping
from importlib.metadata import version

from prometheus_client import Gauge, disable_created_metrics

from paquebot.runtime.readiness import Readiness

BUILD = Gauge("paquebot_build_info", "The release that runs: always 1.", ["version", "service"])
READY = Gauge("paquebot_ready", "Whether the process is ready: 1 or 0.")

LIMIT_USED = Gauge("paquebot_limit_used", "How much of a limit is in use, by the limit's name.", ["limit"])
LIMIT_MAX = Gauge("paquebot_limit_max", "The limit itself, beside paquebot_limit_used.", ["limit"])

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for


def describe(service: str, readiness: Readiness) -> None:
    """Tell what runs, and from now on whether it is ready."""
    BUILD.labels(version("paquebot"), service).set(1)
    READY.set_function(lambda: float(readiness.is_ready))


def tell_limits(look: Callable[[], Mapping[str, tuple[float, float]]]) -> None:
    """Tell from now on how much of limits is used; `look` returns both by a limit's name, whenever Prometheus asks."""

    def part(name: str, which: int) -> Callable[[], float]:
        return lambda: look()[name][which]

    for name in look():
        LIMIT_USED.labels(name).set_function(part(name, 0))
        LIMIT_MAX.labels(name).set_function(part(name, 1))
