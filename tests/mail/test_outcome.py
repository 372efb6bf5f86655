"""What replies mean, and how far they reach: one row for each claim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.outcome import Kind, Scope, Stage, of_conclusion, of_failure, of_reply
from paquebot.mail.reply import Reply

TABLE = [
    # stage, reply, kind, scope, why
    (Stage.FINAL, Reply(250, "2.0.0", "Ok"), Kind.DELIVERED, Scope.RECIPIENT, "delivered"),
    (
        Stage.FINAL,
        Reply(299, "", "strange"),
        Kind.DELIVERED,
        Scope.RECIPIENT,
        "an unknown 2yz counts by its first digit",
    ),
    (
        Stage.RCPT,
        Reply(550, "5.1.1", "No such user"),
        Kind.FAILED,
        Scope.RECIPIENT,
        "a refused recipient spoils no other",
    ),
    (Stage.RCPT, Reply(451, "4.7.1", "Greylisted"), Kind.DEFERRED, Scope.RECIPIENT, "greylisting is no throttle"),
    (Stage.RCPT, Reply(552, "", "Too many"), Kind.DEFERRED, Scope.RECIPIENT, "552 to RCPT is transient"),
    (Stage.FINAL, Reply(552, "5.3.4", "Too big"), Kind.FAILED, Scope.MESSAGE, "552 elsewhere is permanent"),
    (Stage.RCPT, Reply(452, "4.2.2", "Full"), Kind.DEFERRED, Scope.RECIPIENT, "a full mailbox waits"),
    (Stage.RCPT, Reply(599, "", "strange"), Kind.FAILED, Scope.RECIPIENT, "an unknown 5yz counts by its first digit"),
    (Stage.MAIL, Reply(550, "5.7.1", "No"), Kind.FAILED, Scope.MESSAGE, "5yz to MAIL settles the message"),
    (Stage.MAIL, Reply(554, "5.6.3", "No 8BITMIME"), Kind.FAILED, Scope.HOST, "what one host cannot take another may"),
    (Stage.MAIL, Reply(550, "5.6.7", "No SMTPUTF8"), Kind.FAILED, Scope.HOST, "another host may have SMTPUTF8"),
    (Stage.RCPT, Reply(553, "5.6.7", "No SMTPUTF8"), Kind.FAILED, Scope.HOST, "also for one recipient"),
    (Stage.RCPT, Reply(556, "5.1.10", "Null MX"), Kind.FAILED, Scope.RECIPIENT, "556: the domain takes no mail"),
    (Stage.MAIL, Reply(550, "5.7.27", "Null MX"), Kind.FAILED, Scope.MESSAGE, "a sender with a null MX is refused"),
    (Stage.MAIL, Reply(451, "4.3.0", "Later"), Kind.DEFERRED, Scope.MESSAGE, "4yz to MAIL defers the message"),
    (Stage.MAIL, Reply(450, "4.7.28", "Rate"), Kind.DEFERRED, Scope.SITE, "4.7.x to MAIL slows the site down"),
    (Stage.MAIL, Reply(421, "4.7.0", "Slow down"), Kind.DEFERRED, Scope.SITE, "421 slows the site down"),
    (Stage.MAIL, Reply(421, "4.3.2", "Restarting"), Kind.DEFERRED, Scope.HOST, "a host that goes down is not the site"),
    (Stage.DATA, Reply(554, "5.5.1", "No"), Kind.FAILED, Scope.MESSAGE, "5yz to DATA settles the message"),
    (Stage.FINAL, Reply(554, "5.7.1", "Spam"), Kind.FAILED, Scope.MESSAGE, "no other host will differ"),
    (Stage.GREETING, Reply(521, "", "No mail"), Kind.FAILED, Scope.HOST, "521: this host never accepts, the next may"),
    (Stage.GREETING, Reply(554, "", "Go away"), Kind.DEFERRED, Scope.HOST, "554 in the greeting: the next host may do"),
    (Stage.GREETING, Reply(421, "", "Busy"), Kind.DEFERRED, Scope.SITE, "421 in the greeting slows down"),
    (Stage.HELLO, Reply(450, "", "Later"), Kind.DEFERRED, Scope.HOST, "4yz to EHLO: the next host may do"),
]


@pytest.mark.parametrize(("stage", "reply", "kind", "scope", "_why"), TABLE, ids=[row[4] for row in TABLE])
def test_a_reply_means(stage: Stage, reply: Reply, kind: Kind, scope: Scope, _why: str) -> None:
    outcome = of_reply(stage, reply)
    assert (outcome.kind, outcome.scope) == (kind, scope)


@given(st.sampled_from(Stage), st.integers(400, 499), st.text(max_size=8))
def test_a_transient_reply_never_fails_anybody(stage: Stage, code: int, enhanced: str) -> None:
    assert of_reply(stage, Reply(code, enhanced, "")).kind is Kind.DEFERRED


def test_a_reason_quotes_stage_and_reply() -> None:
    assert of_reply(Stage.RCPT, Reply(550, "5.1.1", "No\nsuch")).reason == "RCPT was answered with 550 5.1.1 No such"


def test_a_failed_connection_lets_the_next_host_try() -> None:
    outcome = of_failure(Stage.CONNECT, "mx.example: refused")
    assert (outcome.kind, outcome.scope, outcome.reply) == (Kind.DEFERRED, Scope.HOST, None)


def test_our_own_conclusion_is_for_the_whole_message() -> None:
    outcome = of_conclusion(Kind.FAILED, 556, "5.1.10", "null MX")
    assert (outcome.scope, str(outcome.reply)) == (Scope.MESSAGE, "556 5.1.10 null MX")
