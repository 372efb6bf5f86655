"""What a deliverer counts. Labels are bounded: the pool, the destination group, the outcome."""

from prometheus_client import Counter, Gauge, Histogram

OUTCOMES = Counter("paquebot_deliverer_recipients", "Recipients by outcome of an attempt", ["pool", "group", "outcome"])
SECONDS = Histogram(
    "paquebot_deliverer_attempt_seconds",
    "Time of an attempt, hosts tried and replies awaited",
    ["pool"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600),
)
IN_FLIGHT = Gauge("paquebot_deliverer_in_flight", "Attempts under way", ["pool"])
IN_HAND = Gauge("paquebot_deliverer_in_hand", "Deliveries in memory", ["pool"])
PARTITIONS = Gauge("paquebot_deliverer_partitions", "Partitions owned", ["pool"])
CONNECTIONS = Gauge("paquebot_deliverer_connections", "Workers, each with at most one connection", ["pool"])
THROTTLED = Counter("paquebot_deliverer_throttled", "Times a site asked us to slow down", ["pool", "group"])
