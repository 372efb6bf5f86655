"""What auth counts for Prometheus. No user names: their number has no bound."""

from typing import Final

from prometheus_client import Counter

AUTHENTICATIONS: Final = Counter(
    "paquebot_auth_authentications", "Attempts to authenticate, by how they ended.", ("outcome",)
)
LEASES: Final = Counter("paquebot_auth_leases", "Quota leases, by whether anything was granted.", ("outcome",))
