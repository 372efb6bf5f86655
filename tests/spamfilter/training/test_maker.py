import json

import numpy as np

from model_fixtures import small_mail
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.training.card import card
from paquebot.spamfilter.training.evaluation import Answers
from paquebot.spamfilter.training.learner import small_recipes
from paquebot.spamfilter.training.maker import Plan, calibrate, make, thinned

PLAN = Plan(recipes=small_recipes(), fold_recipes=small_recipes())


def test_a_model_is_made_with_levels_in_order_and_a_card() -> None:
    made = make(small_mail(), PLAN)
    model = Model.of(made.arrays, "digest")
    tag, hold, reject = model.levels
    assert 0 <= tag <= hold <= reject <= 1
    assert made.calibration.slope > 0
    page = card("digest", made, small_mail(), PLAN, {"seed": 1, "of_each_label": 120})
    assert json.loads(json.dumps(page))["levels"]["hold"] == hold


def test_levels_are_what_few_wanted_messages_of_real_sources_reach() -> None:
    mail = small_mail()
    rng = np.random.default_rng(9)
    spread = (rng.normal(0, 1, len(mail)) + 2 * mail.spam).astype(np.float32)
    real = Answers(spread, mail.spam, np.full(len(mail), "real"), mail.languages)
    found = calibrate(real, mail)
    level = np.log(found.levels[1] / (1 - found.levels[1]))
    held = (found.slope * spread[~mail.spam] + found.offset >= level).mean()
    assert 0 < held <= 0.02


def test_thinning_keeps_some_of_every_source() -> None:
    mail = small_mail()
    lines = thinned(mail, 1, seed=1)
    assert set(mail.sources[lines]) == set(mail.sources)
    assert len(lines) == len(set(zip(mail.sources.tolist(), mail.spam.tolist(), strict=True)))
