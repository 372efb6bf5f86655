"""What a host has to say, said at its own pace: at once, after a delay, or in a trickle."""

import asyncio
from collections import deque
from collections.abc import Callable

PIECE_OCTETS = 4


class Outbox:
    """Octets and turns in order; `write` is asked for the transport each time, since STARTTLS changes it."""

    def __init__(self, write: Callable[[bytes], None], delay_s: float, trickle_s: float) -> None:
        self._write = write
        self._delay_s = delay_s
        self._trickle_s = trickle_s
        self._waiting: deque[tuple[float, bytes | Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def say(self, reply: bytes) -> None:
        """Say one reply after everything before it."""
        if not self._trickle_s:
            self._waiting.append((self._delay_s, reply))
        for start in range(0, len(reply) if self._trickle_s else 0, PIECE_OCTETS):
            wait_s = self._trickle_s if start else self._delay_s
            self._waiting.append((wait_s, reply[start : start + PIECE_OCTETS]))
        self._go_on()

    def then(self, turn: Callable[[], None]) -> None:
        """Do something after everything before it is said."""
        self._waiting.append((0.0, turn))
        self._go_on()

    def forget(self) -> None:
        """Say nothing more."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        while self._waiting and self._timer is None:
            if self._waiting[0][0]:
                self._timer = asyncio.get_running_loop().call_later(self._waiting[0][0], self._due)
            else:
                self._do_first()

    def _due(self) -> None:
        self._timer = None
        if self._waiting:
            self._do_first()
        self._go_on()

    def _do_first(self) -> None:
        _wait_s, what = self._waiting.popleft()
        if isinstance(what, bytes):
            self._write(what)
        else:
            what()
