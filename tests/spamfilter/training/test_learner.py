import numpy as np
import pytest

from model_fixtures import small_mail
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.training.learner import (
    Calibration,
    arrays_of,
    calibrated,
    learn,
    logits,
    small_recipes,
    well_known,
)


def test_learning_is_repeatable_and_fits_its_mail() -> None:
    mail = small_mail()
    first, second = (learn(mail, small_recipes()) for _ in range(2))
    assert np.array_equal(first.words.rows, second.words.rows)
    answers = logits(first, mail)
    assert (answers[mail.spam][:, None] > answers[~mail.spam]).mean() > 0.95


def test_a_loaded_model_answers_as_the_learned_one() -> None:
    mail = small_mail()
    learned = learn(mail, small_recipes())
    model = Model.of(arrays_of(learned, Calibration(slope=2.0, offset=1.0), ["en"]), "digest")
    assert (model.slope, model.offset, model.languages) == (2.0, 1.0, {"en"})
    line = mail.take(np.array([3]))
    forms = np.nan_to_num((line.shapes - model.form_mean) / model.form_scale).clip(-4, 4)
    bag = model.words.bag(line.words.values)
    by_model = model.words.logits(np.concatenate((bag[None], forms), axis=1).astype(np.float32))
    by_learned = learned.words.logits(
        np.concatenate((learned.words.bag(line.words.values)[None], forms), axis=1).astype(np.float32)
    )
    assert by_model == pytest.approx(by_learned, abs=0.3)


def test_calibration_finds_the_curve_that_answers_were_drawn_from() -> None:
    rng = np.random.default_rng(5)
    logit = rng.normal(0, 3, 40_000).astype(np.float32)
    spam = rng.random(40_000) < 1 / (1 + np.exp(-(0.5 * logit - 1)))
    slope, offset = calibrated(logit, spam, np.ones(40_000, np.float32))
    assert (slope, offset) == (pytest.approx(0.5, abs=0.03), pytest.approx(-1, abs=0.06))


def test_a_language_needs_unwanted_mail_enough() -> None:
    assert well_known(small_mail()) == []
