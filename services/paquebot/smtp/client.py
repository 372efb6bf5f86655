"""The client's end of SMTP as dialogues that read straight down (RFC 5321, 1870, 2920, 3207, 3461, 6152, 6531).

No I/O, no clock: a dialogue is a generator that yields what it needs, and returns its result. The shell
writes `data_to_send()`, waits as told, hands in bytes and resumes. See `Timeout` and `BeforeFinalDot`.
"""

from collections.abc import Generator, Iterator, Mapping
from enum import Enum
from typing import NoReturn, TypeVar

from paquebot.mail.reply import Reply
from paquebot.smtp.replyreader import BrokenSession, ReplyReader
from paquebot.smtp.stuffing import stuff
from paquebot.smtp.transaction import (
    Transaction,
    TransactionResult,
    mail_command,
    rcpt_command,
    unfit,
    unfit_path,
)

__all__ = [
    "BEFORE_FINAL_DOT",
    "BeforeFinalDot",
    "BrokenSession",
    "ClientSession",
    "Dialogue",
    "Need",
    "Timeout",
    "Transaction",
    "TransactionResult",
]

BLOCK_BYTES = 262_144
_CLOSING = 421  # RFC 5321 §3.8: may come in place of any reply
_GO_AHEAD = 3  # the first digit of 354

T = TypeVar("T")


class Timeout(Enum):
    """What is waited for, hence how long (RFC 5321 §4.5.3.2). All but BLOCK wait for bytes to come.

    BLOCK waits until the transport takes more; content beyond 256 KiB goes in blocks.
    """

    GREETING = "greeting"
    HELLO = "hello"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BLOCK = "block"
    FINAL_DOT = "final dot"
    RSET = "rset"
    QUIT = "quit"

    @property
    def seconds(self) -> int:
        """The time a server has, at least."""
        return _SECONDS.get(self, 300)


_SECONDS = {
    Timeout.DATA: 120,
    Timeout.BLOCK: 180,
    Timeout.FINAL_DOT: 600,
    Timeout.QUIT: 10,  # nothing depends on the answer
}


class BeforeFinalDot:
    """Resume to end the content, which makes the server responsible; or close the dialogue and the connection."""


BEFORE_FINAL_DOT = BeforeFinalDot()
Need = Timeout | BeforeFinalDot
Dialogue = Generator[Need, None, T]


