import random

import pytest

from paquebot.spamfilter.training.wording import NESTING_MAX, wording


def readings(text: str) -> set[str]:
    drawn = wording(text)
    return {drawn.draw(random.Random(seed), lambda name: f"<{name}>") for seed in range(60)}


def test_bars_divide_a_text_and_brackets_a_part_of_it() -> None:
    assert readings("yes|no") == {"yes", "no"}
    assert readings("a [b|c] d") == {"a b d", "a c d"}


def test_choices_may_be_nested_and_empty() -> None:
    assert readings("[very [much|so]|]!") == {"very much!", "very so!", "!"}


def test_slots_are_filled_in_the_case_they_ask_for() -> None:
    assert readings("{amount_2} of {brand:upper}") == {"<amount_2> of <BRAND>"}


def test_a_backslash_takes_the_next_character_as_it_is() -> None:
    assert readings(r"\[x\] \{y\} a\|b") == {"[x] {y} a|b"}


@pytest.mark.parametrize("text", ["[a|b", "a]", "{", "{Amount}", "[" * (NESTING_MAX + 1) + "]" * (NESTING_MAX + 1)])
def test_what_cannot_be_read_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|add|say it"):
        wording(text)


def test_slots_are_named_wherever_they_stand() -> None:
    assert {slot.base for slot in wording("{brand}|[{amount_1}|[{date}|]]").slots()} == {"brand", "amount", "date"}
