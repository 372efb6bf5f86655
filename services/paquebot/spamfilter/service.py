"""The spam filter as a service: the policy in force, a verdict for each request, and what is counted of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from prometheus_client import Counter

from paquebot.mail.verdict import Action, Reason, Verdict
from paquebot.policy.values import Policy, Thresholds
from paquebot.runtime.rpc_server import Caller
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.history.histories import Histories
from paquebot.spamfilter.history.metrics import ALARMS
from paquebot.spamfilter.history.standing import Standing
from paquebot.spamfilter.judge import BIAS, Evidence, rules, weigh
from paquebot.wire.spamfilter import JudgeRequest

VERDICTS = Counter(
    "paquebot_spamfilter_verdicts_total",
    "Verdicts by action; in shadow mode the action is accept and shadow_action what it would have been.",
    ["action", "shadow_action"],
)
RULE_HITS = Counter("paquebot_spamfilter_rule_hits_total", "How often each rule spoke.", ["rule"])
LOG = structlog.get_logger()
_DEFAULT_CONTENT = Thresholds()


@dataclass(slots=True)
class SpamFilter:
    """Judges with the thresholds of the policy that was seen last, and by what is remembered of senders."""

    policy: Policy
    histories: Histories
    clock_s: Callable[[], float] = time.time

    def use(self, policy: Policy) -> None:
        """Judge by another policy from now on."""
        self.policy = policy

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
                rules=[reason.rule for reason in verdict.reasons],
            )
        return verdict

    async def answer_one(self, request: JudgeRequest, caller: Caller) -> Verdict:
        """Return the verdict to a unary call."""
        return self.answer(request, caller)

    def judged(self, facts: Facts) -> Verdict:
        """Return the verdict by what the author's MailDomain wants, else the reverse-path's, else the default."""
        domain = self.policy.first_of(facts.author_domain, facts.envelope.reverse_path.rpartition("@")[2])
        content = rules(facts)
        logit = BIAS + sum(reason.weight for reason in content)
        standing = self.histories.standing(facts, logit, self.clock_s())
        verdict = weigh(_evidence(logit, content, standing), domain.content if domain else _DEFAULT_CONTENT)
        if standing.risen:
            _tell(facts, standing)
        return replace(verdict, whose=domain.place if domain else "", traits=standing.traits)


def _evidence(logit: float, content: tuple[Reason, ...], standing: Standing) -> Evidence:
    return Evidence(
        logit=logit,
        content=content,
        reputation=standing.reputation,
        behaviour=standing.behaviour,
        trusted=standing.trusted,
        alarmed=standing.alarm is not None,
    )


def _count(verdict: Verdict) -> None:
    shadow = verdict.shadow_action.value if verdict.shadow_action else ""
    VERDICTS.labels(verdict.action.value, shadow).inc()
    for reason in verdict.reasons:
        RULE_HITS.labels(reason.rule).inc()


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
