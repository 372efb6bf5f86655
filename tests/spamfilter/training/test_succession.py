"""A model follows another only when it ranks as well and spares each kind of wanted mail as well."""

from dataclasses import replace

import pytest

from paquebot.spamfilter.training.evaluation import Figures, Share
from paquebot.spamfilter.training.measures import Ranking, Trust
from paquebot.spamfilter.training.succession import KIND_MIN, faults

NEWS = Share("news", spam=False, messages=1000, held=0.01, rejected=0.0)
SPAM = Share("news", spam=True, messages=1000, held=0.9, rejected=0.5)
BEFORE = Figures(Ranking(1000, 1000, 0.99, 0.7, 0.9), Trust(0.01, 0.02), 0.8, 0.99, (NEWS, SPAM), (), ())


def after(**changes: object) -> Figures:
    return replace(BEFORE, **changes)  # type: ignore[arg-type]


def of_news(**changes: float) -> Figures:
    return after(by_source=(replace(NEWS, **changes), SPAM))


def test_one_that_is_as_good_may_follow() -> None:
    assert faults(BEFORE, BEFORE) == []
    assert faults(BEFORE, of_news(held=0.015, rejected=0.001)) == []


@pytest.mark.parametrize(
    ("successor", "said"),
    [
        (after(ranking=replace(BEFORE.ranking, area=0.987)), "its area under the curve is 0.9870, it was 0.9900"),
        (after(ranking=replace(BEFORE.ranking, recall_1=0.87)), "at 1 % false positives it finds 0.870"),
        (of_news(held=0.016), "it holds 1.60 % of wanted mail of news, it was 1.00 %"),
        (of_news(rejected=0.002), "it rejects 0.20 % of wanted mail of news, it was 0.00 %"),
    ],
)
def test_one_that_is_worse_in_anything_may_not(successor: Figures, said: str) -> None:
    (fault,) = faults(BEFORE, successor)
    assert fault.startswith(said)


def test_a_kind_of_too_few_messages_or_a_new_one_decides_nothing() -> None:
    few = replace(NEWS, messages=KIND_MIN - 1, held=0.5)
    assert faults(BEFORE, after(by_source=(few,))) == []
    assert faults(BEFORE, after(by_source=(NEWS, replace(NEWS, kind="new", held=0.5)))) == []


def test_that_more_unwanted_mail_is_held_is_no_fault() -> None:
    assert faults(BEFORE, after(by_source=(NEWS, replace(SPAM, held=1.0, rejected=1.0)))) == []
