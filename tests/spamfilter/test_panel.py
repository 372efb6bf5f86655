"""Who reads content: rules without a model, a model, and one in its shadow that reads the same features."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from paquebot.mail.verdict import Levels
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.judge import BIAS
from paquebot.spamfilter.panel import Panel, load

Compose = Callable[..., Facts]


LONG = (
    "The ferry leaves the harbour at noon, so bring a coat, two apples and the map that Bob drew for us last winter; "
    "we shall walk along the cliffs until the lighthouse keeper waves from her window."
)


def test_of_a_few_plain_words_rules_decide_and_people_may_teach(
    facts_of: Compose, html_of: Compose, model: Model
) -> None:
    severe = Panel(replace(model, offset=9.0))
    here, _ = severe.read(facts_of("Hello, see you at noon."))
    assert (here.opinion.logit, here.digest) == (BIAS, model.digest)
    assert here.opinion.words
    for facts in (facts_of("Hello, see https://x.example/"), html_of("<p>Hello, see you</p>"), facts_of(LONG)):
        assert severe.read(facts)[0].opinion.logit > 0.0


def test_without_a_model_rules_read(facts_of: Compose) -> None:
    here, beside = Panel().read(facts_of())
    assert (here.opinion.logit, here.digest, here.levels, beside) == (BIAS, "", Levels(), None)


def test_a_model_reads_with_its_own_levels_and_name(facts_of: Compose, model: Model) -> None:
    here, beside = Panel(model).read(facts_of(LONG))
    assert (here.opinion, here.digest) == (model.opinion(facts_of(LONG)), model.digest)
    assert (here.levels, beside) == (Levels(*model.levels), None)


def test_the_one_in_the_shadow_says_what_it_would_alone(facts_of: Compose, model: Model) -> None:
    other = replace(model, digest="other", offset=model.offset + 2.0)
    here, beside = Panel(model, other).read(facts_of(LONG))
    assert beside is not None
    assert (here.opinion, beside.opinion) == (model.opinion(facts_of(LONG)), other.opinion(facts_of(LONG)))
    here, beside = Panel(None, other).read(facts_of(LONG))
    assert beside is not None
    assert (here.digest, beside.digest) == ("", "other")


def test_what_is_no_model_leaves_rules_at_work(path: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no model")
    assert load(tmp_path / "bad.npz") is None
    assert load(tmp_path / "missing.npz") is None
    assert load(None) is load(Path("none")) is None
    assert load(path) is not None
