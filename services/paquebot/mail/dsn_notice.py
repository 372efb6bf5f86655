"""The part of a DSN that people read: what happened, what will happen and until when (RFC 6522 §3)."""

import textwrap

from paquebot.mail.envelope import NO_WISH
from paquebot.mail.report import WIDTH, Action, DsnRequest, Told, address, date, plain

SUBJECTS = {
    Action.FAILED: "Your message could not be delivered",
    Action.DELAYED: "Your message is late",
    Action.RELAYED: "Your message was handed on",
}


def notice(request: DsnRequest, enclosed: str) -> list[str]:
    """Return the lines of the part; `enclosed` is the sentence that says what of the message is given back."""
    delivery = request.delivery
    paragraphs = [
        f"This is the mail system at {plain(request.reporting_mta)}.",
        f"{_happened(request)} {enclosed}",
    ]
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, WIDTH, break_on_hyphens=False), ""]
    for told in request.told:
        lines += [*_addressed(request, told), *_because(told), ""]
    return [*lines, f"Our name for the message is {delivery.id}."]


def _happened(request: DsnRequest) -> str:
    delivery, count = request.delivery, len(request.told)
    message = f"Your message of {date(delivery.accepted_ms)}"
    whom = "the recipient below" if count == 1 else f"the {count} recipients below"
    them = "this recipient" if count == 1 else "them"
    match request.action:
        case Action.FAILED:
            return f"{message} could not be delivered to {whom}. It will not be tried again for {them}."
        case Action.DELAYED:
            until = date(delivery.expires_ms)
            return (
                f"{message} has not been delivered to {whom} yet. You need not do anything: it is tried again and "
                f"again until {until}.{_what_then(request)}"
            )
        case Action.RELAYED:
            return (
                f"{message} was handed on for {whom}, to hosts that have taken responsibility for it. They do not "
                "send reports of success, so you will hear of it again only if it fails there."
            )


def _what_then(request: DsnRequest) -> str:
    """Promise the report of a failure to those who will get it."""
    wishes = request.delivery.wishes
    if all(wishes.get(told.recipient, NO_WISH).wants("FAILURE") for told in request.told):
        return " Should it fail, you will be told."
    return ""


def _addressed(request: DsnRequest, told: Told) -> list[str]:
    """Name a recipient, and whom the sender had written to where that is somebody else."""
    delivery = request.delivery
    original = delivery.wishes.get(told.recipient, NO_WISH).orcpt.partition(";")[2]
    lines = [f"<{address(delivery, told.recipient)}>"]
    return lines if original in {"", told.recipient} else [*lines, f"  for <{address(delivery, original)}>"]


def _because(told: Told) -> list[str]:
    said = str(told.reply) if told.reply is not None and told.host else ""
    sentences = [plain(told.reason)] if told.reason and not (said and said in told.reason) else []
    if said:
        sentences.append(f"{plain(told.host)} said: {plain(said)}")
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ")
    ]
