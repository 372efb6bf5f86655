"""Times as Kubernetes writes them: RFC 3339, whole seconds, UTC."""

from datetime import UTC, datetime
from typing import Final

FORM: Final = "%Y-%m-%dT%H:%M:%SZ"


def written(unix_s: float) -> str:
    """Return a time, given in Unix seconds."""
    return datetime.fromtimestamp(unix_s, UTC).strftime(FORM)


def read(text: str) -> datetime:
    """Return the time. Raises ValueError for another form."""
    return datetime.strptime(text, FORM).replace(tzinfo=UTC)
