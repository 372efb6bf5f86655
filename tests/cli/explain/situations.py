"""Situations of mail, made by hand: the facts that explanations are told from. All happen around one noon."""

from dataclasses import replace

from paquebot.cli.explain.facts import Around, Kept, MessageFacts
from paquebot.cli.live import Live
from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.ident import message_id
from paquebot.mail.order import Action, Order, only
from paquebot.mail.record import Kind, Record
from paquebot.mail.reply import Reply
from paquebot.policy.route import Match, Routes, Smarthost, TransportRoute
from paquebot.policy.values import DestinationPolicy, MailDomain, Policy, SendingPool, SMTPCredential
from paquebot.queue.members import Member
from paquebot.wire.deliverer import Counts, DelivererState, InHand, Load, Pace, Said, Share, SiteState

NOW = 1_795_780_800_000  # 2026-11-27 12:00:00Z
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
POOL, POD = "mail-system_default", "deliverer-mail-system_default-0"
ID = message_id(NOW - 10 * MINUTE, b"0123456789")
REPORT = "5f0c7c1e-98b0-5d3c-a8a3-3a2d3f1f4a11"
MX = "mx1.bigmail.example [192.0.2.25]"

BIGMAIL = DestinationPolicy("bigmail", domains=("bigmail.example",), connections_max=20, rate_per_s=50.0)
RELAY = TransportRoute("mail-system", "relay", Match(), Smarthost("relay.example", secret="mail-system.relay"))
POLICY = Policy(
    "r7",
    domains={"shop.example": MailDomain("shop", "main", "shop.example", POOL)},
    pools={POOL: SendingPool("mail-system", "default", "out.mail.example")},
    credentials={"shop.web": SMTPCredential("shop", "web", ("*@shop.example",))},
    destinations={"bigmail": BIGMAIL},
    routes=Routes.of([RELAY]),
)


def delivery(**changes: object) -> Delivery:
    values: dict = {
        "id": ID,
        "n": 1,
        "tenant": "shop",
        "credential": "web",
        "reverse_path": "orders@shop.example",
        "return_path": "orders@shop.example",
        "recipients": ("ann@bigmail.example",),
        "domain": "bigmail.example",
        "site": "bigmail",
        "group": "bigmail",
        "pool": POOL,
        "lane": Lane.NORMAL,
        "partition": 5,
        "prefix": b"",
        "size_bytes": 2048,
        "eight_bit": False,
        "accepted_ms": NOW - 10 * MINUTE,
        "expires_ms": NOW - 10 * MINUTE + 5 * DAY,
    }
    return Delivery(**(values | changes))


def deferred(reason: str, reply: Reply | None = None, **changes: object) -> Kept:
    """Return what was tried twice and is tried again in four minutes and ten seconds."""
    told = {"attempts": 2, "next_ms": NOW + 250_000, "reason": reason, "last_reply": reply, "last_host": MX}
    return Kept(delivery(**(told | changes)), "deferred")


def held(reason: str, **changes: object) -> Kept:
    told = {"held": True, "reason": reason, "next_ms": NOW + 6 * DAY}
    return Kept(delivery(**(told | changes)), "held")


def site(**changes: object) -> SiteState:
    values: dict = {
        "site": "bigmail",
        "group": "bigmail",
        "state": "READY",
        "connections": 4,
        "in_flight": 3,
        "waiting": 341,
        "pace": Pace(50.0, 12.5, 20, 0),
        "shares": (Share(1, "shop", 41), Share(2, "news", 300)),
        "said": (Said("delivered", NOW - 400, MX, "250 2.0.0 Ok"),),
        "counts": Counts(1200, 4, 1),
    }
    return SiteState(**(values | changes))


def deliverer(*found: InHand, sites: tuple[SiteState, ...] = (), **changes: object) -> DelivererState:
    values: dict = {"load": Load(412, 900_000, 3, 30), "revision": "r7", "counts": Counts(1200, 4, 1), "at_ms": NOW}
    return DelivererState(POD, POOL, tuple(range(16)), sites, found=found, **(values | changes))


def around(*states: DelivererState, policy: Policy = POLICY, **changes: object) -> Around:
    values: dict = {
        "now_ms": NOW,
        "policy": policy,
        "live": Live(states),
        "members": tuple(Member(state.pod, "deliverer", "r7", state.pool) for state in states),
    }
    return Around(**(values | changes))


def suspension(kind: str, name: str) -> Order:
    return Order(
        id="01a21cd7-0000-7000-8000-000000000001",
        action=Action.SUSPEND,
        selector=only(kind, name),
        author="ann",
        reason="a leaked password",
        given_ms=NOW - MINUTE,
        ends_ms=NOW + 2 * HOUR,
    )


QUIET = around(deliverer())
PAUSED = around(deliverer(), policy=replace(POLICY, pools={POOL: replace(POLICY.pools[POOL], paused=True)}))


def facts(*kept: Kept, records: tuple[Record, ...] = (), **changes: object) -> MessageFacts:
    values: dict = {"id": ID, "n": 0, "accepted_ms": NOW - 10 * MINUTE, "kept": kept, "records": records}
    return MessageFacts(**(values | changes))


def record(kind: Kind, at_ms: int = NOW - 9 * MINUTE, **changes: object) -> Record:
    one = delivery()
    values: dict = {
        "kind": kind,
        "at_ms": at_ms,
        "id": ID,
        "n": 1,
        "tenant": "shop",
        "recipients": one.recipients,
        "reverse_path": one.reverse_path,
        "credential": "web",
        "pool": POOL,
        "site": "bigmail",
        "domain": one.domain,
        "size_bytes": 2048,
    }
    return Record(**(values | changes))


ACCEPTED = record(Kind.ACCEPTED, NOW - 10 * MINUTE)
