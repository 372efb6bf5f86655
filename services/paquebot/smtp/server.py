"""The server's end of SMTP as a state machine over bytes (RFC 5321; extensions: see `table.offers`).

No I/O, no clock: the shell hands in bytes, asks for events, answers each with a Reply, and writes what
is to be sent. Nothing is read further until an event is answered, so PIPELINING needs no code.
"""

from collections.abc import Callable
from typing import ClassVar

from paquebot.mail.reply import Reply
from paquebot.smtp import arguments, table
from paquebot.smtp.chunk import Chunk, chunk
from paquebot.smtp.encoding import encode_reply
from paquebot.smtp.events import AuthAttempt, Content, DataStart, Event, MailFrom, RcptTo, StartTls
from paquebot.smtp.gathering import Gathering
from paquebot.smtp.grammar import CommandRefused
from paquebot.smtp.introduction import Introduction
from paquebot.smtp.receivebuffer import Flooded, ReceiveBuffer
from paquebot.smtp.stuffing import content_fault, unstuff
from paquebot.smtp.table import GO_AHEAD, NO_ARGUMENT, VERBS, ServerLimits, State, line_fault, speaks_otherwise

__all__ = ["GO_AHEAD", "ServerLimits", "ServerSession"]

CONGESTED_BYTES = 65_536
UNREAD_MAX_BYTES = 1_048_576  # behind an unanswered event; a shell that heeds `congested` stays far below
_CLOSING = 421  # RFC 5321 §3.8


