"""What submission counts, for /metrics."""

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("paquebot_submission_accepted", "Messages taken: answered 250.")
REFUSED = Counter("paquebot_submission_refused", "Commands and messages refused, by what refused them.", ["why"])
UNSCANNED = Counter("paquebot_submission_unscanned", "Messages taken while the spam filter did not answer.")
REPEATED = Counter("paquebot_submission_repeated", "Messages sent again, answered with the first id.", ["key"])
UNCLAIMED = Counter("paquebot_submission_unclaimed", "Messages taken without the promise to know them again.")
ACCEPT_SECONDS = Histogram(
    "paquebot_submission_accept_seconds",
    "From the end of the content to the reply.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15),
)
SESSIONS = Gauge("paquebot_submission_sessions", "Open SMTP sessions.")
ENDED = Counter("paquebot_submission_sessions_ended", "SMTP sessions that we ended, by why.", ["why"])
REACHABLE = Gauge("paquebot_submission_reachable", "Whether a service answers: 1 or 0.", ["service"])
