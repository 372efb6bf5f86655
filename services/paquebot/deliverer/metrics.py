"""What a deliverer counts. Labels are bounded: pool, destination group, outcome; never a site or a tenant."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

OUTCOMES = Counter(
    "paquebot_deliverer_recipients", "Recipients by outcome of an attempt.", ["pool", "group", "outcome"]
)
SECONDS = Histogram(
    "paquebot_deliverer_attempt_seconds",
    "Time of an attempt, hosts tried and replies awaited.",
    ["pool"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600),
)
LAG = Histogram(
    "paquebot_deliverer_schedule_lag_seconds",
    "From the time a deferred delivery was due to when a deliverer had it.",
    ["pool"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800),
)
IN_DOUBT = Counter(
    "paquebot_deliverer_in_doubt",
    "Recipients whose final dot has no reply: it was lost, or the deliverer died (crash). Some may come twice.",
    ["pool", "cause"],
)
TLS = Counter(
    "paquebot_deliverer_attempts_tls", "Attempts that reached a host, by TLS version or none.", ["pool", "version"]
)
THROTTLED = Counter("paquebot_deliverer_throttled", "Times a site asked us to slow down.", ["pool", "group"])
IN_FLIGHT = Gauge("paquebot_deliverer_in_flight", "Attempts under way.", ["pool"])
IN_HAND = Gauge("paquebot_deliverer_in_hand", "Deliveries in memory.", ["pool"])
PARTITIONS = Gauge("paquebot_deliverer_partitions", "Partitions owned; 16 a pool over all its deliverers.", ["pool"])
CONNECTIONS = Gauge("paquebot_deliverer_connections", "Workers, each with at most one connection.", ["pool"])
SITES = Gauge("paquebot_deliverer_sites", "Sites in memory, by their state.", ["pool", "state"])

# Looked up once: `labels` costs three times what counting does.
outcomes = cache(OUTCOMES.labels)
seconds = cache(SECONDS.labels)
attempts_tls = cache(TLS.labels)
in_flight = cache(IN_FLIGHT.labels)
