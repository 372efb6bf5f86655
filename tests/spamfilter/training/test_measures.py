import numpy as np
import pytest

from paquebot.spamfilter.training.measures import curve, level_at, ranking, recall_at, trust


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(1)
    logits, spam = rng.normal(0, 1, 300).astype(np.float32), rng.random(300) < 0.4
    logits[spam] += 1
    logits = np.round(logits, 1)  # with ties
    pairs = logits[spam][:, None] - logits[~spam]
    assert ranking(logits, spam).area == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_recall_counts_what_lies_above_the_allowed_share_of_wanted_mail() -> None:
    wanted, unwanted = np.arange(1000, dtype=np.float32), np.array([998.5, 990.5, 5], np.float32)
    logits = np.concatenate((wanted, unwanted))
    spam = np.concatenate((np.zeros(1000, np.bool_), np.ones(3, np.bool_)))
    assert level_at(wanted, 0.001) == 998
    assert recall_at(logits, spam, 0.001) == pytest.approx(1 / 3)
    assert recall_at(logits, spam, 0.01) == pytest.approx(2 / 3)


def test_one_label_alone_has_no_ranking() -> None:
    assert np.isnan(ranking(np.ones(3, np.float32), np.ones(3, np.bool_)).area)


def test_probabilities_that_come_true_have_no_calibration_error() -> None:
    rng = np.random.default_rng(2)
    said = rng.random(50_000).astype(np.float32)
    true = rng.random(50_000) < said
    assert trust(said, true).calibration_error < 0.02
    assert trust(np.full(4, 0.9, np.float32), np.zeros(4, np.bool_)).calibration_error == pytest.approx(0.9, abs=1e-6)
    assert trust(np.zeros(4, np.float32), np.zeros(4, np.bool_)).brier == 0


def test_a_curve_rises_from_left_to_right() -> None:
    rng = np.random.default_rng(3)
    points = curve(rng.normal(0, 1, 500).astype(np.float32), rng.random(500) < 0.5)
    assert points == sorted(points)
    assert points[-1][0] == 1
