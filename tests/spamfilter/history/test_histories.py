"""Histories in memory: own messages at once, once; what is not here is wished for."""

from dataclasses import replace

import pytest

from history_support import BEGIN_S, settled
from paquebot.mail.envelope import Envelope
from paquebot.mail.origin import Origin
from paquebot.mail.principal import Principal
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.history import histories as module
from paquebot.spamfilter.history.account import newcomer
from paquebot.spamfilter.history.codec import encode_account, encode_counts
from paquebot.spamfilter.history.counts import Span, What, unseen
from paquebot.spamfilter.history.histories import OWN_S, Histories
from paquebot.spamfilter.history.keys import Hashes, account_key, sent_of
from paquebot.spamfilter.history.standing import Step

HASHES = Hashes(b"k" * 32)
KEY = account_key("shop", "orders")
NOW = BEGIN_S + 1e6


def facts(number: int, address: str = "192.0.2.7") -> Facts:
    content = b"From: Ann <ann@shop.example>\r\n\r\nLook at https://evil.example/ now.\r\n"
    origin = Origin(f"id-{number}", "shop", "orders", address, "laptop")
    envelope = Envelope("ann@shop.example", (f"someone{number}@far.example",))
    return gather(content, envelope, Principal("shop", "orders"), origin)


def sent_in(histories: Histories) -> float:
    return histories.accounts[KEY].now.counts.count(What.SENT, Span.HOUR, NOW)


def test_an_account_is_unknown_at_first_and_wished_for() -> None:
    histories = Histories(HASHES)
    standing = histories.standing(facts(1), -4.0, NOW)
    assert (standing.reputation, standing.behaviour, standing.trusted, standing.alarm) == ((), (), False, None)
    assert standing.traits.author == "shop.example"
    wished = list(histories.wished(100))
    assert KEY in wished
    assert "domain.shop_example" in wished
    assert not list(histories.wished(100))


def test_what_is_judged_here_counts_at_once_and_once() -> None:
    histories = Histories(HASHES)
    for number in (1, 2, 2):
        histories.standing(facts(number), -4.0, NOW)
    assert sent_in(histories) == 2


def test_what_the_store_tells_of_is_not_counted_again() -> None:
    histories = Histories(HASHES)
    first = histories.standing(facts(1), -4.0, NOW)
    histories.standing(facts(2), -4.0, NOW)
    stored = newcomer(NOW).after(sent_of(first.traits, "id-1", ("someone1@far.example",), NOW, HASHES))
    histories.learn(KEY, encode_account(stored), NOW)
    assert sent_in(histories) == 2
    assert len(histories.accounts[KEY].own) == 1


def test_what_was_never_accepted_is_forgotten() -> None:
    histories = Histories(HASHES)
    histories.standing(facts(1), -4.0, NOW)
    histories.learn(KEY, encode_account(newcomer(NOW)), NOW + OWN_S - 1)
    assert sent_in(histories) == 1
    histories.learn(KEY, encode_account(newcomer(NOW)), NOW + OWN_S)
    assert sent_in(histories) == 0


def test_an_alarm_rises_once_in_this_process() -> None:
    histories = Histories(HASHES)
    histories.standing(facts(0), -5.0, NOW)
    histories.learn(KEY, encode_account(settled()), NOW)
    found = [histories.standing(facts(number, "198.51.100.9"), 3.0, NOW + number) for number in range(1, 12)]
    risen = [each.alarm for each in found if each.risen]
    assert risen == sorted(set(risen), key=lambda step: step or 0)
    assert risen[-1] is Step.CANCEL
    assert found[-1].since_s <= NOW + 1
    assert {"own_content", "new_network"} <= {reason.rule for reason in found[-1].behaviour}


def test_other_keys_add_to_reputation_once_they_are_known() -> None:
    histories = Histories(HASHES)
    histories.standing(facts(1), -4.0, NOW)
    bad = unseen(NOW).after({What.SENT: 50.0, What.COMPLAINTS: 50.0}, NOW)
    histories.learn("link.evil_example", encode_counts(bad), NOW)
    standing = histories.standing(facts(2), -4.0, NOW)
    assert [reason.rule for reason in standing.reputation] == ["reputation_link"]


def test_what_is_not_in_memory_is_not_learned() -> None:
    histories = Histories(HASHES)
    histories.learn(KEY, encode_account(newcomer(NOW)), NOW)
    histories.learn("link.evil_example", encode_counts(unseen(NOW)), NOW)
    assert repr(histories) == "<Histories 0 accounts, 0 others, 0 wished for>"


def test_memory_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCOUNTS_MAX", 5)
    histories = Histories(HASHES)
    for number in range(30):
        origin = replace(facts(1).origin, id=str(number), credential=f"c{number}")
        histories.standing(replace(facts(1), origin=origin), -4.0, NOW)
    assert list(histories.accounts) == [account_key("shop", f"c{number}") for number in range(25, 30)]
