"""When an SMTP client has kept us waiting too long. Decided once a second for all sessions: no timer each. Pure."""

from dataclasses import dataclass, replace

_AMPLE = 0.5  # of the connections: up to here there is time
_FULL = 0.9  # from here on there is as little as UNDER_STRESS says


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait, and for what (RFC 5321 §4.5.3.2.7: a server waits five minutes for a command)."""

    command_s: float = 300.0
    unauthenticated_s: float = 300.0  # for a client to say who it is, whatever it says meanwhile
    transaction_s: float = 1800.0  # from MAIL to the end of the content
    handshake_s: float = 30.0
    window_s: float = 60.0  # over which a content must come at least at this rate
    floor_bytes_per_s: float = 100.0

    def when(self, fullness: float) -> "Patience":
        """Return what is left of it when so many of the connections are taken (0 to 1)."""
        stress = min(1.0, max(0.0, (fullness - _AMPLE) / (_FULL - _AMPLE)))
        if not stress:
            return self
        return replace(
            self,
            command_s=_between(self.command_s, UNDER_STRESS.command_s, stress),
            unauthenticated_s=_between(self.unauthenticated_s, UNDER_STRESS.unauthenticated_s, stress),
            handshake_s=_between(self.handshake_s, UNDER_STRESS.handshake_s, stress),
            window_s=_between(self.window_s, UNDER_STRESS.window_s, stress),
        )


UNDER_STRESS = Patience(command_s=10.0, unauthenticated_s=10.0, handshake_s=5.0, window_s=10.0)


def _between(calm_s: float, stressed_s: float, stress: float) -> float:
    return calm_s + stress * (min(calm_s, stressed_s) - calm_s)


@dataclass(slots=True)
class Waiting:
    """What a session was last seen doing. Times are seconds of one clock."""

    born_s: float
    progress_s: float  # the last command that was answered
    transaction_s: float = 0.0  # when MAIL was accepted; 0: there is none
    content_s: float = 0.0  # when the present window began; 0: no content is coming
    window_bytes: int = 0

    def came(self, size: int) -> None:
        """Note octets of a content."""
        self.window_bytes += size

    def answered(self, now_s: float) -> None:
        """Note that a command was answered."""
        self.progress_s = now_s

    def overdue(self, patience: Patience, now_s: float, *, authenticated: bool, mid_content: bool) -> str:
        """Return why the client has had its time, empty while it has not."""
        if self.transaction_s and now_s - self.transaction_s > patience.transaction_s:
            return "the transaction took too long"
        if mid_content:
            return self._slow(patience, now_s)
        self.content_s = 0.0
        if now_s - self.progress_s > patience.command_s:
            return "no command came"
        if not authenticated and now_s - self.born_s > patience.unauthenticated_s:
            return "the client has not authenticated"
        return ""

    def _slow(self, patience: Patience, now_s: float) -> str:
        """Compare what came in the window that ends with what must come in it."""
        if not self.content_s:
            self.content_s, self.window_bytes = now_s, 0
        elif now_s - self.content_s >= patience.window_s:
            slow = self.window_bytes < patience.floor_bytes_per_s * (now_s - self.content_s)
            self.content_s, self.window_bytes = now_s, 0
            return "the content comes too slowly" if slow else ""
        return ""
