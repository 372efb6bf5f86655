"""Sends the demo's messages with the standard library's SMTP client: TLS, AUTH, several sessions at once."""

import smtplib
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, Queue
from re import compile as pattern

from paquebot.cli.demo.account import Sent
from paquebot.cli.demo.compose import Composed
from paquebot.cli.place import Place
from paquebot.cli.send import hand_over, trust

SESSIONS = 4
_QUEUED = pattern(r"queued as (\S+)")


@dataclass(slots=True)
class Sending:
    """What was handed over so far; filled from several threads."""

    sent: list[Sent] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, message: Composed, accepted: tuple[str, ...], reply: str) -> None:
        """Count a transaction: what was accepted under an id, and what was refused with which reply."""
        queued = _QUEUED.search(reply)
        with self.lock:
            if accepted and queued:
                self.sent.append(Sent(queued[1], message.content, message.reverse_path, accepted))
            refused = len(message.recipients) - len(accepted)
            if refused:
                self.refusals[reply if not accepted else "refused at RCPT"] += refused


def send_all(
    place: Place, port: int, passwords: dict[str, str], messages: Iterable[Composed], sending: Sending
) -> None:
    """Send everything; returns when each message was accepted or refused."""
    waiting: dict[str, Queue[Composed]] = {username: Queue() for username in passwords}
    for message in messages:
        waiting[message.username].put(message)
    with ThreadPoolExecutor(SESSIONS) as threads:
        sessions = [username for username, queue in waiting.items() if not queue.empty()]
        shares = [sessions[number % len(sessions)] for number in range(max(SESSIONS, len(sessions)))]
        done = [
            threads.submit(_session, place, port, (username, passwords[username]), waiting[username], sending)
            for username in shares
        ]
        for session in done:
            session.result()


def _session(place: Place, port: int, login: tuple[str, str], waiting: "Queue[Composed]", sending: Sending) -> None:
    with smtplib.SMTP_SSL("localhost", port, context=trust(place), timeout=60) as client:
        client.login(*login)
        while True:
            try:
                message = waiting.get_nowait()
            except Empty:
                return
            sending.note(message, *hand_over(client, message.reverse_path, message.recipients, message.content))
