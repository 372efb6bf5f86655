"""Routes are asked in their order, and the first that fits decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.reply import Reply
from paquebot.policy.route import Action, Decision, Hold, Match, Passage, Reject, Routes, ToPool, TransportRoute

NO = Reject(Reply(550, "5.7.1", "not here"))
BULK = ToPool("mail-system_bulk")
INCIDENT = Hold("incident 42", 3600)


def route(name: str, action: Action = NO, priority: int = 100, **match: tuple[object, ...]) -> TransportRoute:
    return TransportRoute("mail-system", name, Match(**match), action, priority, trusted=True)  # type: ignore[arg-type]


def mail(domain: str = "partner.example", tenant: str = "shop", **more: object) -> Passage:
    return Passage(tenant, "shop.example", domain, **more)  # type: ignore[arg-type]


def chosen(passage: Passage, *routes: TransportRoute) -> str:
    route = Routes.of(routes).decide(passage, 1000).route
    return route.name if route else ""


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"recipient_domains": ("partner.example",)}, True),
        ({"recipient_domains": ("other.example", "partner.example")}, True),
        ({"recipient_domains": ("other.example",)}, False),
        ({"recipient_domains": ("*.example",)}, True),
        ({"recipient_domains": ("*.partner.example",)}, False),
        ({"recipient_domains": ("artner.example",)}, False),
        ({"sender_domains": ("shop.example",)}, True),
        ({"sender_domains": ("*.shop.example",)}, False),
        ({"namespaces": ("shop",)}, True),
        ({"namespaces": ("news",)}, False),
        ({"tags": (("class", "invoices"),)}, True),
        ({"tags": (("class", "letters"),)}, False),
        ({"tags": (("class", "invoices"), ("urgent", "yes"))}, False),
        ({"mx_suffixes": ("big.example",)}, True),
        ({"mx_suffixes": ("ig.example",)}, False),
        ({"namespaces": ("shop",), "recipient_domains": ("other.example",)}, False),
        ({"namespaces": ("shop",), "mx_suffixes": ("big.example",), "tags": (("class", "invoices"),)}, True),
    ],
)
def test_all_fields_must_fit_and_one_entry_of_each_is_enough(match: dict[str, tuple[object, ...]], fits: bool) -> None:
    passage = mail(tags={"class": "invoices"}, hosts=("mx.big.example",))
    assert bool(chosen(passage, route("one", **match))) is fits


def test_a_wildcard_fits_every_depth_below_and_not_the_domain_itself() -> None:
    below = route("below", recipient_domains=("*.partner.example",))
    assert chosen(mail("a.partner.example"), below)
    assert chosen(mail("a.b.partner.example"), below)
    assert not chosen(mail("partner.example"), below)
    assert not chosen(mail("notpartner.example"), below)


def test_the_higher_priority_goes_first_and_equals_go_by_name() -> None:
    low, high = route("a", priority=1), route("z", priority=900, recipient_domains=("partner.example",))
    assert chosen(mail(), low, high) == "z"
    assert chosen(mail(), route("b"), route("a"), route("c")) == "a"
    assert chosen(mail("elsewhere.example"), low, high) == "a"


def test_hosts_that_are_not_known_fit_only_the_route_that_took_it_before() -> None:
    big = route("big", mx_suffixes=("big.example",))
    assert not chosen(mail(hosts=None), big)
    assert chosen(mail(hosts=None, route="mail-system/big"), big)
    assert not chosen(mail(hosts=("mx.small.example",), route="mail-system/big"), big)


def test_a_hold_delays_and_the_next_route_decides_on_the_way() -> None:
    hold, bulk = route("hold", INCIDENT, priority=900), route("bulk", BULK)
    assert Routes.of((hold, bulk)).decide(mail(), 1000) == Decision(bulk, hold, 1000 + 3_600_000)


def test_a_hold_is_once_and_ends_at_its_time() -> None:
    routes = Routes.of((route("hold", INCIDENT), route("again", Hold("more", 9999))))
    assert routes.decide(mail(hold_until_ms=5000), 4999).until_ms == 5000
    assert routes.decide(mail(hold_until_ms=5000), 5000) == Decision()


def test_nothing_is_refused_before_its_hold_is_over() -> None:
    routes = Routes.of((route("hold", INCIDENT, priority=900), route("no")))
    assert routes.decide(mail(), 1000).route is None
    assert routes.decide(mail(hold_until_ms=999), 1000).route is not None


def test_a_report_of_ours_is_neither_refused_nor_given_another_pool() -> None:
    routes = Routes.of((route("no", priority=900), route("bulk", BULK, priority=800), route("hold", INCIDENT)))
    decision = routes.decide(mail(report=True), 1000)
    assert decision.route is None
    assert decision.hold_reason == "held by TransportRoute mail-system/hold: incident 42"


@pytest.mark.parametrize(
    ("routes", "refused"),
    [
        ((route("no"),), True),
        ((route("no", recipient_domains=("other.example",)),), False),
        ((route("no", tags=(("a", "b"),)),), False),
        ((route("no", mx_suffixes=("big.example",)), route("too", priority=1)), False),
        ((route("hold", INCIDENT, priority=900), route("no")), False),
        ((route("bulk", BULK, priority=900), route("no")), False),
        ((route("bulk", BULK, priority=900, namespaces=("news",)), route("no")), True),
    ],
)
def test_a_recipient_is_refused_at_once_only_when_nothing_else_can_come_of_it(
    routes: tuple[TransportRoute, ...], refused: bool
) -> None:
    assert (Routes.of(routes).refusal(mail()) is not None) is refused


_domains = st.sampled_from(["a.test", "b.a.test", "c.b.a.test", "test", "other.test"])
_patterns = st.lists(st.sampled_from(["a.test", "*.a.test", "*.test", "b.a.test"]), max_size=3).map(tuple)
_names = st.lists(st.sampled_from(["shop", "news"]), max_size=2).map(tuple)


@given(st.lists(st.tuples(_patterns, _names, st.integers(0, 3)), max_size=6), _domains, st.sampled_from(["shop", "x"]))
def test_the_index_makes_no_difference(
    written: list[tuple[tuple[str, ...], tuple[str, ...], int]], domain: str, tenant: str
) -> None:
    routes = [
        route(f"r{number}", priority=priority, recipient_domains=patterns, namespaces=namespaces)
        for number, (patterns, namespaces, priority) in enumerate(written)
    ]
    asked_one_by_one = [each for each in Routes.of(routes).ordered if chosen(mail(domain, tenant), each)]
    assert chosen(mail(domain, tenant), *routes) == (asked_one_by_one[0].name if asked_one_by_one else "")
