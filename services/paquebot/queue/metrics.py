"""What the queue's door knows and Prometheus is told: how full, how deep, who owns, which policy.

No label names a tenant, a domain, a site or a message: their number has no bound. Events tell of those.
"""

from prometheus_client import Counter, Gauge

MESSAGES = Gauge(
    "paquebot_queue_messages",
    "Items stored in the partitions that this deliverer owns. Held ones count as deferred.",
    ["pool", "group", "state"],
)
OLDEST = Gauge(
    "paquebot_queue_oldest_age_seconds",
    "Time since acceptance of the item that lies longest in its state.",
    ["pool", "group", "state"],
)
DUE = Gauge(
    "paquebot_queue_due_age_seconds",
    "How long the item that is ready for longest has been ready without an outcome.",
    ["pool", "group"],
)
MEASURED = Gauge("paquebot_queue_measured_timestamp_seconds", "When depth and age were measured last.", ["pool"])
STREAM_BYTES = Gauge("paquebot_queue_stream_bytes", "Octets of a stream on disk.", ["stream"])
STREAM_LEADER = Gauge("paquebot_queue_stream_has_leader", "Whether a stream can be written: 1 or 0.", ["stream"])
STREAM_REPLICAS = Gauge(
    "paquebot_queue_stream_replicas", "Servers that keep a stream, by how they do.", ["stream", "state"]
)
STREAM_LAG = Gauge(
    "paquebot_queue_stream_replica_lag_operations",
    "Operations that the last replica of a stream is behind.",
    ["stream"],
)

HANDOVERS = Counter("paquebot_queue_handovers", "Partitions that were taken, let go or lost.", ["pool", "kind"])
POISON = Counter("paquebot_queue_poison", "Deliveries held because three attempts ended in a crash.", ["pool"])
AGAIN = Counter(
    "paquebot_queue_settled_again",
    "Items that came again though they had an outcome, as after a kill of nats-server; they are not tried again.",
    ["pool"],
)

LEFT_OUT = Counter(
    "paquebot_events_left_out", "Records that were not stored, because the event stream could not be written for long."
)

POLICY_SINCE = Gauge("paquebot_policy_loaded_timestamp_seconds", "When the revision in use was taken over.")
POLICY_INFO = Gauge("paquebot_policy_info", "The policy revision in use: always 1.", ["revision"])
POLICY_REFUSED = Counter(
    "paquebot_policy_refused", "Published revisions that could not be used; the last good one stays."
)


def policy_taken(revision: str, now_s: float) -> None:
    """Note a new revision; only one has a series."""
    POLICY_INFO.clear()
    POLICY_INFO.labels(revision).set(1)
    POLICY_SINCE.set(now_s)
