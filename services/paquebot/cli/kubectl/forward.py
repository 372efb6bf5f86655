"""Ways into a cluster: `kubectl port-forward` processes, which last as long as the command that needs them."""

import contextlib
import os
import re
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import IO

from paquebot.cli.kubectl.cluster import Kubectl

OPEN_MAX_S = 20.0
END_MAX_S = 5.0
SAID_MAX_CHARS = 500
READ_BYTES = 4096
OPENED = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")


@contextlib.contextmanager
def forwarded(kubectl: Kubectl, ways: Sequence[tuple[str, int]]) -> Iterator[list[int | str]]:
    """Open ways to (resource, port), such as ("service/paquebot-nats", 4222), all at once.

    Yields for each the port here, or why there is none.
    """
    with contextlib.ExitStack() as open_ways:
        begun = [(target, open_ways.enter_context(_begun(kubectl, target, port))) for target, port in ways]
        deadline = time.monotonic() + OPEN_MAX_S
        yield [_port(target, process, deadline) for target, process in begun]


@contextlib.contextmanager
def _begun(kubectl: Kubectl, target: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = kubectl.command("port-forward", "--address=127.0.0.1", target, f":{port}")
    process = subprocess.Popen(  # noqa: S603  (the user's own kubectl)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches the command, which ends it in order
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_MAX_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _port(target: str, process: "subprocess.Popen[bytes]", deadline: float) -> int | str:
    """Return the port that kubectl tells, or what it complains of."""
    assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
    said = ""
    for part in _parts(process.stdout, deadline):
        said += part.decode(errors="replace")
        opened = OPENED.search(said)
        if opened:
            return int(opened[1])
    why = said.strip()[-SAID_MAX_CHARS:] or f"it said nothing for {OPEN_MAX_S:.0f} s"
    return f"kubectl port-forward {target} was not opened: {why}"


def _parts(output: IO[bytes], deadline: float) -> Iterator[bytes]:
    """Yield what is written until the deadline or the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(output.fileno(), READ_BYTES)
            if not part:
                return
            yield part
