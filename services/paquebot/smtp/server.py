"""The server's end of SMTP as a state machine over bytes (RFC 5321, 1870, 2034, 2920, 3207, 3461, 4954, 6152, 6531).

No I/O, no clock: the shell hands in bytes, asks for events, answers each with a Reply, and writes what
is to be sent. Nothing is read further until an event is answered, so PIPELINING needs no code.
"""

from collections.abc import Callable
from typing import ClassVar

from paquebot.mail.envelope import Envelope
from paquebot.mail.reply import Reply
from paquebot.smtp import arguments, grammar, table
from paquebot.smtp.encoding import encode_reply
from paquebot.smtp.events import AuthAttempt, Content, DataStart, Event, MailFrom, RcptTo, StartTls
from paquebot.smtp.gathering import Gathering
from paquebot.smtp.grammar import CommandRefused
from paquebot.smtp.receivebuffer import Flooded, ReceiveBuffer
from paquebot.smtp.sasl import AuthExchange
from paquebot.smtp.stuffing import content_fault, unstuff
from paquebot.smtp.table import GO_AHEAD, NO_ARGUMENT, VERBS, ServerLimits, State, line_fault, speaks_otherwise

__all__ = ["GO_AHEAD", "ServerLimits", "ServerSession"]

CONGESTED_BYTES = 65_536
UNREAD_MAX_BYTES = 1_048_576  # behind an unanswered event; a shell that heeds `congested` stays far below
_CLOSING = 421  # RFC 5321 §3.8
_DEAF = frozenset({State.TLS, State.CLOSED})


