"""What every process tells Prometheus of itself, beside what the client library tells (CPU, memory, files)."""

from importlib.metadata import version

from prometheus_client import Gauge, disable_created_metrics

from paquebot.runtime.readiness import Readiness

BUILD = Gauge("paquebot_build_info", "The release that runs: always 1.", ["version", "service"])
READY = Gauge("paquebot_ready", "Whether the process is ready: 1 or 0.")

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for


def describe(service: str, readiness: Readiness) -> None:
    """Tell what runs, and from now on whether it is ready."""
    BUILD.labels(version("paquebot"), service).set(1)
    READY.set_function(lambda: float(readiness.is_ready))
