"""The spam filter on the wire."""

from dataclasses import asdict, dataclass

from paquebot.mail.envelope import Envelope
from paquebot.mail.origin import Origin
from paquebot.mail.principal import Principal
from paquebot.mail.traits import NO_TRAITS, Traits
from paquebot.mail.verdict import Action, Levels, Reason, Terms, Verdict
from paquebot.pb.v1 import spamfilter_pb2 as pb
from paquebot.wire.frames import decode_answered, decode_asked, encode_answered, encode_asked
from paquebot.wire.method import Method, StreamMethod, WireError
from paquebot.wire.values import (
    envelope_from_pb,
    envelope_to_pb,
    principal_from_pb,
    principal_to_pb,
)

SERVICE = "paquebot.v1.SpamFilter"


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """A message to judge. Content over 1 MiB is sampled by the caller; `size_bytes` is its true size.

    `client_address` and `client_name` say who brought it over SMTP.
    """

    id: str
    principal: Principal
    envelope: Envelope
    content: bytes
    sampled: bool = False
    size_bytes: int = 0
    client_address: str = ""
    client_name: str = ""

    @property
    def origin(self) -> Origin:
        """Where the message comes from."""
        principal = self.principal
        return Origin(self.id, principal.tenant, principal.credential, self.client_address, self.client_name)


def _request_to_pb(request: JudgeRequest) -> pb.JudgeRequest:
    return pb.JudgeRequest(
        id=request.id,
        principal=principal_to_pb(request.principal),
        envelope=envelope_to_pb(request.envelope),
        content=request.content,
        sampled=request.sampled,
        size_bytes=request.size_bytes,
        client_address=request.client_address,
        client_name=request.client_name,
    )


def _request_from_pb(message: pb.JudgeRequest) -> JudgeRequest:
    return JudgeRequest(
        message.id,
        principal_from_pb(message.principal),
        envelope_from_pb(message.envelope),
        message.content,
        message.sampled,
        message.size_bytes,
        message.client_address,
        message.client_name,
    )


def verdict_to_pb(verdict: Verdict) -> pb.Verdict:
    """Encode a verdict."""
    return pb.Verdict(
        action=verdict.action,
        probability=verdict.probability,
        reasons=[pb.Reason(rule=each.rule, weight=each.weight, text=each.text) for each in verdict.reasons],
        shadow_action=verdict.shadow_action or "",
        sampled=verdict.sampled,
        model=verdict.model,
        alarmed=verdict.alarmed,
        unscanned=verdict.unscanned,
        terms=None if verdict.terms is None else pb.Terms(**asdict(verdict.terms)),
        levels=None if verdict.levels is None else pb.Levels(**asdict(verdict.levels)),
        whose=verdict.whose,
        slow=verdict.slow,
        traits=None if verdict.traits is NO_TRAITS else _traits_to_pb(verdict.traits),
    )


def verdict_from_pb(message: pb.Verdict) -> Verdict:
    """Decode a verdict; raise WireError for an action that this release does not know."""
    try:
        return Verdict(
            Action(message.action),
            message.probability,
            tuple(Reason(each.rule, each.weight, each.text) for each in message.reasons),
            Action(message.shadow_action) if message.shadow_action else None,
            message.sampled,
            message.unscanned,
            model=message.model,
            alarmed=message.alarmed,
            terms=_terms_from_pb(message.terms) if message.HasField("terms") else None,
            levels=_levels_from_pb(message.levels) if message.HasField("levels") else None,
            whose=message.whose,
            slow=message.slow,
            traits=_traits_from_pb(message.traits) if message.HasField("traits") else NO_TRAITS,
        )
    except ValueError as error:
        raise WireError(f"a Verdict with an unknown action: {error}") from error


def _terms_from_pb(message: pb.Terms) -> Terms:
    return Terms(message.content, message.learned, message.reputation, message.behaviour)


def _levels_from_pb(message: pb.Levels) -> Levels:
    return Levels(message.tag, message.hold, message.reject)


def _traits_to_pb(traits: Traits) -> pb.Traits:
    return pb.Traits(
        logit=traits.logit,
        author=traits.author,
        network=traits.network,
        agent=traits.agent,
        links=traits.links,
        template=traits.template,
    )


def _traits_from_pb(message: pb.Traits) -> Traits:
    return Traits(message.logit, message.author, message.network, message.agent, tuple(message.links), message.template)


def _size(request: JudgeRequest) -> int:
    return len(request.content) + 512


JUDGE: Method[JudgeRequest, Verdict] = Method(
    SERVICE,
    "Judge",
    lambda request: _request_to_pb(request).SerializeToString(),
    lambda encoded: _request_from_pb(pb.JudgeRequest.FromString(encoded)),
    lambda verdict: verdict_to_pb(verdict).SerializeToString(),
    lambda encoded: verdict_from_pb(pb.Verdict.FromString(encoded)),
)
JUDGE_STREAM: StreamMethod[JudgeRequest, Verdict] = StreamMethod(
    SERVICE,
    "JudgeStream",
    lambda items: encode_asked(pb.JudgeFrame(), items, _request_to_pb),
    lambda encoded: decode_asked(pb.JudgeFrame.FromString(encoded), _request_from_pb),
    lambda items: encode_answered(pb.VerdictFrame(), items, verdict_to_pb),
    lambda encoded: decode_answered(pb.VerdictFrame.FromString(encoded), verdict_from_pb),
    _size,
)
