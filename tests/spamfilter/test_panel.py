"""Who reads content: rules without a model, a model, and one in its shadow that reads the same features."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from model_fixtures import write_small_model
from paquebot.mail.verdict import Levels
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.judge import BIAS
from paquebot.spamfilter.panel import Panel, load

Compose = Callable[..., Facts]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.npz"
    write_small_model(path)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    return Model.load(path)


def test_without_a_model_rules_read(facts_of: Compose) -> None:
    here, beside = Panel().read(facts_of())
    assert (here.opinion.logit, here.digest, here.levels, beside) == (BIAS, "", Levels(), None)


def test_a_model_reads_with_its_own_levels_and_name(facts_of: Compose, model: Model) -> None:
    here, beside = Panel(model).read(facts_of())
    assert (here.opinion, here.digest) == (model.opinion(facts_of()), model.digest)
    assert (here.levels, beside) == (Levels(*model.levels), None)


def test_the_one_in_the_shadow_says_what_it_would_alone(facts_of: Compose, model: Model) -> None:
    other = replace(model, digest="other", offset=model.offset + 2.0)
    here, beside = Panel(model, other).read(facts_of())
    assert beside is not None
    assert (here.opinion, beside.opinion) == (model.opinion(facts_of()), other.opinion(facts_of()))
    here, beside = Panel(None, other).read(facts_of())
    assert beside is not None
    assert (here.digest, beside.digest) == ("", "other")


def test_what_is_no_model_leaves_rules_at_work(path: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no model")
    assert load(tmp_path / "bad.npz") is None
    assert load(tmp_path / "missing.npz") is None
    assert load(None) is None
    assert load(path) is not None
