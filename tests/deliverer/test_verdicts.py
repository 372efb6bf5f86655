"""What a transaction's replies mean for each recipient."""

from paquebot.deliverer.verdicts import broken, outcomes_of
from paquebot.mail.outcome import Kind, Scope
from paquebot.mail.reply import Reply
from paquebot.smtp.client import Transaction, TransactionResult

TWO = Transaction("a@shop.example", ("x@b.example", "y@b.example"), b"Hello\r\n")
OK = Reply(250, "2.0.0", "Ok")
GO = Reply(354, "", "Go")


def result(**changes: object) -> TransactionResult:
    whole = {"mail": OK, "recipients": (OK, OK), "data": GO, "final": OK, "in_doubt": False, "local": False}
    return TransactionResult(**(whole | changes))  # type: ignore[arg-type]


def kinds(of: TransactionResult) -> list[Kind]:
    return [outcome.kind for outcome in outcomes_of(TWO, of, "mx [192.0.2.1]").values()]


def test_all_is_delivered_when_the_final_dot_is_answered() -> None:
    assert kinds(result()) == [Kind.DELIVERED, Kind.DELIVERED]


def test_a_refused_recipient_does_not_spoil_the_other() -> None:
    assert kinds(result(recipients=(Reply(550, "5.1.1", "No"), OK))) == [Kind.FAILED, Kind.DELIVERED]


def test_a_refused_sender_settles_all() -> None:
    assert kinds(result(mail=Reply(550, "", "No"), recipients=(None, None))) == [Kind.FAILED, Kind.FAILED]


def test_a_lost_reply_after_the_final_dot_is_in_doubt_for_those_who_were_accepted() -> None:
    outcomes = outcomes_of(
        TWO, result(recipients=(OK, Reply(550, "", "No")), final=None, in_doubt=True), "mx [192.0.2.1]"
    )
    assert outcomes["x@b.example"].reason.startswith("in doubt: mx [192.0.2.1] did not answer the final dot")
    assert outcomes["x@b.example"].scope is Scope.MESSAGE
    assert outcomes["y@b.example"].kind is Kind.FAILED


def test_a_connection_that_breaks_early_lets_the_next_host_try() -> None:
    assert {each.scope for each in broken(TWO, "EOF", "mx").values()} == {Scope.HOST}
    unanswered = outcomes_of(TWO, result(recipients=(OK, None), data=None, final=None), "mx")
    assert {each.scope for each in unanswered.values()} == {Scope.HOST}
