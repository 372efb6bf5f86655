"""Rules over the author: forged and look-alike senders speak, ordinary ones do not."""

from collections.abc import Callable

import pytest

from paquebot.spamfilter import sender_rules as rules
from paquebot.spamfilter.facts import Facts

Compose = Callable[..., Facts]


@pytest.mark.parametrize(
    ("author", "speaks"),
    [
        ('"boss@two.example" <ann@one.example>', True),
        ('"Boss (boss@two.example)" <ann@one.example>', True),
        ('"=?utf-8?q?boss=40two.example?=" <ann@one.example>', True),
        ('"ann@one.example" <ann@one.example>', False),
        ('"ann@mail.one.example" <ann@one.example>', False),
        ('"Ann @ the office" <ann@one.example>', False),
        ("ann@one.example", False),
        ("nobody", False),
    ],
)
def test_a_name_that_is_an_address_elsewhere_is_told(facts_of: Compose, author: str, *, speaks: bool) -> None:
    assert (rules.display_address(facts_of(From=author)) is not None) is speaks


@pytest.mark.parametrize(
    ("author", "weight"),
    [
        ("PayPal <service@gmail.com>", 2.5),
        ("PayPal Service <service@one.example>", 1.2),
        ("PayPal <service@paypal.com>", 0),
        ("PayPal <service@mail.paypal.de>", 0),
        ("Paypalina <p@one.example>", 0),
        ("<p@one.example>", 0),
        ("nobody", 0),
    ],
)
def test_a_borrowed_name_is_told_and_weighs_more_from_a_free_mailbox(
    facts_of: Compose, author: str, weight: float
) -> None:
    reason = rules.display_well_known(facts_of(From=author))
    assert (reason.weight if reason else 0) == weight


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ("paypa1.com", "looks like paypal.com"),
        ("stearnship.example", "looks like steamship.example"),  # one of the tenant's own
        ("paypal.com.login.example", "begins with the name"),
        ("xn--unrelted-g8g.example", "mixes letters"),
        ("one.example", ""),
        ("paypal.com", ""),
    ],
)
def test_a_look_alike_domain_is_told(facts_of: Compose, domain: str, says: str) -> None:
    reason = rules.author_domain_imitates(facts_of(From=f"a@{domain}"))
    assert says in (reason.text if reason else "")
    assert (reason is not None) is bool(says)


@pytest.mark.parametrize(
    ("reply_to", "author", "weight"),
    [
        ("x@gmail.com", "ann@one.example", 1.5),
        ("x@gmail.com", "ann@yahoo.com", 0.3),
        ("x@two.example", "ann@one.example", 0.3),
        ("x@stearnship.example", "ann@one.example", 3.0),
        ("x@mail.one.example", "ann@one.example", 0),
        (None, "ann@one.example", 0),
        ("x@two.example", "nobody", 0),
    ],
)
def test_answers_that_go_elsewhere_weigh_by_where(
    facts_of: Compose, reply_to: str | None, author: str, weight: float
) -> None:
    reason = rules.reply_to_elsewhere(facts_of(From=author, Reply_To=reply_to))
    assert (reason.weight if reason else 0) == weight


@pytest.mark.parametrize(
    ("reverse_path", "author", "weight"),
    [
        ("x@two.example", "ann@one.example", 0.5),
        ("x@two.example", "ann@paypal.com", 2.5),
        ("x@bounce.ONE.example", "ann@one.example", 0),
        ("", "ann@one.example", 0),
        ("x@two.example", "nobody", 0),
    ],
)
def test_a_reverse_path_elsewhere_is_told(facts_of: Compose, reverse_path: str, author: str, weight: float) -> None:
    reason = rules.author_not_envelope(facts_of(reverse_path=reverse_path, From=author))
    assert (reason.weight if reason else 0) == weight
