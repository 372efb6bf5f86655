"""What events mean: each counts under the keys of its message, once."""

from dataclasses import replace

import pytest

from history_support import BEGIN_S, settled
from paquebot.mail.record import Kind, Record
from paquebot.mail.reply import Reply
from paquebot.mail.traits import Traits
from paquebot.mail.verdict import Action, Verdict
from paquebot.spamfilter.history import tally as module
from paquebot.spamfilter.history.counts import Span, What
from paquebot.spamfilter.history.keys import Hashes
from paquebot.spamfilter.history.tally import Change, Tally

NOW = BEGIN_S + 1e6
TRAITS = Traits(-3.0, "shop.example", 7, 8, ("one.example",), 1 << 40)
KEYS = [
    "account.shop.orders",
    "author.shop.orders.shop_example",
    "domain.shop_example",
    "network.0000000000000007",
    "link.one_example",
    "template.0000010000000000",
]
ACCEPTED = Record(
    Kind.ACCEPTED,
    int(NOW * 1000),
    "id-1",
    1,
    "shop",
    ("bob@far.example",),
    "ann@shop.example",
    "orders",
    verdict=Verdict(Action.ACCEPT, traits=TRAITS),
)


def tally() -> Tally:
    return Tally(Hashes(b"k" * 32))


def later(kind: Kind, **more: object) -> Record:
    return replace(ACCEPTED, kind=kind, verdict=None, **more)  # type: ignore[arg-type]


def test_a_message_counts_under_all_its_keys_with_all_its_recipients() -> None:
    second = replace(ACCEPTED, n=2, recipients=("eve@near.example",), verdict=None)
    changes = list(tally().changes((ACCEPTED, second)))
    assert [key for key, _ in changes] == KEYS
    sent = changes[0][1].sent
    assert sent is not None
    assert (len(sent.recipients), sent.logit, sent.network) == (2, -3.0, 7)
    assert changes[1][1].of_other(None).count(What.RECIPIENTS, Span.DAY, NOW) == 2


def test_a_message_that_is_known_counts_once() -> None:
    ((_, change), *_) = tally().changes((ACCEPTED,))
    once = change.of_account(settled())
    assert change.of_account(once) == once
    assert once.recent[-1].logit == -3.0


def test_what_becomes_of_it_counts_under_the_same_keys() -> None:
    counting = tally()
    list(counting.changes((ACCEPTED,)))
    nobody = later(Kind.FAILED, host="mx.far.example", reply=Reply(550, "5.1.1", "no"))
    for record, what in (
        (nobody, What.HARD_BOUNCES),
        (replace(nobody, reply=Reply(550, "5.7.1", "spam")), What.POLICY_BOUNCES),
        (later(Kind.HELD, reason="held by the spam filter: it says so"), What.HELD),
        (later(Kind.RELEASED, author="ann"), What.RELEASED),
        (later(Kind.REFUSED, author="ann"), What.REFUSED),
    ):
        changes = list(counting.changes((record,)))
        assert [key for key, _ in changes] == KEYS
        assert changes[0][1].happened == {what: 1.0}


def test_what_says_nothing_of_the_sender_is_passed_over() -> None:
    for record in (
        later(Kind.FAILED, host="mx.far.example", reply=Reply(552, "5.2.2", "full")),
        later(Kind.FAILED, reply=Reply(550, "5.7.1", "our own conclusion")),
        later(Kind.HELD, reason="held by ann: incident"),
        later(Kind.RELEASED),
        later(Kind.DELIVERED),
        later(Kind.ACCEPTED, credential="", report_of="id-0.1"),
    ):
        assert list(tally().changes((record,))) == []


def test_what_is_about_a_forgotten_message_counts_for_its_account_and_domain() -> None:
    record = later(Kind.FAILED, host="mx", reply=Reply(550, "5.1.1", "no"))
    assert [key for key, _ in tally().changes((record,))] == KEYS[:3]


def test_what_is_remembered_has_a_limit() -> None:
    counting = tally()
    for number in range(module.REMEMBERED_MAX + 10):
        counting.remembered[str(number)] = TRAITS
    list(counting.changes((ACCEPTED,)))
    assert "0" not in counting.remembered
    assert "id-1" in counting.remembered


def test_a_refused_message_is_one_that_was_sent() -> None:
    ((_, change), *_) = tally().changes((replace(ACCEPTED, kind=Kind.REFUSED, n=0),))
    account = change.of_account(None)
    assert account.counts.count(What.REFUSED, Span.DAY, NOW) == account.counts.count(What.SENT, Span.DAY, NOW) == 1


def test_mail_that_was_not_scanned_is_counted_and_not_learned() -> None:
    ((_, change), *_) = tally().changes((replace(ACCEPTED, verdict=Verdict(Action.ACCEPT, unscanned=True)),))
    assert change == Change(NOW, {What.SENT: 1.0, What.RECIPIENTS: 1.0})
    assert change.of_account(None).recent == ()


@pytest.mark.parametrize(("kind", "what"), [(Kind.COMPLAINT, What.COMPLAINTS), (Kind.UNSUBSCRIBE, What.UNSUBSCRIBES)])
def test_what_recipients_say_counts_as_soon_as_somebody_tells(kind: Kind, what: What) -> None:
    (_, change), *_ = tally().changes((later(kind),))
    assert change.happened == {what: 1.0}


def test_a_person_who_resumes_a_credential_calms_its_account() -> None:
    ((key, change),) = tally().changes((later(Kind.RESUMED, author="ann"),))
    assert (key, change.of_account(settled()).recent) == ("account.shop.orders", ())
