"""What a reply or a failure means, and how far it reaches. Nothing else looks at reply codes.

Scope decides what happens next. RECIPIENT: this address only. MESSAGE: no host will differ, settle. HOST: try the
next one. SITE: settle, and slow down. Delivered, deferred, failed: the first digit decides (RFC 5321 §4.2.1).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from paquebot.mail.reply import Reply

IN_DOUBT = "in doubt"  # how a reason begins while a reply to the final dot is missing


class Kind(StrEnum):
    """What became of a recipient."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"


class Scope(StrEnum):
    """How far an outcome reaches."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    HOST = "host"
    SITE = "site"


class Stage(StrEnum):
    """Where in the dialogue something happened."""

    LOOKUP = "looking up"
    CONNECT = "connecting"
    GREETING = "greeting"
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    FINAL = "the final dot"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient, how far that reaches, and a sentence that says why."""

    kind: Kind
    scope: Scope
    reason: str
    reply: Reply | None = None


DELIVERED = Outcome(Kind.DELIVERED, Scope.RECIPIENT, "")

_EARLY = {Stage.CONNECT, Stage.GREETING, Stage.HELLO, Stage.STARTTLS}
_SHUTTING_DOWN = "4.3."  # RFC 3463 §3.4: the host's own trouble
_POLICY = "4.7."  # RFC 3463 §3.8: security or policy
# RFC 3463 §3.7, RFC 6531 §3.5: what this host cannot take as it is, another may.
_CANNOT_CONVERT = {"5.6.3", "5.6.7", "5.6.8", "5.6.9"}
_NO_MAIL_EVER = {521, 556}  # RFC 7504
_WHO_ARE_YOU = 530
_NOBODY = {"5.1.1", "5.1.6", "5.1.10", "5.2.1"}  # 5.1.10 is what Exchange says of unknown recipients


def of_reply(stage: Stage, reply: Reply) -> Outcome:
    """Return the outcome of a reply at a stage."""
    if reply.is_positive:
        return Outcome(Kind.DELIVERED, Scope.RECIPIENT, "", reply)
    reason = f"{stage} was answered with {reply}"
    if reply.code == 421:  # noqa: PLR2004  (RFC 5321 §3.8: the host closes the connection)
        scope = Scope.HOST if reply.enhanced.startswith(_SHUTTING_DOWN) else Scope.SITE
        return Outcome(Kind.DEFERRED, scope, reason, reply)
    if stage is Stage.AUTH:  # a person must look at our login: trying on would lock it
        return Outcome(Kind.DEFERRED, Scope.SITE, reason, reply)
    if stage in _EARLY:
        return _early(reply, reason)
    if stage is Stage.RCPT:
        return _recipient(reply, reason)
    return _message(reply, reason)


def of_failure(stage: Stage, text: str) -> Outcome:
    """Return the outcome of a connection that failed or broke: the next host may do."""
    return Outcome(Kind.DEFERRED, Scope.HOST, f"{stage} failed: {text}")


def of_login(text: str) -> Outcome:
    """Return the outcome of a login at a relay that could not begin: it is our settings' fault, so the site rests."""
    return Outcome(Kind.DEFERRED, Scope.SITE, f"{Stage.AUTH} failed: {text}")


def of_relay(outcome: Outcome) -> Outcome:
    """Turn a relay's wish to know who we are (530, RFC 4954 §6) into waiting: the message cannot help it."""
    if outcome.reply is None or outcome.reply.code != _WHO_ARE_YOU:
        return outcome
    return replace(outcome, kind=Kind.DEFERRED, scope=Scope.SITE)


def is_hard_bounce(outcome: Outcome) -> bool:
    """Say whether a host has told that the mailbox is not there, or not any more (RFC 3463 §3.2, §3.3)."""
    gone = outcome.kind is Kind.FAILED and outcome.scope is Scope.RECIPIENT and outcome.reply is not None
    return gone and outcome.reply is not None and outcome.reply.enhanced in _NOBODY


def of_conclusion(kind: Kind, code: int, enhanced: str, text: str) -> Outcome:
    """Return an outcome that no host told us: our own conclusion for the whole message."""
    return Outcome(kind, Scope.MESSAGE, text, Reply(code, enhanced, text))


def _early(reply: Reply, reason: str) -> Outcome:
    """Judge a host that does not want to talk: another may. Only 521 and 556 say that mail is never wanted."""
    kind = Kind.FAILED if reply.code in _NO_MAIL_EVER else Kind.DEFERRED
    throttled = reply.enhanced.startswith(_POLICY)
    return Outcome(kind, Scope.SITE if throttled else Scope.HOST, reason, reply)


def _message(reply: Reply, reason: str) -> Outcome:
    """Judge a refused sender or content: the message, unless only this host cannot take it, or wants less mail."""
    if reply.is_permanent:
        return Outcome(Kind.FAILED, _scope_of_refusal(reply, Scope.MESSAGE), reason, reply)
    throttled = reply.enhanced.startswith(_POLICY)
    return Outcome(Kind.DEFERRED, Scope.SITE if throttled else Scope.MESSAGE, reason, reply)


def _scope_of_refusal(reply: Reply, otherwise: Scope) -> Scope:
    return Scope.HOST if reply.enhanced in _CANNOT_CONVERT else otherwise


def _recipient(reply: Reply, reason: str) -> Outcome:
    """Judge a refused recipient: 552 means too many of them, transient only here (RFC 5321 §4.5.3.1.10)."""
    failed = reply.is_permanent and reply.code != 552  # noqa: PLR2004
    scope = _scope_of_refusal(reply, Scope.RECIPIENT)
    return Outcome(Kind.FAILED if failed else Kind.DEFERRED, scope, reason, reply)
