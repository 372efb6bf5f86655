"""Single keys from a terminal, while a screen is shown."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator

AT_ONCE = 64  # keys, pressed faster than they are read


@contextlib.contextmanager
def keys(on_key: Callable[[str], None]) -> Iterator[None]:
    """Hand over each key that is pressed while it lasts; where there is no terminal nobody presses any."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    loop, terminal = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        for key in os.read(terminal, AT_ONCE).decode("ascii", "ignore"):  # buffered text would hide all but the first
            on_key(key)

    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
