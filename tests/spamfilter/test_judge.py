"""From facts to verdicts: sums, thresholds, shadow mode, and sound mail spared."""

from base64 import b64encode
from collections.abc import Callable

import pytest

from paquebot.mail.verdict import Action, Levels, Reason, Terms
from paquebot.policy.values import Thresholds
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.judge import RULES, TERMS, Evidence, action_for, judge, weigh

Compose = Callable[..., Facts]
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
_HOLDING = Levels(tag=0.5, hold=0.8, reject=0.95)
_FROM_CONTENT = (Reason("model", 1.0, "It reads like it."),)
_LISTED = (Reason("reputation", 1.5, "Its account has been complained about."),)
_HARD = (Reason("executable_attachment", 8.0, "An attachment is a program."),)
_HARMLESS = (Reason("executable_attachment", 1.0, "An attached archive is encrypted."),)


def test_sound_mail_is_accepted_without_any_reason(facts_of: Compose) -> None:
    verdict = judge(facts_of(), Thresholds())
    assert verdict.action is Action.ACCEPT
    assert verdict.reasons == ()
    assert verdict.probability < 0.05


def test_the_test_string_is_rejected_with_certainty(facts_of: Compose) -> None:
    verdict = judge(facts_of(GTUBE), Thresholds())
    assert (verdict.action, verdict.probability) == (Action.REJECT, 1.0)
    assert verdict.reasons[0].rule == "gtube"


def test_a_program_as_attachment_is_rejected_by_default(facts_of: Compose) -> None:
    body = b64encode(b"\x7fELF\x02\x01\x01\0").decode()
    facts = facts_of(body, Content_Type="application/pdf; name=a.pdf", Content_Transfer_Encoding="base64")
    assert judge(facts, Thresholds()).action is Action.REJECT


def test_phishing_adds_up(html_of: Compose) -> None:
    facts = html_of('<a href="https://x.example/">www.paypal.com</a>', From='"PayPal" <service@gmail.com>')
    verdict = judge(facts, Thresholds())
    assert verdict.action is Action.TAG
    assert {reason.rule for reason in verdict.reasons} >= {"deceptive_link", "display_well_known"}
    weights = [reason.weight for reason in verdict.reasons]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("probability", "action"),
    [
        (0.0, Action.ACCEPT), (0.4999, Action.ACCEPT), (0.5, Action.TAG), (0.7999, Action.TAG), (0.8, Action.HOLD),
        (0.9499, Action.HOLD), (0.95, Action.REJECT), (1.0, Action.REJECT),
    ],
)  # fmt: skip
def test_a_threshold_is_reached_at_its_value(probability: float, action: Action) -> None:
    assert action_for(probability, _HOLDING) is action


def test_a_threshold_above_one_is_never_reached() -> None:
    assert action_for(1.0, Levels(tag=2.0, hold=2.0, reject=2.0)) is Action.ACCEPT


def test_shadow_mode_accepts_and_says_what_it_would_have_done(facts_of: Compose) -> None:
    verdict = judge(facts_of(GTUBE), Thresholds(shadow=True))
    assert (verdict.action, verdict.shadow_action) == (Action.ACCEPT, Action.REJECT)
    assert judge(facts_of(), Thresholds()).shadow_action is None


def test_another_term_is_one_more_summand(facts_of: Compose) -> None:
    alone = judge(facts_of(), Thresholds())
    more = judge(facts_of(), Thresholds(), (*TERMS, lambda _: (Reason("model", 4.0, "It reads like it."),)))
    assert alone.probability < 0.05
    assert more.probability == pytest.approx(0.5)
    assert more.reasons == (Reason("model", 4.0, "It reads like it."),)


@pytest.mark.parametrize("weight", [-1e9, 1e9])
def test_any_weight_gives_a_probability(facts_of: Compose, weight: float) -> None:
    probability = judge(facts_of(), Thresholds(), (lambda _: (Reason("x", weight, "X."),),)).probability
    assert 0.0 <= probability <= 1.0


