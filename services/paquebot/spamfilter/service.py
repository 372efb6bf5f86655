"""The spam filter as a service: the policy in force, a verdict for each request, and what is counted of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import structlog
from prometheus_client import Counter

from paquebot.mail.origin import Origin
from paquebot.mail.verdict import Action, Verdict
from paquebot.policy.values import Policy, Thresholds
from paquebot.runtime.rpc_server import Caller
from paquebot.spamfilter.content import Opinion
from paquebot.spamfilter.delta import Delta
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.metrics import ALARMS
from paquebot.spamfilter.history.response import allowed
from paquebot.spamfilter.history.standing import Standing, Step
from paquebot.spamfilter.judge import Evidence, weigh
from paquebot.spamfilter.judged import NEAR, Judged
from paquebot.spamfilter.learning import NO_DELTA, Notes, Taught
from paquebot.spamfilter.panel import Panel, Read
from paquebot.wire.spamfilter import JudgeRequest

VERDICTS = Counter(
    "paquebot_spamfilter_verdicts_total",
    "Verdicts by action; in shadow mode the action is accept and shadow_action what it would have been.",
    ["action", "shadow_action"],
)
SHADOW_VERDICTS = Counter(
    "paquebot_spamfilter_shadow_model_total",
    "Messages by what the model in force and the one in its shadow would do with them.",
    ["action", "shadow_action"],
)
RULE_HITS = Counter("paquebot_spamfilter_rule_hits_total", "How often each rule spoke.", ["rule"])
verdicts = cache(VERDICTS.labels)  # `labels` costs three times what counting does
rule_hits = cache(RULE_HITS.labels)
LOG = structlog.get_logger()
_DEFAULT_CONTENT = Thresholds()

Respond = Callable[[Origin, Standing, Step | None], None]


@dataclass(slots=True)
class SpamFilter:
    """Judges with the thresholds of the policy that was seen last, and by what is remembered of senders."""

    policy: Policy
    histories: Histories
    panel: Panel = field(default_factory=Panel)
    taught: Taught | None = None  # None: nobody teaches
    notes: Notes | None = None
    respond: Respond = lambda _origin, _standing, _step: None  # to an alarm that has risen
    clock_s: Callable[[], float] = time.time

    def use(self, policy: Policy) -> None:
        """Judge by another policy from now on."""
        self.policy = policy

    def read_by(self, panel: Panel) -> None:
        """Let other models read from now on."""
        self.panel = panel

    def answer(self, request: JudgeRequest, _caller: Caller) -> Verdict:
        """Return the verdict about one message. It waits for nothing, so a frame is answered as one."""
        facts = gather(request.content, request.envelope, request.principal, request.origin)
        verdict = self.judged(facts)
        if request.sampled:
            verdict = replace(verdict, sampled=True)
        _count(verdict)
        if verdict.action is not Action.ACCEPT or verdict.shadow_action not in {None, Action.ACCEPT}:
            LOG.info(
                "judged",
                message_id=request.id,
                tenant=request.principal.tenant,
                action=verdict.action.value,
                shadow_action=verdict.shadow_action.value if verdict.shadow_action else "",
                probability=round(verdict.probability, 4),
                model=verdict.model,
                rules=[reason.rule for reason in verdict.reasons],
            )
        return verdict

    async def answer_one(self, request: JudgeRequest, caller: Caller) -> Verdict:
        """Return the verdict to a unary call."""
        return self.answer(request, caller)

    def judged(self, facts: Facts) -> Verdict:
        """Return the verdict by what the author's MailDomain wants, else the reverse-path's, else the default."""
        domains = (facts.author_domain, facts.envelope.reverse_path.rpartition("@")[2])
        domain = self.policy.first_of(*domains)
        wanted = domain.content if domain else _DEFAULT_CONTENT
        here, beside = self.panel.read(facts)
        standing = self.histories.standing(facts, here.opinion.logit, self.clock_s())
        step = allowed(standing, self.policy.takeover_of(facts.origin.account, *domains))
        delta = self.taught.of(facts.origin.tenant) if self.taught else NO_DELTA
        verdict = weigh(_evidence(here, delta, standing, step), wanted, here.levels)
        if beside is not None:
            _compare(facts, verdict, weigh(_evidence(beside, delta, standing, step), wanted, beside.levels))
        if standing.risen:
            _tell(facts, standing)
            self.respond(facts.origin, standing, None if wanted.shadow else step)
        self._note(facts, here.opinion, verdict, wanted)
        slow = "" if wanted.shadow or step is not Step.SLOW else _slow(standing)
        return replace(verdict, whose=domain.place if domain else "", traits=standing.traits, slow=slow)

    def _note(self, facts: Facts, opinion: Opinion, verdict: Verdict, wanted: Thresholds) -> None:
        """Keep of a message what people can teach by, if it may have been wronged either way."""
        passes = (verdict.shadow_action or verdict.action) is Action.ACCEPT and verdict.probability < NEAR
        if self.notes is None or not opinion.words or passes:
            return
        hold_s = wanted.hold_for_s if verdict.action is Action.HOLD else 0
        judged = Judged(opinion.logit, opinion.words, verdict.alarmed)
        self.notes.take(facts.origin.tenant, facts.origin.id, judged, hold_s)


def _evidence(read: Read, delta: Delta, standing: Standing, step: Step | None) -> Evidence:
    """Return what speaks for and against a message. What was learned never speaks for what a rule is certain of."""
    content = Evidence(logit=read.opinion.logit, content=read.opinion.reasons)
    learned = delta.reasons(read.opinion.words)
    return replace(
        content,
        delta=() if content.is_hard and any(reason.weight < 0 for reason in learned) else learned,
        well_known=read.opinion.well_known,
        model=read.digest,
        reputation=standing.reputation,
        behaviour=standing.behaviour,
        trusted=standing.trusted,
        alarmed=standing.alarm is not None,
        at_least=Action.HOLD if step is not None and step >= Step.HOLD else Action.ACCEPT,
    )


def _compare(facts: Facts, verdict: Verdict, beside: Verdict) -> None:
    """Count what two models would do with a message, and log where they differ."""
    does, would = verdict.shadow_action or verdict.action, beside.shadow_action or beside.action
    SHADOW_VERDICTS.labels(does.value, would.value).inc()
    if does is not would:
        LOG.info(
            "models differ",
            message_id=facts.origin.id,
            action=does.value,
            probability=round(verdict.probability, 4),
            model=verdict.model,
            shadow_action=would.value,
            shadow_probability=round(beside.probability, 4),
            shadow_model=beside.model,
        )


def _slow(standing: Standing) -> str:
    """Return why a message should come later: its account sends faster than it ever does, among other things."""
    return next((reason.text for reason in standing.behaviour if reason.rule == "own_rate"), "")


def _count(verdict: Verdict) -> None:
    shadow = verdict.shadow_action.value if verdict.shadow_action else ""
    verdicts(verdict.action.value, shadow).inc()
    for reason in verdict.reasons:
        rule_hits(reason.rule).inc()


def _tell(facts: Facts, standing: Standing) -> None:
    """Tell of an account that does not act like itself."""
    step = standing.alarm.name.lower() if standing.alarm else ""
    ALARMS.labels(step).inc()
    LOG.warning(
        "an account does not act like itself",
        account=facts.origin.account,
        message_id=facts.origin.id,
        step=step,
        reasons=[reason.text for reason in standing.behaviour],
    )
