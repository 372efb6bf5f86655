"""How an MX host of the sandbox treats its clients. Values and decisions; `now_s` is an argument."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from paquebot.mail.reply import Reply

TRIPLES_MAX = 200_000

_TRIPLE = tuple[str, str, str]  # client address, reverse-path, recipient

SENDER_OK = Reply(250, "2.1.0", "Ok")
RECIPIENT_OK = Reply(250, "2.1.5", "Ok")
NO_RELAY = Reply(550, "5.7.1", "We do not receive mail for that domain")
NO_USER = Reply(550, "5.1.1", "No such user here")
GREYLISTED = Reply(451, "4.7.1", "Greylisted: try again later")
THROTTLED = Reply(421, "4.7.0", "Too much from you: slow down")


@dataclass(frozen=True, slots=True)
class Manner:
    """What one host does; zero and empty mean it does not."""

    starttls: bool = True
    greylist_s: float = 0.0  # 451 until this long after the first sight of (client, reverse-path, recipient)
    messages_per_connection_max: int = 0  # 421 to MAIL beyond it
    messages_per_second_max: int = 0  # 421 to MAIL beyond it, over all connections
    refused_prefix: str = ""  # local parts that begin so are unknown users
    recipient_reply: Reply | None = None  # what every recipient gets instead of 250
    content_reply: Reply | None = None  # what every content gets instead of 250


@dataclass(slots=True)
class Doorkeeper:
    """Remembers what a manner must remember."""

    manner: Manner
    _first_seen_s: OrderedDict[_TRIPLE, float] = field(default_factory=OrderedDict)
    _recent_s: deque[float] = field(default_factory=deque)

    def sender(self, taken_here: int, now_s: float) -> Reply:
        """Answer MAIL, after `taken_here` messages on this connection."""
        manner = self.manner
        if 0 < manner.messages_per_connection_max <= taken_here:
            return THROTTLED
        if manner.messages_per_second_max:
            while self._recent_s and self._recent_s[0] <= now_s - 1:
                self._recent_s.popleft()
            if len(self._recent_s) >= manner.messages_per_second_max:
                return THROTTLED
            self._recent_s.append(now_s)
        return SENDER_OK

    def recipient(self, triple: _TRIPLE, now_s: float) -> Reply:
        """Answer RCPT."""
        manner = self.manner
        if manner.refused_prefix and triple[2].startswith(manner.refused_prefix):
            return NO_USER
        if manner.recipient_reply is not None:
            return manner.recipient_reply
        if manner.greylist_s and now_s < self._seen_first(triple, now_s) + manner.greylist_s:
            return GREYLISTED
        return RECIPIENT_OK

    def _seen_first(self, triple: _TRIPLE, now_s: float) -> float:
        first_s = self._first_seen_s.setdefault(triple, now_s)
        if len(self._first_seen_s) > TRIPLES_MAX:
            self._first_seen_s.popitem(last=False)
        return first_s
