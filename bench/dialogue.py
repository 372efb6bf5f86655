"""What SMTP's two ends cost by themselves, in memory, in CPU time.

    python bench/dialogue.py                     the ends of this tree, and BDAT against DATA
    python bench/dialogue.py --against TREE      this tree's ends by turns with those of another checkout

Each turn is a process of its own; of ratios the median counts. TREE against itself tells how far to trust it.
"""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paquebot.mail.reply import Reply
from paquebot.smtp.client import ClientSession, Transaction
from paquebot.smtp.events import Content, DataStart
from paquebot.smtp.server import GO_AHEAD, ServerLimits, ServerSession

HERE = Path(__file__).parents[1]
READ_BYTES = 16_384
TURNS = 40
LINE = b"y" * 76 + b"\r\n"
SMALL = b"Subject: hello\r\nFrom: a@a.test\r\nTo: b@b.test\r\n\r\n" + LINE * 25
LARGE = LINE * (16 * 1024 * 1024 // len(LINE))
ENVELOPE = b"MAIL FROM:<ann@shop.example> SIZE=2048 BODY=8BITMIME\r\nRCPT TO:<bob@one.example>\r\n"
OK = Reply(250, "2.0.0", "Ok")


def by_data(content: bytes) -> list[bytes]:
    """Return what a client says to send a message by DATA."""
    return [ENVELOPE, b"DATA\r\n", content + b".\r\n"]


def by_bdat(content: bytes, chunk_bytes: int) -> list[bytes]:
    """Return what a client says to send it in chunks."""
    pieces = [content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes)]
    return [ENVELOPE, *(b"BDAT %d\r\n%b" % (len(piece), piece) for piece in pieces), b"BDAT 0 LAST\r\n"]


def server(said: list[bytes]) -> Callable[[], None]:
    """Return what tells a server one message."""
    session = ServerSession("mx.test", ServerLimits(), tls=True, starttls=False, auth_required=False)
    session.greet()

    def tell(octets: bytes) -> int:
        taken = 0
        for at in range(0, len(octets), READ_BYTES):
            session.receive_data(octets[at : at + READ_BYTES])
            while (event := session.next_event()) is not None:
                taken += isinstance(event, Content)
                session.answer(GO_AHEAD if isinstance(event, DataStart) else OK)
            session.data_to_send()
        return taken

    def message() -> None:
        if sum(map(tell, said)) != 1:
            sys.exit("the server did not take the message")

    tell(b"EHLO client.test\r\n")
    return message


def client() -> None:
    """Let a client offer one message."""
    session = ClientSession(tls=True)
    session.extensions = {"PIPELINING": "", "SIZE": "10000000", "8BITMIME": ""}
    wanted = Transaction("ann@shop.example", ("bob@one.example",), SMALL, b"Received: x\r\n")
    dialogue = session.transaction(wanted)
    next(dialogue)
    session.data_to_send()
    session.receive_data(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n")
    next(dialogue)
    next(dialogue)
    session.data_to_send()
    session.receive_data(b"250 2.0.0 Ok\r\n")
    if next(dialogue, None) is not None:
        sys.exit("the client did not end")


def cost_us(work: Callable[[], None], times: int, rounds: int) -> float:
    """Return the CPU microseconds of one call: the median of rounds."""
    measured = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        measured.append((time.process_time() - began) / times * 1e6)
    return statistics.median(measured)


def ends() -> tuple[float, float]:
    """Return the microseconds of server and client for a message of 2 KiB."""
    return cost_us(server(by_data(SMALL)), 100, 40), cost_us(client, 100, 40)


def ends_of(tree: str) -> tuple[float, float]:
    """Return the same of a tree, from a process of its own."""
    environment = {**os.environ, "PYTHONPATH": f"{tree}/services"}
    told = subprocess.run([sys.executable, __file__, "--ends"], env=environment, check=True, stdout=subprocess.PIPE)
    server_us, client_us = map(float, told.stdout.split())
    return server_us, client_us


def against(tree: str) -> None:
    """Print how this tree's ends compare with another's."""
    ratios: list[tuple[float, float]] = []
    for turn in range(TURNS):
        order = (str(HERE), tree) if turn % 2 else (tree, str(HERE))
        found = dict(zip(order, map(ends_of, order), strict=True))
        ours, theirs = found[str(HERE)], found[tree]
        ratios.append((ours[0] / theirs[0], ours[1] / theirs[1]))
    for name, each in zip(("server", "client"), zip(*ratios, strict=True), strict=True):
        first, middle, third = statistics.quantiles(each, n=4)
        print(f"{name}: {middle:.2f} times the other tree's (half of {TURNS} turns {first:.2f}-{third:.2f})")


def large() -> None:
    """Print what 16 MB cost by DATA and by BDAT, by turns."""
    ways = {"DATA": by_data(LARGE), "one BDAT": by_bdat(LARGE, len(LARGE)), "BDATs of 64 KiB": by_bdat(LARGE, 65_536)}
    works = {name: server(said) for name, said in ways.items()}
    found = [{name: cost_us(work, 1, 1) for name, work in works.items()} for _ in range(TURNS)]
    for name in ways:
        first, middle, third = statistics.quantiles([each[name] / each["DATA"] for each in found], n=4)
        print(f"16 MB by {name}: {middle:.2f} of DATA's time (half of {TURNS} turns {first:.2f}-{third:.2f})")


def main() -> None:
    """Measure, and print."""
    gc.disable()
    match sys.argv[1:]:
        case ["--ends"]:
            print(*ends())
        case ["--against", tree]:
            against(tree)
        case _:
            server_us, client_us = ends()
            print(f"2 KiB: server {server_us:.0f} us, client {client_us:.0f} us")
            large()


if __name__ == "__main__":
    main()
