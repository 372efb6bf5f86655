"""The part of a DSN for programs: one group for the message, one for each recipient (RFC 3464 §2)."""

import re
import textwrap

from paquebot.mail.envelope import NO_WISH
from paquebot.mail.reply import Reply
from paquebot.mail.report import TEXT_MAX_BYTES, WIDTH, Action, DsnRequest, Told, address, date, plain

_EXPIRED = "4.4.7"  # without an answer until the time was over, RFC 3463 §3.5
_CLASSES = {Action.FAILED: ("4.", "5."), Action.DELAYED: ("4.",), Action.RELAYED: ("2.",)}
_UNKNOWN = {Action.FAILED: "5.0.0", Action.DELAYED: "4.0.0", Action.RELAYED: "2.0.0"}  # RFC 3463 §3.1
_UNSAID = {Action.FAILED: _EXPIRED, Action.DELAYED: "4.4.0", Action.RELAYED: "2.0.0"}  # no host has spoken
_NOT_XTEXT = re.compile(r"[^!-~]|[+=\\]")


def status(request: DsnRequest) -> list[str]:
    """Return the lines of the part."""
    delivery = request.delivery
    lines = [f"Original-Envelope-Id: {plain(delivery.envelope_id)}"] if delivery.envelope_id else []
    lines += [
        f"Reporting-MTA: dns; {plain(request.reporting_mta)}",
        f"Arrival-Date: {date(delivery.accepted_ms)}",
    ]
    for told in request.told:
        lines += ["", *_recipient(request, told)]
    return lines


def _recipient(request: DsnRequest, told: Told) -> list[str]:
    delivery = request.delivery
    original = delivery.wishes.get(told.recipient, NO_WISH).orcpt
    lines = [f"Original-Recipient: {_original(request, original)}"] if original else []
    kind = "rfc822" if told.recipient.isascii() else "utf-8"
    lines += [
        f"Final-Recipient: {kind}; {address(delivery, told.recipient)}",
        f"Action: {request.action}",
        f"Status: {_status(request.action, told.reply)}",
    ]
    if told.reply is not None and told.host:
        lines.append(f"Remote-MTA: dns; {plain(told.host)}")
        lines += _folded(f"Diagnostic-Code: smtp; {plain(str(told.reply))}")
    if told.attempt_ms:
        lines.append(f"Last-Attempt-Date: {date(told.attempt_ms)}")
    if request.action is Action.DELAYED:
        lines.append(f"Will-Retry-Until: {date(delivery.expires_ms)}")
    return lines


def _original(request: DsnRequest, orcpt: str) -> str:
    """Return ORCPT as it was given; what ASCII cannot say is escaped unless the mail was UTF-8 (RFC 6533 §3)."""
    kind, _, path = orcpt.partition(";")
    if not path.isascii() and not request.delivery.utf8:
        path = _NOT_XTEXT.sub(lambda match: f"\\x{{{ord(match[0]):02X}}}", path)
    return f"{plain(kind)}; {address(request.delivery, path)}"


def _status(action: Action, reply: Reply | None) -> str:
    """Return the remote status if its class fits the action, else what the code alone tells (RFC 3463 §2)."""
    if reply is None:
        return _UNSAID[action]
    if reply.enhanced.startswith(_CLASSES[action]):
        return reply.enhanced
    return "4.0.0" if reply.is_transient else _UNKNOWN[action]


def _folded(field: str) -> list[str]:
    wrapped = textwrap.wrap(
        field[:TEXT_MAX_BYTES], WIDTH, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False
    )
    return wrapped or [field]
