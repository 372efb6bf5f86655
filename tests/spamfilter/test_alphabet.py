import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paquebot.spamfilter.alphabet import TEXT_MAX, letters


def shown(text: str) -> str:
    return "".join(map(chr, letters(text).points)).strip()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("It's $15.99, today!", "it ' s $ 15 . 99 , today !"),  # as old collections space it
        ("ＦＵＬＬ ｗｉｄｔｈ １２３", "full width 947"),  # noqa: RUF001
        ("in\u200bvo\u00adice", "invoice"),
        ("Ｐay\u200dpal   ﬁne", "paypal fine"),  # noqa: RUF001
        ("write to ann@one.example or bob @ two . example", "write to x@y.example or x@y.example"),
        ("see http://a.example/b?c=1 now", "see https://other.example now"),
        ("see http : / / www . a . example / b now", "see www.a.example now"),
    ],
)
def test_what_reads_the_same_is_the_same(text: str, same: str) -> None:
    assert shown(text) == shown(same)


def test_look_alike_letters_are_folded_where_scripts_are_mixed_and_nowhere_else() -> None:
    mixed = letters("Pаypal аccount")  # noqa: RUF001  (Cyrillic a)
    assert "".join(map(chr, mixed.points)).strip() == "paypal account"
    assert mixed.mixed_words == 2
    assert shown("оплата счёта") == "оплата счёта"


def test_marks_with_a_meaning_are_tokens_and_others_divide() -> None:
    assert shown("Free!!! 👍50% (really)…") == "free ! ! ! 👍 00 % really"


def test_zero_width_letters_are_counted() -> None:
    assert letters("a\u200bb\u200bc").zero_width == 2


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_text_fails_and_spaces_are_single(text: str) -> None:
    found = shown(text)
    assert "  " not in found


@pytest.mark.parametrize(
    "text",
    ["a@" * 20_000, "aa." * 20_000 + ".com", "http://" * 9_000, "\u0390" * 90_000, "\ufdfa" * TEXT_MAX, "!" * 90_000],
)
def test_what_is_made_to_be_slow_is_read_within_bounds(text: str) -> None:
    started = time.thread_time()
    assert letters(text).points.size <= 3 * TEXT_MAX
    assert time.thread_time() - started < 2  # quadratic work takes minutes