def test_every_rule_has_a_name_of_its_own_that_its_reason_bears(facts_of: Compose) -> None:
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
    spoken = [reason for rule in RULES if (reason := rule(facts_of(GTUBE, To=None, Subject=None, Date="x")))]
    assert {reason.rule for reason in spoken} == {"gtube", "no_recipient_field", "no_subject", "malformed_date"}


@pytest.mark.parametrize(
    ("evidence", "action"),
    [
        (Evidence(logit=-2.0), Action.ACCEPT),
        (Evidence(logit=0.5), Action.TAG),
        (Evidence(logit=2.0), Action.HOLD),
        # likely enough to be rejected, but content alone says so
        (Evidence(logit=5.0, content=_FROM_CONTENT), Action.HOLD),
        (Evidence(logit=5.0, content=_HARMLESS), Action.HOLD),
        (Evidence(logit=2.0, delta=(Reason("delta", 3.0, "Such mail was refused."),)), Action.HOLD),
        (Evidence(logit=5.0, reputation=(Reason("x", 0.9, "X."),)), Action.HOLD),
        # one more speaks
        (Evidence(logit=3.0, reputation=_LISTED), Action.REJECT),
        (Evidence(logit=3.0, behaviour=_LISTED), Action.REJECT),
        (Evidence(logit=4.0, content=_HARD), Action.REJECT),
        (Evidence(logit=3.0, reputation=_LISTED, trusted=True), Action.REJECT),
        (Evidence(logit=3.0, reputation=_LISTED, well_known=False), Action.REJECT),
        # reputation without content
        (Evidence(logit=-0.1, reputation=(Reason("x", 9.0, "X."),)), Action.HOLD),
        # nearly certain, of content alone: 0.9995 is 7.6 in log-odds
        (Evidence(logit=7.5), Action.HOLD),
        (Evidence(logit=7.7), Action.REJECT),
        (Evidence(logit=20.0, trusted=True), Action.HOLD),
        (Evidence(logit=20.0, well_known=False), Action.HOLD),
        # what speaks for it
        (Evidence(logit=5.0, reputation=(Reason("x", -6.0, "X."),)), Action.ACCEPT),
        # an alarm wants it held whatever it is
        (Evidence(logit=-4.0, at_least=Action.HOLD), Action.HOLD),
        (Evidence(logit=3.0, reputation=_LISTED, at_least=Action.HOLD), Action.REJECT),
    ],
)
def test_what_becomes_of_a_message(evidence: Evidence, action: Action) -> None:
    assert weigh(evidence, Thresholds(), _HOLDING).action is action


def test_what_may_not_be_rejected_is_tagged_where_nothing_is_held() -> None:
    verdict = weigh(Evidence(logit=5.0), Thresholds(tag=0.5, hold=2.0, reject=0.95), _HOLDING)
    assert verdict.action is Action.TAG


def test_how_certain_content_alone_must_be_is_the_domains_to_say() -> None:
    assert weigh(Evidence(logit=5.0), Thresholds(certain=0.99), _HOLDING).action is Action.REJECT
    assert weigh(Evidence(logit=600.0), Thresholds(certain=2.0), _HOLDING).action is Action.HOLD


def test_a_verdict_has_five_reasons_of_all_terms_and_names_the_model() -> None:
    many = tuple(Reason(f"r{weight}", weight, "R.") for weight in range(1, 7))
    verdict = weigh(Evidence(logit=3.0, content=many, reputation=(Reason("x", -9.0, "X."),), model="abc"), Thresholds())
    assert [reason.rule for reason in verdict.reasons] == ["x", "r6", "r5", "r4", "r3"]
    assert verdict.model == "abc"
    assert verdict.terms == Terms(content=3.0, reputation=-9.0)
    assert verdict.levels == Levels()
