"""The beginning of a dialogue: EHLO or HELO, STARTTLS, AUTH; who the client says it is, and what it was offered."""

from paquebot.mail.envelope import Envelope
from paquebot.mail.reply import Reply
from paquebot.smtp import grammar, sasl, table
from paquebot.smtp.events import AuthAttempt, StartTls
from paquebot.smtp.grammar import CommandRefused
from paquebot.smtp.sasl import AuthExchange, LostExchange
from paquebot.smtp.table import ServerLimits


class Introduction:
    """What is known of a client. Methods return what to say, or the event that waits for an answer.

    `mechanisms` of AUTH are those with passwords, until somebody says that tokens are taken.
    """

    def __init__(self, hostname: str, *, tls: bool, starttls: bool, auth_required: bool) -> None:
        self.tls = tls
        self.authenticated = False
        self.hello_name = ""
        self.offered: frozenset[str] = frozenset()  # EHLO keywords; empty until EHLO
        self.auth_required = auth_required
        self.mechanisms: tuple[str, ...] = sasl.WITH_PASSWORD
        self.exchange: AuthExchange | LostExchange | None = None
        self._hostname = hostname
        self._starttls = starttls

    def protocol(self, envelope: Envelope) -> str:
        """Return the `with` word of a message's Received field (RFC 3848, RFC 6531 §4.3)."""
        if not self.offered:
            return "SMTP"
        return ("UTF8SMTP" if envelope.utf8 else "ESMTP") + "S" * self.tls + "A" * self.authenticated

    def ehlo(self, argument: bytes, limits: ServerLimits, withheld: frozenset[str]) -> Reply:
        """Hear a name; offer what there is."""
        self.hello_name = grammar.hello_name(argument)
        mechanisms = self.mechanisms if self.auth_required and self.tls else ()
        offers = table.offers(limits, mechanisms, starttls=self._starttls and not self.tls)
        offers = {word: value for word, value in offers.items() if word not in withheld}
        self.offered = frozenset({*offers, "AUTH"})
        lines = [f"{word} {value}" if value else word for word, value in offers.items()]
        return Reply(250, "", "\n".join([self._hostname, *lines]))

    def helo(self, argument: bytes) -> Reply:
        """Hear a name; offer nothing."""
        self.hello_name = grammar.hello_name(argument)
        self.offered = frozenset()
        return Reply(250, "", self._hostname)

    def start_tls(self) -> StartTls:
        """Hear that the client wants TLS."""
        if not self._starttls:
            raise CommandRefused(Reply(502, "5.5.1", "STARTTLS is not offered"))
        self._want_extended()
        if self.tls:
            raise CommandRefused(Reply(503, "5.5.1", "TLS is active"))
        return StartTls()

    def tls_started(self) -> None:
        """Forget all that came before the handshake (RFC 3207 §4.2)."""
        self.tls = True
        self.authenticated = False
        self.offered = frozenset()
        self.hello_name = ""

    def auth(self, argument: bytes) -> AuthAttempt | Reply:
        """Begin an exchange."""
        if not self.auth_required:
            raise CommandRefused(Reply(502, "5.5.1", "AUTH is not offered"))
        self._want_extended()
        if self.authenticated:
            raise CommandRefused(Reply(503, "5.5.1", "Already authenticated"))
        if not self.tls:
            raise CommandRefused(table.ENCRYPTION_REQUIRED)
        mechanism, _, initial = argument.partition(b" ")
        exchange = AuthExchange(mechanism.upper().decode("ascii", "replace"), self.mechanisms)
        word = initial.strip(b" ")
        return self._step(exchange, exchange.take(word) if word else exchange.first_prompt())

    def auth_line(self, line: bytes) -> AuthAttempt | Reply:
        """Go on with it; a fault ends it."""
        exchange, self.exchange = self.exchange, None
        assert exchange is not None  # noqa: S101  (the state says that there is one)
        if len(line) > table.AUTH_MAX:
            raise CommandRefused(table.TOO_LONG_AUTH)
        if not line.endswith(b"\r\n"):
            raise CommandRefused(table.NOT_CRLF)
        return self._step(exchange, exchange.take(line[:-2]))

    def auth_answered(self, attempt: AuthAttempt, reply: Reply) -> Reply:
        """Hear what became of an attempt; return what to say now."""
        self.authenticated = reply.is_positive
        challenge = sasl.error_challenge(attempt.mechanism, reply)
        self.exchange = LostExchange(reply) if challenge else None
        return challenge or reply

    def _step(self, exchange: AuthExchange | LostExchange, step: AuthAttempt | Reply) -> AuthAttempt | Reply:
        self.exchange = exchange if isinstance(step, Reply) else None
        return step

    def _want_extended(self) -> None:
        if not self.offered:
            raise CommandRefused(Reply(503, "5.5.1", "Send EHLO first"))
