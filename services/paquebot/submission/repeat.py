"""What makes two submissions one message: the key that its client gave it, and a digest of all that it sent. Pure.

Keys are kept as digests: no address, ENVID or Message-ID can be read from them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from paquebot.mail.header import split, unfold, value_of
from paquebot.policy.idempotency import Idempotency, Key
from paquebot.submission.handed import Mail

IDEMPOTENCY_KEY_MAX = 200  # characters
_DIGEST_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A message that is known when it comes again.

    `named_by` is what its client named it by, as people know that; `insisted` says that it must not be taken
    without the promise.
    """

    key: str
    digest: str
    window_s: int
    named_by: str
    insisted: bool


def repeatable(mail: Mail, settings: Idempotency) -> Repeatable | None:
    """Return by what a message is known again; None when its client gave nothing that counts.

    Except for an idempotency_key sender and recipients are part of the key: relays that split a message pass the
    same ENVID on with each part (RFC 3461 §5.2.1), and some clients name a whole campaign by one.
    """
    named_by, words = _named(mail, settings.key)
    if not named_by:
        return None
    principal, insisted = mail.principal, bool(mail.idempotency_key)
    key = _digest(each.encode() for each in (principal.credential, named_by, *words))
    return Repeatable(f"{principal.tenant}.{key}", _digest(_sent(mail)), settings.window_s, named_by, insisted)


def _named(mail: Mail, key: Key) -> tuple[str, tuple[str, ...]]:
    """Return by what a message is named, "" for nothing, and the words that make the key."""
    envelope = mail.envelope
    if mail.principal.internal:
        return "", ()
    if mail.idempotency_key:
        return "idempotency_key", (mail.idempotency_key,)
    way = (envelope.reverse_path, *sorted(envelope.recipients))
    if envelope.envelope_id and key is not Key.NONE:
        return "ENVID", (envelope.envelope_id, *way)
    found = value_of(split(mail.content)[0], b"message-id") if key is Key.MESSAGE_ID else None
    message_id = unfold(found or b"").strip().decode("latin-1")
    return ("Message-ID", (message_id, *way)) if message_id else ("", ())


def _sent(mail: Mail) -> Iterator[bytes]:
    """Yield all that a client decides about what is sent, and to whom."""
    envelope = mail.envelope
    yield envelope.reverse_path.encode()
    for recipient in sorted(envelope.recipients):
        wish = envelope.wishes.get(recipient)
        yield recipient.encode()
        yield f"{','.join(sorted(wish.notify))} {wish.orcpt}".encode() if wish else b""
    yield f"{envelope.ret} {'' if mail.lane is None else mail.lane.name}".encode()
    for name in sorted(mail.tags):
        yield f"{name}={mail.tags[name]}".encode()
    yield mail.content


def _digest(parts: Iterable[bytes]) -> str:
    """Return a digest of parts, each with its length before it, so that no two lists of parts are one run of octets."""
    digest = sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()[:_DIGEST_DIGITS]
