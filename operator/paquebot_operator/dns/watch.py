"""What is believed of all records of a domain, when it was looked at last, and when next. Values, and their JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from paquebot_operator.dns.history import Belief, next_look_in_s
from paquebot_operator.dns.record import Purpose, Record, Sighting, Verdict

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """Beliefs by record. `unsettled_since_s`: since when some are not there, as far as the last look tells."""

    beliefs: Mapping[Record, Belief] = field(default_factory=dict)
    looked_s: int = 0
    unsettled_since_s: int | None = None

    def settled(self, needed: Iterable[Record], now_s: int) -> "Watch":
        """Return the watch with the time since when a needed record is not there: anew when another is needed."""
        last = {record: self.beliefs[record].last for record in needed}
        if all(sighting is not None and sighting.verdict is Verdict.PRESENT for sighting in last.values()):
            return Watch(self.beliefs, self.looked_s, None)
        fresh = any(sighting is None for sighting in last.values())
        since_s = self.unsettled_since_s
        if since_s is None or since_s > now_s or (fresh and since_s <= self.looked_s):
            since_s = now_s
        return Watch(self.beliefs, self.looked_s, since_s)

    def next_look_s(self, seed: str) -> int:
        """Return when to look next: Unix seconds."""
        if self.unsettled_since_s is None:
            return self.looked_s + next_look_in_s(None, seed, self.looked_s)
        from_s = max(self.looked_s, self.unsettled_since_s)
        return from_s + next_look_in_s(from_s - self.unsettled_since_s, seed, from_s)


def encode(watch: Watch) -> bytes:
    """Return the watch as JSON."""
    beliefs = [_written(belief) for belief in watch.beliefs.values()]
    written = {"format": FORMAT, "looked_s": watch.looked_s, "unsettled_since_s": watch.unsettled_since_s}
    return json.dumps(written | {"beliefs": beliefs}).encode()


def _written(belief: Belief) -> dict[str, object]:
    last = belief.last
    return {
        "record": {name: getattr(belief.record, name) for name in Record.__slots__},
        "believed": belief.believed,
        "last": None if last is None else {name: getattr(last, name) for name in Sighting.__slots__},
        "negatives": belief.negatives,
        "negative_since_s": belief.negative_since_s,
    }


def decode(encoded: bytes) -> Watch:
    """Return the watch; a new one for what we did not write."""
    try:
        read = json.loads(encoded)
        if read["format"] != FORMAT:
            return Watch()
        beliefs = [_belief(entry) for entry in read["beliefs"]]
        since_s = read["unsettled_since_s"]
        return Watch(
            {each.record: each for each in beliefs}, int(read["looked_s"]), None if since_s is None else int(since_s)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return Watch()


def _belief(entry: dict[str, object]) -> Belief:
    record, last = entry["record"], entry["last"]
    if not isinstance(record, dict) or not isinstance(last, dict | None):
        raise TypeError
    return Belief(
        Record(record["name"], record["type"], record["value"], Purpose(record["purpose"])),
        Verdict(str(entry["believed"])),
        Sighting(**last | {"verdict": Verdict(last["verdict"])}) if last else None,
        int(str(entry["negatives"])),
        int(str(entry["negative_since_s"])),
    )