class ServerSession:
    """One client's dialogue, from the greeting to QUIT. `limits` may be replaced at any time.

    `withheld` are EHLO keywords that are neither offered nor served: for those who play lesser hosts.
    """

    def __init__(
        self, hostname: str, limits: ServerLimits, *, tls: bool, starttls: bool, auth_required: bool = True
    ) -> None:
        self.limits = limits
        self.withheld: frozenset[str] = frozenset()
        self.tls = tls
        self.authenticated = False
        self.hello_name = ""
        self._hostname = hostname
        self._starttls = starttls
        self._auth_required = auth_required
        self._offered: frozenset[str] = frozenset()  # empty until EHLO
        self._state = State.START
        self._buffer = ReceiveBuffer()
        self._out: list[bytes] = []
        self._pending: Event | None = None
        self._goodbye: Reply | None = None
        self._gathering: Gathering | None = None
        self._exchange: AuthExchange | None = None
        self._errors = 0
        self._commands = 0

    def __repr__(self) -> str:
        marks = "".join(f" {name}" for name in ("tls", "authenticated") if getattr(self, name))
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
        return self._state is State.CONTENT

    def protocol(self, envelope: Envelope) -> str:
        """Return the `with` word of a message's Received field (RFC 3848, RFC 6531 §4.3)."""
        if not self._offered:
            return "SMTP"
        return ("UTF8SMTP" if envelope.utf8 else "ESMTP") + "S" * self.tls + "A" * self.authenticated

    # What the shell tells.

    def greet(self, reply: Reply | None = None) -> None:
        """Say 220, or refuse the whole connection (421; 521, RFC 7504; 554)."""
        greeting = reply or Reply(220, "", f"{self._hostname} ESMTP Paquebot")
        # RFC 2034 §4: no enhanced status in the greeting.
        self._out.append(encode_reply(Reply(greeting.code, "", greeting.text)))
        if not greeting.is_positive:
            self._close()

    def receive_data(self, chunk: bytes) -> None:
        """Take what came."""
        if self._state in _DEAF:
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
            while self._state not in _DEAF:
                octets = self._next_octets()
                if octets is None:
                    self._notice_tls()
                    return None
                event = self._content(octets) if self._state is State.CONTENT else self._line(octets)
                if event is not None:
                    self._pending = event
                    return event
        except Flooded:
            self._flooded()
        return None

    def answer(self, reply: Reply) -> None:
        """Answer the event last returned. A 421 closes the session."""
        event, self._pending = self._pending, None
        assert event is not None  # noqa: S101  (one answer for one event)
        if self._state is State.CLOSED:
            return
        self._out.append(encode_reply(reply))
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
        self.tls = True
        self.authenticated = False
        self._offered = frozenset()
        self.hello_name = ""
        self._buffer.clear()
        self._forget_transaction(State.START)

    def timed_out(self) -> None:
        """Say that the client was silent for too long."""
        self.close_with(table.IDLE)

    def shutdown(self) -> None:
        """Say that we are going away (RFC 5321 §3.8)."""
        self.close_with(table.SHUTDOWN)

    def close_with(self, reply: Reply) -> None:
        """Say a last word; behind an unanswered event it waits for the answer."""
        if self._pending is not None:
            self._goodbye = reply
        elif self._state is not State.CLOSED:
            self._out.append(encode_reply(reply))
            self._close()

    # Reading.

    def _next_octets(self) -> bytes | None:
        if self._state is not State.CONTENT:
            return self._buffer.line()
        maximum = self.limits.content_max_bytes
        # Stuffing makes content a third larger at most: of lines that are a dot and one octet.
        return self._buffer.content(maximum * 4 // 3, maximum * 4 + CONGESTED_BYTES)

    def _notice_tls(self) -> None:
        """Tell a client that speaks TLS on a clear port, which would wait for its handshake for ever."""
        if self._state is not State.CONTENT and self._buffer.first_octet() == table.TLS_RECORD:
            self._give_up(table.SPEAKS_TLS)

    def _flooded(self) -> None:
        if self._state is State.CONTENT:
            self._say(table.TOO_LARGE)
            self._close()
        else:
            self._give_up(table.TOO_LONG)

    def _line(self, line: bytes) -> Event | None:
        foreign = speaks_otherwise(line)
        if foreign is not None:
            self._give_up(foreign)
            return None
        try:
            return self._command(line) if self._exchange is None else self._auth_line(self._exchange, line)
        except CommandRefused as refused:
            self._refuse(refused.reply)
            return None

    def _command(self, line: bytes) -> Event | None:
        verb, _, argument = line.rstrip(b" \r\n").partition(b" ")
        verb = verb.upper()
        fault = line_fault(verb, line)
        if fault is not None:
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

    def _content(self, stuffed: bytes) -> Event | None:
        content = unstuff(stuffed)
        fault = table.TOO_LARGE if len(content) > self.limits.content_max_bytes else content_fault(content)
        envelope = self._gathered().envelope()
        self._forget_transaction(State.READY)
        if fault is not None:
            self._refuse(fault)
            return None
        return Content(envelope, content)

    # Commands, in the order of a dialogue. Each says its reply, or returns the event that waits for one.

    def _ehlo(self, argument: bytes) -> None:
        self.hello_name = grammar.hello_name(argument)
        self._forget_transaction(State.READY)
        offers = table.offers(
            self.limits, starttls=self._starttls and not self.tls, auth=self._auth_required and self.tls
        )
        offers = {word: value for word, value in offers.items() if word not in self.withheld}
        self._offered = frozenset({*offers, "AUTH"})
        lines = [f"{word} {value}" if value else word for word, value in offers.items()]
        self._say(Reply(250, "", "\n".join([self._hostname, *lines])))

    def _helo(self, argument: bytes) -> None:
        self.hello_name = grammar.hello_name(argument)
        self._offered = frozenset()
        self._forget_transaction(State.READY)
        self._say(Reply(250, "", self._hostname))

    def _start_tls(self, _: bytes) -> Event:
        if not self._starttls:
            raise CommandRefused(Reply(502, "5.5.1", "STARTTLS is not offered"))
        self._want_extended()
        if self.tls:
            raise CommandRefused(Reply(503, "5.5.1", "TLS is active"))
        return StartTls()

    def _auth(self, argument: bytes) -> Event | None:
        if not self._auth_required:
            raise CommandRefused(Reply(502, "5.5.1", "AUTH is not offered"))
        self._want_extended()
        if self.authenticated:
            raise CommandRefused(Reply(503, "5.5.1", "Already authenticated"))
        if not self.tls:
            raise CommandRefused(table.ENCRYPTION_REQUIRED)
        mechanism, _, initial = argument.partition(b" ")
        exchange = AuthExchange(mechanism.upper().decode("ascii", "replace"))
        word = initial.strip(b" ")
        return self._auth_step(exchange, exchange.take(word) if word else exchange.first_prompt())

    def _auth_line(self, exchange: AuthExchange, line: bytes) -> Event | None:
        self._exchange = None
        self._state = State.READY
        if len(line) > table.AUTH_MAX:
            raise CommandRefused(table.TOO_LONG_AUTH)
        if not line.endswith(b"\r\n"):
            raise CommandRefused(table.NOT_CRLF)
        return self._auth_step(exchange, exchange.take(line[:-2]))

    def _auth_step(self, exchange: AuthExchange, step: AuthAttempt | Reply) -> Event | None:
        if isinstance(step, AuthAttempt):
            return step
        self._exchange = exchange
        self._state = State.AUTH
        self._say(step)
        return None

    def _mail_from(self, argument: bytes) -> Event:
        if self._auth_required and not self.authenticated:
            raise CommandRefused(table.AUTHENTICATION_REQUIRED)
        mail = arguments.mail_from(argument, self._offered)
        if mail.size_bytes is not None and mail.size_bytes > self.limits.content_max_bytes:
            raise CommandRefused(table.TOO_LARGE)
        return mail

    def _rcpt_to(self, argument: bytes) -> Event:
        gathered = self._gathered()
        rcpt = arguments.rcpt_to(argument, self._hostname, self._offered, utf8=gathered.mail.utf8)
        if len(gathered.recipients) >= self.limits.recipients_max and rcpt.path not in gathered.recipients:
            raise CommandRefused(table.TOO_MANY_RECIPIENTS)
        return rcpt

    def _data(self, _: bytes) -> Event:
        if not self._gathered().recipients:
            raise CommandRefused(table.NO_RECIPIENTS)
        return DataStart()

    def _rset(self, _: bytes) -> None:
        self._forget_transaction(State.READY if self.hello_name else State.START)
        self._say(table.OK)

    def _quit(self, _: bytes) -> None:
        self._say(Reply(221, "2.0.0", f"{self._hostname} closes the connection"))
        self._close()

    def _gathered(self) -> Gathering:
        assert self._gathering is not None  # noqa: S101  (the table lets nobody come here before MAIL)
        return self._gathering

    def _want_extended(self) -> None:
        if not self._offered:
            raise CommandRefused(Reply(503, "5.5.1", "Send EHLO first"))

    # Answers from outside.

    def _accepted(self, event: Event) -> None:
        match event:
            case MailFrom():
                self._gathering = Gathering(event)
                self._state = State.MAIL
            case RcptTo():
                self._gathered().add(event)
                self._state = State.RCPT
                self._commands -= 1
            case DataStart():
                self._state = State.CONTENT
                self._buffer.begin_content()
            case Content():
                self._errors = self._commands = 0
            case AuthAttempt():
                self.authenticated = True
            case StartTls():
                self._buffer.clear()
                self._state = State.TLS

    def _refused(self, event: Event, reply: Reply) -> None:
        if isinstance(event, AuthAttempt):
            self._errors += reply.is_permanent
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
        self._gathering = None
        self._exchange = None
        self._state = state

    def _close(self) -> None:
        self._forget_transaction(State.CLOSED)
        self._buffer.clear()

    _COMMANDS: ClassVar[dict[bytes, "Callable[[ServerSession, bytes], Event | None]"]] = {
        b"EHLO": _ehlo,
        b"HELO": _helo,
        b"STARTTLS": _start_tls,
        b"AUTH": _auth,
        b"MAIL": _mail_from,
        b"RCPT": _rcpt_to,
        b"DATA": _data,
        b"RSET": _rset,
        b"QUIT": _quit,
    }
