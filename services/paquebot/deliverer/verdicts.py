"""What a transaction's replies mean for each recipient. Pure; outcomes come from `mail.outcome`."""

from paquebot.mail.doubt import unanswered
from paquebot.mail.outcome import Outcome, Stage, of_failure, of_reply
from paquebot.mail.reply import Reply
from paquebot.smtp.client import Transaction, TransactionResult


def outcomes_of(transaction: Transaction, result: TransactionResult, where: str) -> dict[str, Outcome]:
    """Return an outcome for each recipient of a transaction."""
    if result.mail is not None and not result.mail.is_positive:
        return dict.fromkeys(transaction.recipients, of_reply(Stage.MAIL, result.mail))
    whole = _of_content(result, where)
    return {
        recipient: _of_recipient(reply, whole, where)
        for recipient, reply in zip(transaction.recipients, result.recipients, strict=True)
    }


def broken(transaction: Transaction, reason: str, where: str) -> dict[str, Outcome]:
    """Return the outcomes of a transaction that broke before its final dot."""
    return dict.fromkeys(transaction.recipients, of_failure(Stage.MAIL, f"{where}: {reason}"))


def _of_recipient(reply: Reply | None, whole: Outcome, where: str) -> Outcome:
    if reply is None:
        return of_failure(Stage.RCPT, f"{where} closed the connection before it answered")
    return whole if reply.is_positive else of_reply(Stage.RCPT, reply)


def _of_content(result: TransactionResult, where: str) -> Outcome:
    """Return what became of the accepted recipients. A lost reply after the final dot is in doubt (RFC 1047)."""
    if result.in_doubt:
        return unanswered(where)
    if result.final is not None:
        return of_reply(Stage.FINAL, result.final)
    if result.data is not None and not result.data.is_positive:
        return of_reply(Stage.DATA, result.data)
    return of_failure(Stage.DATA, f"{where} closed the connection before the content was sent")
