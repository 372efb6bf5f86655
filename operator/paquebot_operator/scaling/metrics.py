"""What the scaler tells Prometheus; an autoscaler of another make may follow it (docs/scaling.md)."""

from prometheus_client import Gauge

RECOMMENDED = Gauge(
    "paquebot_pool_recommended_replicas",
    "Deliverers that a pool's queue asks for, within its bounds; for `scaling.mode: External`.",
    ["pool"],
)
REPLICAS = Gauge("paquebot_pool_replicas", "Deliverers that a pool's Deployment wants.", ["pool"])
ELIGIBLE = Gauge(
    "paquebot_pool_eligible_messages", "Deliveries of a pool that may be sent now or within a minute.", ["pool"]
)
HELD_UP = Gauge(
    "paquebot_pool_held_up_ratio", "Share of a pool's demand that its destinations do not take, 0 to 1.", ["pool"]
)
MEASURED = Gauge("paquebot_pool_measured_timestamp_seconds", "When the scaler last saw a pool's queue.", ["pool"])
EVERY = (RECOMMENDED, REPLICAS, ELIGIBLE, HELD_UP, MEASURED)