class ClientSession:
    """One connection's dialogues, one after the other. Raises BrokenSession from any of them."""

    def __init__(self, *, tls: bool = False) -> None:
        self.tls = tls
        self.extensions: dict[str, str] = {}
        self._reader = ReplyReader()
        self._out: list[bytes] = []
        self._ended = ""  # why no more bytes will come
        self._leaving = False  # 421 was said, or the greeting refused us
        self._busy = False  # a dialogue began and has not ended well
        self._awaiting_tls = False
        self._half_done = False  # the server may hold a transaction: RSET comes first

    def __repr__(self) -> str:
        state = "ENDED" if self._ended else "LEAVING" if self._leaving else "BUSY" if self._busy else "IDLE"
        marks = " tls" * self.tls + " half-done" * self._half_done
        return f"<ClientSession {state}{marks} extensions={','.join(sorted(self.extensions)) or '-'}>"

    @property
    def reusable(self) -> bool:
        """Another transaction may begin here."""
        return not (self._ended or self._leaving or self._busy or self._awaiting_tls or self._reader.unread)

    def receive_data(self, chunk: bytes) -> None:
        """Take what came. In the clear behind the reply to STARTTLS it breaks the session (RFC 3207 §6)."""
        if self._awaiting_tls:
            self._ended = "bytes in the clear behind the reply to STARTTLS"
        elif not self._ended:
            self._reader.append(chunk)

    def receive_eof(self, reason: str = "connection closed") -> None:
        """No more will come."""
        self._ended = self._ended or reason

    def timed_out(self) -> None:
        """Stop: what was waited for did not come in its time."""
        self.receive_eof("timeout")

    def data_to_send(self) -> bytes:
        """Return the bytes to write, once."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    def tls_started(self) -> None:
        """Begin anew after the handshake: what was said before is void (RFC 3207 §4.2)."""
        self.tls = True
        self.extensions = {}
        self._awaiting_tls = False

    # Dialogues.

    def greeting(self) -> Dialogue[Reply]:
        """Wait for the greeting; 220 is welcome, 521 means never (RFC 7504), 554 and 4yz not now."""
        self._busy = True
        reply = yield from self._reply(Timeout.GREETING)
        self._leaving = self._leaving or not reply.is_positive
        self._busy = False
        return reply

    def ehlo(self, name: str) -> Dialogue[Reply]:
        """Introduce ourselves; HELO is tried only where EHLO is refused for good (RFC 5321 §3.2)."""
        self._busy = True
        self.extensions = {}
        reply = yield from self._ask(Timeout.HELLO, f"EHLO {name}\r\n")
        if reply.is_positive:
            self.extensions = dict(_keywords(reply))
        elif reply.is_permanent:
            reply = yield from self._ask(Timeout.HELLO, f"HELO {name}\r\n")
        self._busy = False
        return reply

    def starttls(self) -> Dialogue[Reply]:
        """Ask for TLS; after 2yz nothing may be read or written before the handshake."""
        self._busy = True
        reply = yield from self._ask(Timeout.STARTTLS, "STARTTLS\r\n")
        if reply.is_positive:
            if self._reader.unread:
                self._break("bytes in the clear behind the reply to STARTTLS")
            self._awaiting_tls = True
        self._busy = False
        return reply

    def exchange(self, kind: Timeout, line: str) -> Dialogue[Reply]:
        """Say one line of a dialogue that others write, and hear its reply; busy while it is 3yz. See `client_auth`."""
        self._busy = True
        reply = yield from self._ask(kind, f"{line}\r\n")
        self._busy = reply.code // 100 == _GO_AHEAD
        return reply

    def rset(self) -> Dialogue[Reply]:
        """Abandon a transaction, or see whether the server is still there."""
        self._busy = True
        reply = yield from self._ask(Timeout.RSET, "RSET\r\n")
        self._half_done = self._half_done and not reply.is_positive
        self._busy = False
        return reply

    def quit(self) -> Dialogue[Reply]:
        """Say goodbye."""
        self._busy = self._leaving = True
        return (yield from self._ask(Timeout.QUIT, "QUIT\r\n"))

    def transaction(self, wanted: Transaction) -> Dialogue[TransactionResult]:
        """Offer one message. A reply to the final dot that is lost is a result, `in_doubt`, no exception."""
        fault = unfit(wanted, self.extensions)
        if fault is not None:
            return TransactionResult(fault, (None,) * len(wanted.recipients), local=True)
        talk = _Talk(wanted, self.extensions)
        if not talk.rcpt_commands:
            return TransactionResult(None, tuple(talk.recipients), local=True)
        self._busy = True
        if self._half_done:
            reset = yield from self._ask(Timeout.RSET, "RSET\r\n")
            if self._leaving:
                return TransactionResult(reset, (None,) * len(wanted.recipients))
            if not reset.is_positive:
                self._break(f"RSET was refused: {reset}")
        if "PIPELINING" in self.extensions:
            yield from self._envelope_at_once(talk)
        else:
            yield from self._envelope_step_by_step(talk)
        if talk.data is not None and talk.data.code // 100 == _GO_AHEAD:
            yield from self._content(talk)
        self._half_done = talk.mail is not None and talk.mail.is_positive and talk.final is None
        self._busy = talk.in_doubt
        return talk.result()

    # Parts of a transaction.

    def _envelope_at_once(self, talk: "_Talk") -> Dialogue[None]:
        """Send MAIL, RCPTs and DATA as one group (RFC 2920 §3.1); every reply is read."""
        commands = [talk.mail_command, *talk.rcpt_commands.values(), "DATA\r\n"]
        self._send("".join(commands))
        talk.mail = yield from self._reply(Timeout.MAIL)
        for index in talk.rcpt_commands:
            if self._leaving:
                return
            talk.recipients[index] = yield from self._reply(Timeout.RCPT)
        if not self._leaving:
            talk.data = yield from self._reply(Timeout.DATA)

    def _envelope_step_by_step(self, talk: "_Talk") -> Dialogue[None]:
        talk.mail = yield from self._ask(Timeout.MAIL, talk.mail_command)
        if not talk.mail.is_positive:
            return
        for index, command in talk.rcpt_commands.items():
            talk.recipients[index] = yield from self._ask(Timeout.RCPT, command)
            if self._leaving:
                return
        if talk.has_recipients:
            talk.data = yield from self._ask(Timeout.DATA, "DATA\r\n")

    def _content(self, talk: "_Talk") -> Dialogue[None]:
        if not talk.has_recipients:
            # RFC 2920 §3.1: DATA was let in though nobody will have it; the answer to a lone dot is a 554.
            yield from self._ask(Timeout.FINAL_DOT, ".\r\n")
            return
        *blocks, last = _blocks(talk.wanted)
        for block in blocks:
            talk.final = self._interruption()
            if talk.final is not None:
                return
            self._out.append(block)
            yield Timeout.BLOCK
        yield BEFORE_FINAL_DOT
        talk.final = self._interruption()
        if talk.final is not None:
            return
        self._out += (last, b".\r\n")
        try:
            talk.final = yield from self._reply(Timeout.FINAL_DOT)
        except BrokenSession:
            talk.in_doubt = True

    def _interruption(self) -> Reply | None:
        """Return what a server said in the middle of content: it has refused, and the session is over."""
        if self._reader.unread:
            reply = self._next_reply()
            if reply is None or reply.is_positive:
                self._break(f"the server spoke out of turn: {reply or 'half a reply'}")
            self._leaving = True
            return reply
        if self._ended:
            raise BrokenSession(f"{self._ended} while sending content")
        return None

    # Steps.

    def _ask(self, kind: Timeout, command: str) -> Dialogue[Reply]:
        self._send(command)
        return (yield from self._reply(kind))

    def _send(self, commands: str) -> None:
        if self._awaiting_tls:
            self._break("the TLS handshake has not been done")
        self._out.append(commands.encode())

    def _reply(self, kind: Timeout) -> Dialogue[Reply]:
        """Wait for one reply. DATA is answered by 3yz and never by 2yz, AUTH by either, all others never by 3yz."""
        while (reply := self._next_reply()) is None:
            if self._ended:
                raise BrokenSession(f"{self._ended} while waiting for the {kind.value} reply")
            yield kind
        wants_more = reply.code // 100 == _GO_AHEAD
        if wants_more != (kind is Timeout.DATA) and reply.is_positive and kind is not Timeout.AUTH:
            self._break(f"unexpected reply to {kind.value}: {reply}")
        self._leaving = self._leaving or reply.code == _CLOSING
        return reply

    def _next_reply(self) -> Reply | None:
        try:
            return self._reader.next_reply()
        except BrokenSession as broken:
            self._ended = broken.reason
            raise

    def _break(self, reason: str) -> NoReturn:
        self._ended = self._ended or reason
        raise BrokenSession(reason)


class _Talk:
    """A transaction under way."""

    def __init__(self, wanted: Transaction, extensions: Mapping[str, str]) -> None:
        self.wanted = wanted
        self.mail_command = mail_command(wanted, extensions)
        # Addresses that cannot be sent are refused here, and leave the others alone.
        self.recipients = [unfit_path(mailbox, "5.1.3", extensions) for mailbox in wanted.recipients]
        self.rcpt_commands = {
            index: rcpt_command(wanted, mailbox, extensions)
            for index, mailbox in enumerate(wanted.recipients)
            if self.recipients[index] is None
        }
        self.mail: Reply | None = None
        self.data: Reply | None = None
        self.final: Reply | None = None
        self.in_doubt = False

    @property
    def has_recipients(self) -> bool:
        """The server has accepted MAIL and somebody."""
        accepted = any(reply is not None and reply.is_positive for reply in self.recipients)
        return accepted and self.mail is not None and self.mail.is_positive

    def result(self) -> TransactionResult:
        """Freeze what is known. What was said to RCPT after a refused MAIL says nothing about recipients."""
        if self.mail is not None and self.mail.is_positive:
            return TransactionResult(self.mail, tuple(self.recipients), self.data, self.final, self.in_doubt)
        return TransactionResult(self.mail, (None,) * len(self.recipients))


def _blocks(wanted: Transaction) -> list[bytes]:
    """Cut the dot-stuffed message; there is at least one block."""
    prefix, content = stuff(wanted.prefix), stuff(wanted.content)
    if len(prefix) + len(content) <= BLOCK_BYTES:
        return [prefix + content]
    return [prefix, *(content[start : start + BLOCK_BYTES] for start in range(0, len(content), BLOCK_BYTES))]


def _keywords(reply: Reply) -> Iterator[tuple[str, str]]:
    """Read the lines of an EHLO reply behind the first (RFC 5321 §4.1.1.1)."""
    for line in reply.text.split("\n")[1:]:
        keyword, _, parameters = line.partition(" ")
        yield keyword.upper(), parameters.strip()
