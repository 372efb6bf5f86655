"""Rules over links: deceptive ones speak, a newsletter's do not shout."""

from collections.abc import Callable

import pytest

from paquebot.spamfilter import link_rules as rules
from paquebot.spamfilter.facts import Facts

Compose = Callable[..., Facts]


def _anchor(host: str, shown: str) -> str:
    return f'<a href="https://{host}/x">{shown}</a>'


@pytest.mark.parametrize(
    ("host", "shown", "weight"),
    [
        ("evil.example", "https://www.paypal.com/login", 3.0),
        ("evil.example", "www.bank.example", 1.2),
        ("tracker.example", "www.bank.test", 1.2),
        ("tracker.test", "www.one.example", 0.5),  # the sender's own name, its links counted by another
        ("click.one.example", "www.bank.example", 0),  # by the sender's own host
        ("www.bank.test", "bank.test", 0),
        ("evil.example", "Click here", 0),
    ],
)
def test_a_link_that_shows_another_host_weighs_by_whose_it_is(
    html_of: Compose, host: str, shown: str, weight: float
) -> None:
    reason = rules.deceptive_link(html_of(_anchor(host, shown)))
    assert (reason.weight if reason else 0) == weight


def test_the_worst_deceptive_link_counts(html_of: Compose) -> None:
    body = _anchor("tracker.test", "www.one.example") + _anchor("evil.test", "www.bank.example")
    reason = rules.deceptive_link(html_of(body))
    assert reason is not None
    assert reason.text == "A link shows bank.example and leads to evil.test."


@pytest.mark.parametrize(
    ("host", "speaks"),
    [
        ("paypa1.com", True),
        ("paypal.com.login.example", True),
        ("p\u0430ypal.com", True),
        ("stearnship.example", True),
        ("www.paypal.com", False),
        ("one.example", False),
    ],
)
def test_a_link_to_a_look_alike_is_told(html_of: Compose, facts_of: Compose, host: str, *, speaks: bool) -> None:
    assert (rules.link_host_imitates(html_of(_anchor(host, "x"))) is not None) is speaks
    assert (rules.link_host_imitates(facts_of(f"see https://{host}/x")) is not None) is speaks


@pytest.mark.parametrize(
    ("rule", "anchor"),
    [
        (rules.numeric_link, _anchor("192.0.2.1", "x")),
        (rules.link_with_user, _anchor("bank.example@one.example", "x")),
        (rules.script_link, '<a href="javascript:x()">x</a>'),
        (rules.html_script, "<script>x()</script>"),
    ],
)
def test_links_that_hide_where_they_lead_are_told(
    html_of: Compose, rule: Callable[[Facts], object], anchor: str
) -> None:
    assert rule(html_of(anchor)) is not None
    assert rule(html_of(_anchor("one.example", "x"))) is None


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        ('<form action="https://x.example"><input type="password"></form>', 4.0),
        ("<FORM><input type=password></FORM>", 4.0),
        ('<form><input type="text"></form>', 0.8),
        ("<p>form</p>", 0),
    ],
)
def test_a_form_weighs_more_when_it_asks_for_a_password(html_of: Compose, body: str, weight: float) -> None:
    reason = rules.html_form(html_of(body))
    assert (reason.weight if reason else 0) == weight


def test_a_form_in_plain_text_is_only_text(facts_of: Compose) -> None:
    assert rules.html_form(facts_of("<form><script>")) is None
    assert rules.html_script(facts_of("<form><script>")) is None
