"""What was learned about a site, as it outlives its deliverer: a small record in the bucket `sites`. Pure.

It names no mailbox: replies are kept without the addresses in them.
"""

import json
import re
from dataclasses import asdict, dataclass, fields

from paquebot.queue.subjects import site_token

BUCKET = "sites"
REASON_MAX = 300

_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A throttle's memory. Times are Unix milliseconds, paces messages a second."""

    state: str
    until_ms: int = 0
    reason: str = ""
    level: int = 0
    connections: int = 0
    pace: float = 0.0
    too_much: float = 0.0
    probe_s: float = 0.0


def key_of(pool: str, site: str, slot: int) -> str:
    """Return where the lesson of a site's slot lies in the bucket."""
    return key_at(pool, site_token(site), slot)


def key_at(pool: str, token: str, slot: int) -> str:
    """Return the same for a site whose token is known, from a subject."""
    return f"{pool}.{token}.{slot}"


def encode(lesson: Lesson) -> bytes:
    """Return a lesson as JSON, without mailboxes."""
    reason = _ADDRESS.sub("…", lesson.reason)[:REASON_MAX]
    return json.dumps(asdict(lesson) | {"reason": reason}).encode()


def decode(encoded: bytes) -> Lesson | None:
    """Return a lesson; None for what is none, or another release's."""
    try:
        entry = json.loads(encoded)
        return Lesson(**{each.name: each.type(entry[each.name]) for each in fields(Lesson)})  # type: ignore[operator]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
