"""What a host decides, and what it must remember for that. No I/O; `now_s` and chance come from outside."""

import random
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from hashlib import blake2b

from paquebot.mail.reply import Reply
from paquebot.sandbox.manner import Answer, Manner, Stage, Trouble

REMEMBERED_MAX = 200_000  # of triples, and of tries
CLIENTS_MAX = 10_000
MINUTE_S = 60.0

Triple = tuple[str, str, str]  # client address, reverse-path, recipient

SENDER_OK = Reply(250, "2.1.0", "Ok")
RECIPIENT_OK = Reply(250, "2.1.5", "Ok")
TAKEN = Reply(250, "2.0.0", "Ok: taken by the sandbox")
NO_USER = Reply(550, "5.1.1", "No such user here")
TOO_MANY_RECIPIENTS = Reply(552, "5.5.3", "Too many recipients")
GREYLISTED = Reply(451, "4.7.1", "Greylisted: try again later")


@dataclass(slots=True)
class _Client:
    """What is remembered of one client address."""

    connections: int = 0
    begun_s: deque[float] = field(default_factory=deque)  # messages of the last minute
    closed_until_s: float = 0.0
    penalties: int = 0


@dataclass(slots=True)
class Doorkeeper:
    """Answers for one host. None means: as any host would."""

    manner: Manner
    chance: random.Random
    _clients: OrderedDict[str, _Client] = field(default_factory=OrderedDict)
    _first_seen_s: OrderedDict[Triple, float] = field(default_factory=OrderedDict)
    _tries: Counter[tuple[Stage, str]] = field(default_factory=Counter)

    def connected(self, client: str, now_s: float) -> Answer | None:
        """Answer a connection; tell `gone` when it ends."""
        known = self._client(client)
        known.connections += 1
        limits = self.manner.limits
        if 0 < limits.connections_max < known.connections or now_s < known.closed_until_s:
            return limits.reply
        return self._trouble(Stage.CONNECT, client)

    def gone(self, client: str) -> None:
        """Count one connection less."""
        self._client(client).connections -= 1

    def hello(self, client: str) -> Answer | None:
        """Answer EHLO; HELO is always taken."""
        return self._trouble(Stage.EHLO, client)

    def sender(self, client: str, path: str, taken_here: int, now_s: float) -> Answer:
        """Answer MAIL, after `taken_here` messages on this connection."""
        limits = self.manner.limits
        if 0 < limits.messages_per_connection_max <= taken_here or self._is_too_much(client, now_s):
            return limits.reply
        return self._trouble(Stage.MAIL, f"{client} {path}") or SENDER_OK

    def recipient(self, triple: Triple, accepted: int, now_s: float) -> Answer:
        """Answer RCPT, after `accepted` others of the same message."""
        manner = self.manner
        if manner.unknown_prefix and triple[2].startswith(manner.unknown_prefix):
            return NO_USER
        if 0 < manner.recipients_max <= accepted:
            return TOO_MANY_RECIPIENTS
        if manner.greylist_s and now_s < self._seen_first(triple, now_s) + manner.greylist_s:
            return GREYLISTED
        return self._trouble(Stage.RCPT, " ".join(triple)) or RECIPIENT_OK

    def content(self, at: Stage, path: str, recipients: tuple[str, ...]) -> Answer | None:
        """Answer DATA, or what comes in the middle of the content."""
        return self._trouble(at, " ".join((path, *recipients)))

    def final_dot(self, content: bytes) -> tuple[Answer, bool]:
        """Answer a whole content; return also whether it is kept."""
        key = blake2b(content, digest_size=16).hexdigest()
        trouble = self._find(Stage.DOT, key)
        return (trouble.answer, trouble.keeps) if trouble is not None else (TAKEN, True)

    def _trouble(self, at: Stage, key: str) -> Answer | None:
        trouble = self._find(at, key)
        return trouble.answer if trouble is not None else None

    def _find(self, at: Stage, key: str) -> Trouble | None:
        candidates = [trouble for trouble in self.manner.troubles if trouble.at is at]
        if not candidates:
            return None
        if len(self._tries) >= REMEMBERED_MAX:
            self._tries.clear()
        tried = self._tries[at, key]
        self._tries[at, key] += 1
        for trouble in candidates:
            if (not trouble.tries or tried < trouble.tries) and self.chance.random() < trouble.chance:
                return trouble
        return None

    def _is_too_much(self, client: str, now_s: float) -> bool:
        """Count a message; going beyond a limit closes the door for longer each time."""
        limits, known = self.manner.limits, self._client(client)
        if now_s < known.closed_until_s:
            return True
        if not (limits.messages_per_second_max or limits.messages_per_minute_max):
            return False
        while known.begun_s and known.begun_s[0] <= now_s - MINUTE_S:
            known.begun_s.popleft()
        last_second = sum(begun > now_s - 1 for begun in known.begun_s)
        beyond = 0 < limits.messages_per_second_max <= last_second or 0 < limits.messages_per_minute_max <= len(
            known.begun_s
        )
        if not beyond:
            known.begun_s.append(now_s)
        elif limits.penalty_s:
            known.closed_until_s = now_s + min(limits.penalty_max_s, limits.penalty_s * 2.0 ** min(known.penalties, 30))
            known.penalties += 1
        return beyond

    def _client(self, address: str) -> _Client:
        known = self._clients.setdefault(address, _Client())
        if len(self._clients) > CLIENTS_MAX:
            self._clients.popitem(last=False)
        return known

    def _seen_first(self, triple: Triple, now_s: float) -> float:
        first_s = self._first_seen_s.setdefault(triple, now_s)
        if len(self._first_seen_s) > REMEMBERED_MAX:
            self._first_seen_s.popitem(last=False)
        return first_s
