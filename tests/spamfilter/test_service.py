"""The service: thresholds of the right domain, counters, and both methods over real gRPC."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from history_support import BEGIN_S, settled
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.verdict import Action
from paquebot.policy.takeover import Takeover, TakeoverAction
from paquebot.policy.values import MailDomain, Policy, SMTPCredential, Thresholds
from paquebot.queue.reputation import Shelf
from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.frame_client import FrameClient
from paquebot.runtime.readiness import Readiness
from paquebot.runtime.rpc_client import Channel
from paquebot.runtime.rpc_server import Caller, Server
from paquebot.runtime.settings import Address
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.delta import Delta, Lesson
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.history.codec import encode_account
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.keys import Hashes, account_key
from paquebot.spamfilter.history.standing import Step
from paquebot.spamfilter.judged import KEPT_S
from paquebot.spamfilter.learning import Notes, Taught
from paquebot.spamfilter.panel import Panel
from paquebot.spamfilter.service import SpamFilter
from paquebot.wire.spamfilter import JUDGE, JUDGE_STREAM, JudgeRequest

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
_CALLER = Caller("submission", {})
_OWN = Principal("shop", "own", senders=("*@two.example",))
_SENDER = Principal("shop", "shop.app", any_sender=True)
_SHADOW = MailDomain("shop", "one", "one.example", "shop_main", content=Thresholds(shadow=True))
_LENIENT = MailDomain("shop", "two", "two.example", "shop_main", content=Thresholds(tag=0.5, hold=0.9, reject=2))
_POLICY = Policy("r1", {domain.domain: domain for domain in (_SHADOW, _LENIENT)})


def spam_filter_of(policy: Policy) -> SpamFilter:
    return SpamFilter(policy, Histories(Hashes(b"k" * 32)))


def _request(author: str, body: bytes = GTUBE, reverse_path: str = "ann@other.example", **more: bool) -> JudgeRequest:
    section = (
        f"Date: Mon, 24 Nov 2025 12:00:00 +0000\r\nFrom: {author}\r\nTo: b@two.example\r\n"
        "Subject: Hi\r\nMessage-ID: <1@one.example>\r\n\r\n"
    ).encode()
    envelope = Envelope(reverse_path, ("b@two.example",))
    return JudgeRequest("id", _SENDER, envelope, section + body, **more)


@pytest.mark.parametrize(
    ("author", "reverse_path", "action", "shadow_action"),
    [
        ("ann@one.example", "ann@two.example", Action.ACCEPT, Action.REJECT),
        ("ann@sub.one.example", "", Action.ACCEPT, Action.REJECT),
        ("ann@two.example", "ann@one.example", Action.HOLD, None),
        ("ann@other.example", "ann@two.example", Action.HOLD, None),
        ("ann@other.example", "ann@other.example", Action.REJECT, None),
    ],
)
def test_thresholds_are_those_of_the_author_then_of_the_reverse_path_then_the_defaults(
    author: str, reverse_path: str, action: Action, shadow_action: Action | None
) -> None:
    verdict = spam_filter_of(_POLICY).answer(_request(author, reverse_path=reverse_path), _CALLER)
    assert (verdict.action, verdict.shadow_action) == (action, shadow_action)


def test_a_new_policy_is_in_force_for_the_next_message() -> None:
    spam_filter = spam_filter_of(Policy())
    assert spam_filter.answer(_request("ann@one.example"), _CALLER).action is Action.REJECT
    spam_filter.use(_POLICY)
    assert spam_filter.answer(_request("ann@one.example"), _CALLER).action is Action.ACCEPT


def test_a_sampled_message_is_marked_so() -> None:
    spam_filter = spam_filter_of(_POLICY)
    assert spam_filter.answer(_request("ann@two.example", sampled=True), _CALLER).sampled
    assert not spam_filter.answer(_request("ann@two.example"), _CALLER).sampled


def test_a_model_in_the_shadow_decides_nothing_and_its_differences_are_counted(model: Model) -> None:
    def counted() -> float:
        differs = {"action": "accept", "shadow_action": "hold"}
        return REGISTRY.get_sample_value("paquebot_spamfilter_shadow_model_total", differs) or 0

    before = counted()
    mild = replace(model, levels=(2.0, 2.0, 2.0))
    severe = replace(model, digest="severe", levels=(0.0, 0.0, 2.0))
    spam_filter = replace(spam_filter_of(Policy()), panel=Panel(mild, severe))
    verdict = spam_filter.answer(_request("ann@one.example", b"Hello\r\n"), _CALLER)
    assert (verdict.action, verdict.model) == (Action.ACCEPT, model.digest)
    assert counted() == before + 1


def test_what_was_learned_counts_for_its_tenant_alone_and_excuses_nothing_that_is_certain(model: Model) -> None:
    spam_filter = replace(spam_filter_of(Policy()), panel=Panel(model), taught=Taught(Shelf(None)))
    plain = spam_filter.answer(_request("ann@one.example", b"Hello\r\n"), _CALLER)
    words = model.opinion(gather(_request("ann@one.example", b"Hello\r\n").content, Envelope("", ()), _SENDER)).words
    delta = Delta()
    for _ in range(9):
        delta = delta.after(Lesson(words, 3.0, is_wanted=True, weight=1.0))
    spam_filter.taught.by_tenant["shop"] = delta
    taught = spam_filter.answer(_request("ann@one.example", b"Hello\r\n"), _CALLER)
    assert plain.terms.learned == 0.0
    assert taught.terms.learned == pytest.approx(delta.logit(words), abs=0.01)
    assert taught.probability < plain.probability
    assert spam_filter.answer(_request("ann@one.example"), _CALLER).terms.learned == 0.0  # GTUBE
    spam_filter.taught.by_tenant["news"] = spam_filter.taught.by_tenant.pop("shop")
    assert spam_filter.answer(_request("ann@one.example", b"Hello\r\n"), _CALLER).terms.learned == 0.0


def test_what_people_may_teach_by_is_kept_of_what_was_not_plainly_let_through(model: Model) -> None:
    spam_filter = replace(spam_filter_of(Policy()), panel=Panel(model), notes=Notes(Shelf(None)))
    spam_filter.panel = Panel(replace(model, offset=-20.0, levels=(2.0, 2.0, 2.0)))
    spam_filter.answer(_request("ann@one.example", b"Hello\r\n"), _CALLER)
    assert not spam_filter.notes.waiting
    spam_filter.panel = Panel(replace(model, levels=(0.0, 0.0, 2.0)))
    spam_filter.answer(_request("ann@one.example", b"Hello\r\n"), _CALLER)
    ((key, (kept, ttl_s)),) = spam_filter.notes.waiting.items()
    assert (key, ttl_s) == ("shop.id", 4 * 3600 + KEPT_S)
    assert b"Hello" not in kept


def test_verdicts_and_rules_are_counted() -> None:
    def counts() -> tuple[float, float]:
        rejected = {"action": "reject", "shadow_action": ""}
        return (
            REGISTRY.get_sample_value("paquebot_spamfilter_verdicts_total", rejected) or 0,
            REGISTRY.get_sample_value("paquebot_spamfilter_rule_hits_total", {"rule": "gtube"}) or 0,
        )

    before = counts()
    spam_filter_of(Policy()).answer(_request("ann@one.example"), _CALLER)
    assert counts() == (before[0] + 1, before[1] + 1)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identities")
    create_authority(root / "authority")
    for name in ("submission", "spamfilter"):
        issue(root / "authority", name, root / name, ())
    return root


@pytest.fixture
async def port(identities: Path) -> AsyncIterator[int]:
    spam_filter = spam_filter_of(_POLICY)
    server = Server(Address("127.0.0.1", 0), identities / "spamfilter", Readiness())
    server.stream(JUDGE_STREAM, spam_filter.answer, frozenset({"submission"}))
    server.unary(JUDGE, spam_filter.answer_one, frozenset({"submission"}))
    yield await server.start()
    await server.stop(0)


async def test_a_stream_of_frames_is_answered(port: int, identities: Path) -> None:
    client = FrameClient(Address("127.0.0.1", port), identities / "submission", JUDGE_STREAM, "spamfilter")
    client.start()
    bad, good = (
        client.ask(_request("ann@other.example"), 10),
        client.ask(_request("ann@other.example", b"Hello\r\n"), 10),
    )
    verdict = await bad
    assert (verdict.action, verdict.probability, verdict.reasons[0].rule) == (Action.REJECT, 1.0, "gtube")
    assert (await good).action is Action.ACCEPT
    await client.close()


async def test_a_single_call_is_answered_alike(port: int, identities: Path) -> None:
    channel = Channel(f"127.0.0.1:{port}", identities / "submission", "spamfilter")
    verdict = await channel.unary(JUDGE, _request("ann@one.example"), 10)
    assert (verdict.action, verdict.shadow_action) == (Action.ACCEPT, Action.REJECT)
    await channel.close()


@pytest.mark.parametrize(
    ("action", "held", "step"),
    [
        (TakeoverAction.OBSERVE, Action.ACCEPT, None),
        (TakeoverAction.HOLD, Action.HOLD, Step.HOLD),
        (TakeoverAction.SUSPEND, Action.HOLD, Step.SUSPEND),
        (TakeoverAction.CANCEL, Action.HOLD, Step.CANCEL),
    ],
)
def test_an_account_that_changes_is_held_and_answered_as_far_as_the_policy_goes(
    action: TakeoverAction, held: Action, step: Step | None
) -> None:
    told: list[Step | None] = []
    histories = Histories(Hashes(b"k" * 32))
    quiet = MailDomain("shop", "three", "three.example", "shop_main", content=Thresholds(tag=2, hold=2, reject=2))
    app = SMTPCredential("shop", "shop.app", takeover=Takeover(action))
    policy = Policy("r1", {quiet.domain: quiet}, credentials={app.username: app})
    now_s = BEGIN_S + 1e6
    spam_filter = SpamFilter(
        policy, histories, respond=lambda _origin, _standing, taken: told.append(taken), clock_s=lambda: now_s
    )
    verdict = spam_filter.answer(_request("ann@three.example", b"Hello\r\n"), _CALLER)
    assert verdict.action is Action.ACCEPT
    histories.learn(account_key("shop", "shop.app"), encode_account(settled()), now_s)
    for number in range(12):
        request = replace(_request("ann@three.example"), id=f"id-{number}", client_address="198.51.100.9")
        verdict = spam_filter.answer(request, _CALLER)
    assert (verdict.action, verdict.alarmed, told[-1]) == (held, True, step)


def test_who_is_only_faster_and_elsewhere_is_asked_to_come_later() -> None:
    histories = Histories(Hashes(b"k" * 32))
    now_s = BEGIN_S + 1e6
    spam_filter = SpamFilter(_POLICY, histories, clock_s=lambda: now_s)
    spam_filter.answer(replace(_request("ann@two.example", b"Hello\r\n"), principal=_OWN), _CALLER)
    histories.learn(account_key("shop", "own"), encode_account(settled()), now_s)
    slow = ""
    for number in range(40):
        envelope = Envelope("ann@two.example", (f"b{number}@two.example",))
        request = _request("ann@two.example", b"Hello, see http://new.example/\r\n")
        request = replace(request, id=f"id-{number}", principal=_OWN, envelope=envelope, client_address="198.51.100.9")
        slow = slow or spam_filter.answer(request, _CALLER).slow
    assert slow.startswith("It sent ")
