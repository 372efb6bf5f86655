import math
from collections.abc import Callable

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.reading import read
from paquebot.spamfilter.shape import GROUPS, NAMES

Compose = Callable[..., Facts]


def form(facts: Facts) -> dict[str, float]:
    return dict(zip(NAMES, read(facts).shape.tolist(), strict=True))


def test_names_are_unique_and_each_has_a_group() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(GROUPS)


def test_a_message_without_header_fields_says_nothing_about_them() -> None:
    facts = gather(b"Subject: hello\r\n\r\nA body\r\n", Envelope("", ()), Principal("a", "b", any_sender=True))
    found = form(facts)
    assert all(math.isnan(found[name]) for name in NAMES if GROUPS[NAMES.index(name)] == "sender")


def test_an_author_who_borrows_a_name_and_wants_answers_elsewhere_shows(facts_of: Compose) -> None:
    found = form(facts_of(From="PayPal Service <x1234@gmx.de>", Reply_To="y@gmail.com"))
    assert (found["display_borrowed"], found["author_free"], found["reply_elsewhere"], found["reply_free"]) == (
        1,
        1,
        1,
        1,
    )
    assert form(facts_of())["display_borrowed"] == 0


def test_links_are_set_against_the_author(html_of: Compose) -> None:
    found = form(html_of('<a href="https://shop.one.example/a">a</a><a href="https://b-4.c.example/x">b</a>'))
    assert found["links_home"] == 1
    assert found["links_elsewhere"] == 0.5
    assert found["host_digits"] > 0


def test_one_button_and_hidden_text_show(html_of: Compose) -> None:
    found = form(html_of('<p style="display:none">unseen</p><a class="btn" href="https://a.example">Go</a>'))
    assert (found["one_button"], found["html_only"]) == (1, 1)
    assert found["hidden"] > 0
