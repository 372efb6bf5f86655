"""A tenant's delta: five releases let its newsletters through, it is capped and bounded, and it is nobody else's."""

import random

import pytest

from paquebot.spamfilter.delta import ENTRIES_MAX, LOGIT_MAX, Delta, Lesson, decode

HOLD = 1.4  # log-odds of 80%
NEWSLETTER = 2.5  # log-odds that the model gives to this family


def newsletter(number: int) -> tuple[int, ...]:
    """Return the words of an issue: half of them the family's, the rest its own."""
    chance = random.Random(number)
    return (*range(100), *(1000 + chance.randrange(100_000) for _ in range(100)))


def scam(number: int) -> tuple[int, ...]:
    """Return the words of unwanted mail that shares ten words with the newsletters."""
    chance = random.Random(-number)
    return (*range(10), *(500_000 + chance.randrange(100_000) for _ in range(190)))


def taught(*lessons: Lesson) -> Delta:
    delta = Delta()
    for lesson in lessons:
        delta = delta.after(lesson)
    return delta


def released(number: int) -> Lesson:
    return Lesson(newsletter(number), NEWSLETTER, is_wanted=True, weight=1.0)


def test_five_releases_take_a_newsletter_family_below_the_threshold_and_unwanted_mail_stays_above() -> None:
    delta = taught(*(released(number) for number in range(5)))
    issues = [NEWSLETTER + delta.logit(newsletter(number)) for number in range(100, 120)]
    assert max(issues) < HOLD
    scams = [3.0 + delta.logit(scam(number)) for number in range(20)]
    assert min(scams) > HOLD


def test_one_release_moves_less_than_five() -> None:
    once, five = taught(released(0)), taught(*(released(number) for number in range(5)))
    assert five.logit(newsletter(100)) < once.logit(newsletter(100)) < 0.0


def test_refusals_move_the_other_way_and_a_lighter_word_moves_less() -> None:
    whole = taught(Lesson((1, 2, 3), -2.0, is_wanted=False, weight=1.0)).logit((1, 2, 3))
    light = taught(Lesson((1, 2, 3), -2.0, is_wanted=False, weight=0.1)).logit((1, 2, 3))
    assert 0.0 < light < whole / 4


@pytest.mark.parametrize(("is_wanted", "bound"), [(True, -LOGIT_MAX), (False, LOGIT_MAX)])
def test_however_often_it_is_told_it_adds_no_more_than_its_cap(is_wanted: bool, bound: float) -> None:
    lesson = Lesson(tuple(range(50)), 20.0 if is_wanted else -20.0, is_wanted=is_wanted, weight=1.0)
    assert taught(*[lesson] * 200).logit(tuple(range(50))) == bound


def test_it_has_a_bounded_number_of_entries_and_keeps_the_weightiest() -> None:
    delta = taught(*[released(0)] * 3)
    for number in range(60):
        delta = delta.after(Lesson(scam(number), 0.0, is_wanted=False, weight=0.1))
    assert len(delta.slots) == ENTRIES_MAX
    assert delta.logit(newsletter(0)) < -1.0


def test_a_tenant_without_lessons_is_judged_as_before() -> None:
    assert Delta().logit(newsletter(1)) == 0.0
    assert Delta().reasons(newsletter(1)) == ()
    assert taught(released(0)).logit((999_999,)) == 0.0
    assert taught(released(0)).logit(()) == 0.0


def test_it_says_what_it_adds_in_words() -> None:
    (reason,) = taught(*(released(number) for number in range(5))).reasons(newsletter(100))
    assert reason.weight < 0
    assert reason.text == "Mail like it was released before, of the same tenant."


def test_it_survives_the_store() -> None:
    delta = taught(released(0), released(1))
    again = decode(delta.encode())
    assert again is not None
    assert (again.lessons, again.logit(newsletter(0))) == (2, delta.logit(newsletter(0)))
    assert decode(Delta().encode()) is not None


def test_what_is_no_delta_is_none() -> None:
    whole = taught(released(0)).encode()
    assert [decode(each) for each in (b"", b"\x09" + whole[1:], whole[:-1], whole + b"x")] == [None] * 4