class ServerSession:
    """One client's dialogue, from the greeting to QUIT. `limits` may be replaced at any time.

    `withheld` are EHLO keywords that are neither offered nor served: for those who play lesser hosts.
    """

    def __init__(
        self, hostname: str, limits: ServerLimits, *, tls: bool, starttls: bool, auth_required: bool = True
    ) -> None:
        self.limits = limits
        self.withheld: frozenset[str] = frozenset()
        self.client = Introduction(hostname, tls=tls, starttls=starttls, auth_required=auth_required)
        self._hostname = hostname
        self._state = State.START
        self._buffer = ReceiveBuffer()
        self._out: list[bytes] = []
        self._pending: Event | None = None
        self._goodbye: Reply | None = None
        self._gathering: Gathering | None = None
        self._chunk: Chunk | None = None
        self._derailed = False  # a chunk was refused and its content goes on: that is no error each time
        self._errors = self._commands = self._mails = 0

    def __repr__(self) -> str:
        marks = "".join(f" {name}" for name in ("tls", "authenticated") if getattr(self.client, name))
        waiting = f" waiting={type(self._pending).__name__}" if self._pending else ""
        counts = f"errors={self._errors} unread={len(self._buffer)}"
        return f"<ServerSession {self._state.value} {self._hostname}{marks}{waiting} {counts}>"

    # What the shell asks.

    @property
    def closed(self) -> bool:
        """The last word is said: write it, then close the connection."""
        return self._state is State.CLOSED

    @property
    def waiting(self) -> bool:
        """An event is unanswered."""
        return self._pending is not None

    @property
    def congested(self) -> bool:
        """So much lies unread behind an unanswered event that the shell must stop reading."""
        return self._pending is not None and len(self._buffer) > CONGESTED_BYTES

    @property
    def mid_content(self) -> bool:
        """The client is sending content."""
        return self._state in table.MID_CONTENT

    @property
    def kept_bytes(self) -> int:
        """How many octets are kept: unread ones, and those of a content until it is answered."""
        pending = len(self._pending.content) if isinstance(self._pending, Content) else 0
        chunks = self._gathering.size_bytes if self._gathering else 0
        return len(self._buffer) + pending + chunks + (self._chunk.kept_bytes if self._chunk else 0)

    @property
    def in_transaction(self) -> bool:
        """MAIL was said, and what came of it is not."""
        return self._gathering is not None or isinstance(self._pending, MailFrom | Content)

    # What the shell tells.

    def greet(self, reply: Reply | None = None) -> None:
        """Say 220, or refuse the whole connection (421; 521, RFC 7504; 554); no enhanced status here (RFC 2034 §4)."""
        greeting = reply or Reply(220, "", f"{self._hostname} ESMTP Paquebot")
        self._out.append(encode_reply(Reply(greeting.code, "", greeting.text)))
        if not greeting.is_positive:
            self._close()

    def receive_data(self, chunk: bytes) -> None:
        """Take what came."""
        if self._state in table.DEAF:
            return
        if self._pending is not None and len(self._buffer) + len(chunk) > UNREAD_MAX_BYTES:
            self.close_with(table.FLOODED)
            return
        self._buffer.append(chunk)

    def receive_eof(self) -> None:
        """Stop: the client is gone."""
        self._close()

    def next_event(self) -> Event | None:
        """Read on until something must be decided outside; None: more bytes or an answer are missing."""
        if self._pending is not None:
            return None
        try:
            while self._state not in table.DEAF:
                octets = self._next_octets()
                if octets is None:
                    self._notice_tls()
                    return None
                self._pending = self._READERS.get(self._state, ServerSession._line)(self, octets)
                if self._pending is not None:
                    return self._pending
        except Flooded:
            self._give_up(table.TOO_LARGE if self._state is State.CONTENT else table.TOO_LONG)
        return None

    def answer(self, reply: Reply) -> None:
        """Answer the event last returned. A 421 closes the session."""
        event, self._pending = self._pending, None
        assert event is not None  # noqa: S101  (one answer for one event)
        if self._state is State.CLOSED:
            return
        if isinstance(event, AuthAttempt):
            reply = self.client.auth_answered(event, reply)
        if self._chunk is None or reply.code == _CLOSING:  # a chunk is answered when it has come
            self._say(reply)
        if reply.is_positive:
            self._accepted(event)
        else:
            self._refused(event, reply)
        if reply.code == _CLOSING:
            self._close()
        elif self._goodbye is not None:
            self.close_with(self._goodbye)
        elif self._errors >= self.limits.errors_max:
            self.close_with(table.TOO_MANY_ERRORS)

    def data_to_send(self) -> bytes:
        """Return the bytes to write, once."""
        out, self._out = self._out, []
        return b"".join(out)

    def tls_started(self) -> None:
        """Begin anew after the handshake: all that came before it is void (RFC 3207 §4.2)."""
        self.client.tls_started()
        self._buffer.clear()
        self._forget_transaction(State.START)

    def close_with(self, reply: Reply) -> None:
        """Say a last word; behind an unanswered event it waits for the answer."""
        if self._pending is not None:
            self._goodbye = reply
        elif self._state is not State.CLOSED:
            self._out.append(encode_reply(reply))
            self._close()

    # Reading.

    def _next_octets(self) -> bytes | None:
        if self._chunk is not None:
            return b"" if self._chunk.read(self._buffer) else None
        if self._state is not State.CONTENT:
            return self._buffer.line()
        maximum = self.limits.content_max_bytes
        # Stuffing makes content a third larger at most: of lines that are a dot and one octet.
        stuffed = self._buffer.content(maximum * 4 // 3, maximum * 4 + CONGESTED_BYTES)
        return None if stuffed is None else unstuff(stuffed)

    def _notice_tls(self) -> None:
        """Tell a client that speaks TLS on a clear port, which would wait for its handshake for ever."""
        if self._buffer.first_octet() == table.TLS_RECORD and not self.mid_content:
            self._give_up(table.SPEAKS_TLS)

    def _line(self, line: bytes) -> Event | None:
        foreign = speaks_otherwise(line)
        if foreign is not None:
            self._give_up(foreign)
            return None
        try:
            return self._auth_line(line) if self._state is State.AUTH else self._command(line)
        except CommandRefused as refused:
            self._refuse(refused.reply)
            return None

    def _command(self, line: bytes) -> Event | None:
        verb, _, argument = line.rstrip(b" \r\n").partition(b" ")
        verb = verb.upper()
        fault = line_fault(verb, line)
        if fault is not None:
            if verb == b"BDAT":  # what follows is a chunk, and would be taken for commands
                self._give_up(fault)
                return None
            raise CommandRefused(fault)
        self._commands += 1
        if self._commands > self.limits.commands_max:
            self.close_with(table.TOO_MANY_COMMANDS)
            return None
        if verb in table.FIXED:
            self._say(table.FIXED[verb])
            return None
        act = self._COMMANDS.get(verb)
        if act is None:
            raise CommandRefused(table.NOT_SERVED.get(verb, table.UNKNOWN))
        if verb not in VERBS[self._state]:
            raise CommandRefused(table.OUT_OF_SEQUENCE[self._state])
        if argument and verb in NO_ARGUMENT:
            raise CommandRefused(Reply(501, "5.5.4", f"{verb.decode()} takes no argument"))
        return act(self, argument.lstrip(b" "))

    def _chunk_ended(self, _: bytes) -> Event | None:
        ended, self._chunk = self._chunk, None
        assert ended is not None  # noqa: S101  (the state says that there is one)
        if ended.refusal is not None:
            self._chunk_refused(ended, ended.refusal)
            return None
        gathered = self._gathered()
        gathered.keep(ended)
        if ended.last:
            return self._whole(b"".join(gathered.pieces))
        self._state = State.CHUNKS
        self._commands -= ended.size_bytes > 0
        self._say(Reply(250, "2.0.0", f"Ok: {ended.size_bytes} octets"))
        return None

    def _chunk_refused(self, ended: Chunk, refusal: Reply) -> None:
        """Refuse a chunk: its transaction is over, and what follows of its content is no error each time."""
        lost = self._gathering is not None
        self._forget_transaction(State.READY if self.client.hello_name else State.START)
        (self._say if self._derailed else self._refuse)(refusal)
        self._derailed = (lost or self._derailed) and not ended.last

    def _whole(self, content: bytes) -> Event | None:
        """Look at a content that has come whole; the transaction ends with it."""
        fault = table.TOO_LARGE if len(content) > self.limits.content_max_bytes else content_fault(content)
        envelope = self._gathered().envelope()
        self._forget_transaction(State.READY)
        if fault is not None:
            self._refuse(fault)
            return None
        return Content(envelope, content)

    # Commands, in the order of a dialogue. Each says its reply, or returns the event that waits for one.

    def _ehlo(self, argument: bytes) -> None:
        hello = self.client.ehlo(argument, self.limits, self.withheld)
        self._forget_transaction(State.READY)
        self._say(hello)

    def _helo(self, argument: bytes) -> None:
        hello = self.client.helo(argument)
        self._forget_transaction(State.READY)
        self._say(hello)

    def _auth(self, argument: bytes) -> Event | None:
        return self._auth_step(self.client.auth(argument))

    def _auth_line(self, line: bytes) -> Event | None:
        self._state = State.READY
        return self._auth_step(self.client.auth_line(line))

    def _auth_step(self, step: AuthAttempt | Reply) -> Event | None:
        if isinstance(step, AuthAttempt):
            return step
        self._state = State.AUTH
        self._say(step)
        return None

    def _mail_from(self, argument: bytes) -> Event | None:
        self._mails += 1
        if self._mails > self.limits.mails_max:
            self.close_with(table.TOO_MANY_MAILS)
            return None
        if self.client.auth_required and not self.client.authenticated:
            raise CommandRefused(table.AUTHENTICATION_REQUIRED)
        mail = arguments.mail_from(argument, self.client.offered)
        if mail.size_bytes is not None and mail.size_bytes > self.limits.content_max_bytes:
            raise CommandRefused(table.TOO_LARGE)
        return mail

    def _rcpt_to(self, argument: bytes) -> Event:
        gathered = self._gathered()
        rcpt = arguments.rcpt_to(argument, self._hostname, self.client.offered, utf8=gathered.mail.utf8)
        if len(gathered.recipients) >= self.limits.recipients_max and rcpt.path not in gathered.recipients:
            raise CommandRefused(table.TOO_MANY_RECIPIENTS)
        return rcpt

    def _data(self, _: bytes) -> Event:
        if not self._gathered().recipients:
            raise CommandRefused(table.NO_RECIPIENTS)
        return DataStart()

    def _bdat(self, argument: bytes) -> Event | None:
        """Let a chunk come (RFC 3030 §2). After a refusal its octets are read all the same, and thrown away."""
        coming = chunk(argument, self.limits.content_max_bytes * 4 + CONGESTED_BYTES)
        if isinstance(coming, Reply):
            self._give_up(coming)
            return None
        if self._gathering is None or "CHUNKING" in self.withheld:
            coming.refusal = table.NO_CHUNKS if self._gathering else table.OUT_OF_SEQUENCE[self._state]
        else:
            coming.refusal = self._gathering.refusal_of(coming, self.limits)
        before, self._state, self._chunk = self._state, State.CHUNK, coming
        return None if coming.refusal is not None or before is State.CHUNKS else DataStart()

    def _rset(self, _: bytes) -> None:
        self._forget_transaction(State.READY if self.client.hello_name else State.START)
        self._say(table.OK)

    def _quit(self, _: bytes) -> None:
        self._say(Reply(221, "2.0.0", f"{self._hostname} closes the connection"))
        self._close()

    def _gathered(self) -> Gathering:
        assert self._gathering is not None  # noqa: S101  (the table lets nobody come here before MAIL)
        return self._gathering

    # Answers from outside.

    def _accepted(self, event: Event) -> None:
        match event:
            case MailFrom():
                self._gathering = Gathering(event)
                self._state = State.MAIL
                self._derailed = False
            case RcptTo():
                self._gathered().add(event)
                self._state = State.RCPT
                self._commands -= 1
            case DataStart() if self._chunk is None:
                self._state = State.CONTENT
                self._buffer.begin_content()
            case Content():
                self._errors = self._commands = 0
            case AuthAttempt() if self.client.exchange is not None:
                self._state = State.AUTH
            case StartTls():
                self._buffer.clear()
                self._state = State.TLS

    def _refused(self, event: Event, reply: Reply) -> None:
        if isinstance(event, AuthAttempt):
            self._errors += reply.is_permanent
        elif self._chunk is not None:
            self._chunk.refusal = reply  # said when its octets are read
        elif isinstance(event, DataStart):
            self._forget_transaction(State.READY)

    # Saying, and leaving.

    def _say(self, reply: Reply) -> None:
        self._out.append(encode_reply(reply))

    def _refuse(self, reply: Reply) -> None:
        self._say(reply)
        self._errors += reply.is_permanent
        if self._errors >= self.limits.errors_max:
            self.close_with(table.TOO_MANY_ERRORS)

    def _give_up(self, reply: Reply) -> None:
        self._say(reply)
        self.close_with(table.GARBAGE)

    def _forget_transaction(self, state: State) -> None:
        self._gathering = self._chunk = self.client.exchange = None
        self._state = state

    def _close(self) -> None:
        self._forget_transaction(State.CLOSED)
        self._buffer.clear()

    _READERS: ClassVar[dict[State, "Callable[[ServerSession, bytes], Event | None]"]] = {
        State.CONTENT: _whole,
        State.CHUNK: _chunk_ended,
    }
    _COMMANDS: ClassVar[dict[bytes, "Callable[[ServerSession, bytes], Event | None]"]] = {
        b"EHLO": _ehlo,
        b"HELO": _helo,
        b"STARTTLS": lambda session, _: session.client.start_tls(),
        b"AUTH": _auth,
        b"MAIL": _mail_from,
        b"RCPT": _rcpt_to,
        b"DATA": _data,
        b"BDAT": _bdat,
        b"RSET": _rset,
        b"QUIT": _quit,
    }
