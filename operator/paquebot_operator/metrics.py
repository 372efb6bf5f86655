"""What the operator counts of itself."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILED = Counter("paquebot_operator_reconcile", "Looks at an object or a piece of work.", ("kind", "result"))
RECONCILE_SECONDS = Histogram("paquebot_operator_reconcile_seconds", "How long a look takes.", ("kind",))
QUEUE_DEPTH = Gauge("paquebot_operator_queue_depth", "Keys that wait for a look or are being looked at.")
WATCH_AGE = Gauge("paquebot_operator_watch_age_seconds", "Since the API server last said anything.", ("kind",))
LEADER = Gauge("paquebot_operator_leader", "1 where this process does the work, 0 where it stands by.")
REQUESTS = Counter("paquebot_operator_kube_requests", "Requests to the API server.", ("method", "code"))
CERTIFICATE_ENDS = Gauge(
    "paquebot_certificate_expiry_timestamp_seconds", "When the certificate in a Secret ends, as Unix time.", ("secret",)
)
OUTDATED = Gauge("paquebot_operator_crd_outdated", "1 where the cluster's CRD is older than the operator.", ("kind",))
