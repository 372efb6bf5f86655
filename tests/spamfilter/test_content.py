import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model_fixtures import composed, write_small_model
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.content import SHIPPED, WORDS_MAX, Model, ModelUnusableError
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.reading import read

Compose = Callable[..., Facts]


def facts_of_content(content: bytes) -> Facts:
    return gather(content, Envelope("", ("b@two.example",)), Principal("a", "b", any_sender=True))


def test_a_model_tells_mail_of_its_kind_apart(model: Model) -> None:
    mail = composed(7, 60)
    logits = np.array([model.opinion(facts_of_content(each.content)).logit for each in mail])
    spam = np.array([each.spam for each in mail])
    right = (logits[spam][:, None] > logits[~spam]).mean()
    assert right > 0.85


def test_weights_of_reasons_and_the_models_own_level_add_up(model: Model) -> None:
    for each in composed(8, 5):
        facts = facts_of_content(each.content)
        opinion, nothing = model.opinion(facts), model._stages(read(facts))[0]
        assert opinion.logit - nothing == pytest.approx(sum(reason.weight for reason in opinion.reasons), abs=1.0)


def test_reasons_speak_of_groups_never_of_words(model: Model, facts_of: Compose) -> None:
    opinion = model.opinion(facts_of("Your zebra-parcel is waiting: pay the fee"))
    assert opinion.reasons
    assert all(reason.text.endswith("mail.") and "zebra" not in reason.text for reason in opinion.reasons)


def test_facts_that_a_model_cannot_see_add_their_weight(model: Model, facts_of: Compose) -> None:
    test_string = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    assert model.opinion(facts_of(test_string)).logit > 900


def test_languages_of_little_training_are_told(model: Model, facts_of: Compose) -> None:
    assert model.opinion(facts_of("The parcel is on its way to you and will be with you on Monday")).well_known
    assert not model.opinion(facts_of("Ваша посылка уже в пути и будет доставлена в понедельник")).well_known


def test_words_are_bounded(model: Model, facts_of: Compose) -> None:
    text = " ".join(f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(600))
    words = model.opinion(facts_of(text)).words
    assert len(words) == WORDS_MAX == len(set(words))


def test_empty_content_has_an_opinion(model: Model) -> None:
    assert abs(model.opinion(facts_of_content(b"")).logit) < 50


def test_the_same_file_is_the_same_model(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npz"
    digest = write_small_model(other)
    assert digest == Model.load(path).digest
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04 no archive", b"\x80\x04\x95pickle", b"x" * 1000])
def test_a_file_that_is_no_model_is_refused_with_the_cure(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(octets)
    with pytest.raises(ModelUnusableError, match="spam train"):
        Model.load(path)


def test_a_missing_file_and_other_features_are_refused(tmp_path: Path, path: Path) -> None:
    with pytest.raises(ModelUnusableError, match="cannot be read"):
        Model.load(tmp_path / "none.npz")
    with np.load(path) as arrays:
        changed = {name: arrays[name] for name in arrays.files} | {"features": np.array(["other"])}
    np.savez(tmp_path / "other.npz", **changed)
    with pytest.raises(ModelUnusableError, match="train it anew"):
        Model.load(tmp_path / "other.npz")


def test_a_tenants_words_are_those_of_the_message(model: Model, facts_of: Compose) -> None:
    facts = facts_of("Hello")
    assert set(model.opinion(facts).words) <= set(read(facts).words.tolist())
    assert replace(model, digest="x").opinion(facts) == model.opinion(facts)


@pytest.fixture(scope="module")
def shipped() -> Model:
    return Model.load(SHIPPED)


def test_the_shipped_model_is_the_one_of_its_card(shipped: Model) -> None:
    card = json.loads(SHIPPED.with_name("card.json").read_text())
    assert card["digest"] == shipped.digest
    assert SHIPPED.stat().st_size < 20_000_000
    assert 0 < shipped.levels[0] <= shipped.levels[1] <= shipped.levels[2] <= 1
    assert {"en", "de", "fr", "es"} <= shipped.languages == set(card["languages"])


def test_the_shipped_model_spares_plain_mail_of_people_and_programs(shipped: Model, facts_of: Compose) -> None:
    bodies = (
        "Hello",
        "Hi Bob,\r\n\r\nthe plan for Thursday is attached; could you look at page two?\r\n\r\nAnn",
        "Build 412 of main failed in the step tests. See the log for the reason.",
    )
    assert all(shipped.opinion(facts_of(body)).logit < log_odds(shipped.levels[1]) for body in bodies)


def test_the_shipped_model_tells_new_messages_of_stories_apart(shipped: Model) -> None:
    mail = composed(99, 40)
    logits = np.array([shipped.opinion(facts_of_content(each.content)).logit for each in mail])
    spam = np.array([each.spam for each in mail])
    assert (logits[spam][:, None] > logits[~spam]).mean() > 0.97


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
