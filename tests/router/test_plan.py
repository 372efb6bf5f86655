"""Planning: who is grouped with whom, which pool sends, who signs, when it expires."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import RECIPIENTS_MAX, Delivery, Lane, Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.policy.route import HOLD_LOOK_MS, Hold, Match, Passage, Reject, Routes, ToPool, TransportRoute
from paquebot.policy.values import MailDomain, Policy, Retry, SendingPool, SMTPCredential
from paquebot.queue.subjects import partition_of
from paquebot.router.plan import Destination, Origin, PlanRefusedError, by_domain, origin, plan
from paquebot.wire.router import PlanRequest

_POOL = SendingPool("mail-system", "default", "out.mail.example", retry=Retry(expiry_s=100))
_OTHER = SendingPool("mail-system", "other", "other.mail.example")
_POLICY = Policy(
    domains={
        "shop.example": MailDomain("shop", "main", "shop.example", _POOL.token),
        "news.example": MailDomain("news", "main", "news.example", _OTHER.token),
    },
    pools={_POOL.token: _POOL, _OTHER.token: _OTHER},
    credentials={"mail-system.relay": SMTPCredential("mail-system", "relay", any_sender=True, pool=_OTHER.token)},
)

_ORIGIN = Origin(None, _POOL, 100)
_SITES = {"one.example": Destination("mx-1", "big")}


def _request(
    recipients: tuple[str, ...] = ("a@one.example",),
    reverse_path: str = "orders@shop.example",
    author: str = "orders@shop.example",
    **rest: object,
) -> PlanRequest:
    values: dict[str, object] = {
        "id": "0197-id",
        "principal": Principal("shop", "web"),
        "envelope": Envelope(reverse_path, recipients),
        "header_section": b"From: <%b>\r\n" % author.encode(),
        "body_hash": b"h" * 32,
        "size_bytes": 1234,
        "accepted_ms": 5_000,
    }
    return PlanRequest(**(values | rest))  # type: ignore[arg-type]


def test_recipients_are_grouped_by_domain_and_local_parts_stay_as_they_are() -> None:
    grouped = by_domain(("Ann@One.Example", "bob@two.example", "ann@one.example", "Ann@one.example"))
    assert grouped == {
        "one.example": ("Ann@one.example", "ann@one.example"),
        "two.example": ("bob@two.example",),
    }


def test_a_domain_in_another_script_is_grouped_as_its_a_label() -> None:
    assert by_domain(("x@bücher.example",)) == {"xn--bcher-kva.example": ("x@xn--bcher-kva.example",)}


@pytest.mark.parametrize(
    ("reverse_path", "author", "recipient", "utf8"),
    [
        ("orders@shop.example", "orders@shop.example", "ä@one.example", False),
        ("ö@shop.example", "orders@shop.example", "a@one.example", True),
        ("orders@shop.example", "ö@shop.example", "a@one.example", True),
    ],
)
def test_only_a_sender_or_a_header_beyond_ascii_makes_the_whole_delivery_utf8(
    reverse_path: str, author: str, recipient: str, utf8: bool
) -> None:
    request = _request((recipient,), reverse_path, header_section=f"From: {author}\r\n".encode())
    (delivery,) = plan(request, by_domain((recipient,)), _SITES, _ORIGIN, b"").deliveries
    assert (delivery.utf8, delivery.recipients) == (utf8, (recipient,))


@pytest.mark.parametrize("recipient", ["nobody", "@one.example", "x@" + "ü" * 300])
def test_a_recipient_without_a_domain_is_refused(recipient: str) -> None:
    with pytest.raises(PlanRefusedError):
        by_domain((recipient,))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=500).map(
        lambda pairs: tuple(f"u{user}@d{domain}.example" for domain, user in pairs)
    )
)
def test_each_recipient_stands_in_exactly_one_delivery_of_at_most_a_hundred(
    recipients: tuple[str, ...],
) -> None:
    domains = by_domain(recipients)
    sites = {domain: Destination(domain, "other") for domain in domains}
    deliveries = plan(_request(recipients), domains, sites, _ORIGIN, b"").deliveries
    planned = [recipient for delivery in deliveries for recipient in delivery.recipients]
    assert len(planned) == len(set(planned))
    assert set(planned) == set(recipients)
    assert all(0 < len(delivery.recipients) <= RECIPIENTS_MAX for delivery in deliveries)
    assert all(
        recipient.endswith("@" + delivery.domain) for delivery in deliveries for recipient in delivery.recipients
    )
    assert [delivery.n for delivery in deliveries] == list(range(1, len(deliveries) + 1))


def test_a_delivery_tells_all_that_the_deliverer_needs() -> None:
    request = _request(lane=Lane.URGENT)
    (delivery,) = plan(
        request, {"one.example": ("a@one.example",)}, {"one.example": Destination("mx-1", "big")}, _ORIGIN, b"P"
    ).deliveries
    assert delivery.name == "0197-id.1"
    assert (delivery.tenant, delivery.credential, delivery.pool) == ("shop", "web", "mail-system_default")
    assert (delivery.reverse_path, delivery.return_path) == ("orders@shop.example", "orders@shop.example")
    assert (delivery.site, delivery.group, delivery.partition) == ("mx-1", "big", partition_of("mx-1"))
    assert (delivery.lane, delivery.prefix, delivery.size_bytes) == (Lane.URGENT, b"P", 1234)
    assert (delivery.accepted_ms, delivery.expires_ms) == (5_000, 105_000)
    assert (delivery.held, delivery.next_ms, delivery.attempts) == (False, 0, 0)


def test_a_held_message_lives_from_the_day_it_is_let_go() -> None:
    request = _request(hold_ms=900_000, hold_reason="held: look at it")
    (delivery,) = plan(request, {"one.example": ("a@one.example",)}, _SITES, _ORIGIN, b"").deliveries
    assert (delivery.held, delivery.next_ms, delivery.reason) == (True, 900_000, "held: look at it")
    assert delivery.expires_ms == 1_000_000


def test_the_slots_of_a_site_share_its_deliveries() -> None:
    sites = {"one.example": Destination("mx-1", "big", slots=4)}
    owners = {
        plan(_request(id=f"id-{i}"), {"one.example": ("a@one.example",)}, sites, _ORIGIN, b"").deliveries[0].partition
        for i in range(100)
    }
    assert owners == {partition_of("mx-1", slot) for slot in range(4)}


def test_the_authors_domain_decides_before_the_reverse_paths() -> None:
    sender = origin(_request(reverse_path="x@shop.example", author="y@news.example"), _POLICY)
    assert sender.pool is _OTHER
    assert sender.signing is _POLICY.domains["news.example"]


def test_a_reverse_path_decides_when_the_author_is_of_no_declared_domain() -> None:
    sender = origin(_request(reverse_path="x@mail.shop.example", author="y@elsewhere.example"), _POLICY)
    assert sender.pool is _POOL
    assert sender.signing is None


def test_a_relays_mail_of_unknown_domains_goes_unsigned_through_its_own_pool() -> None:
    request = _request(
        principal=Principal("mail-system", "relay", any_sender=True),
        reverse_path="x@elsewhere.example",
        author="x@elsewhere.example",
    )
    sender = origin(request, _POLICY)
    assert sender.pool is _OTHER
    assert sender.signing is None


def test_a_report_stays_in_the_pool_of_the_mail_it_is_about() -> None:
    internal = Principal("shop", "", internal=True)
    request = _request(principal=internal, reverse_path="", author="mailer-daemon@shop.example", pool=_OTHER.token)
    assert origin(request, _POLICY).pool is _OTHER


def test_mail_that_no_pool_sends_is_refused_with_what_to_do() -> None:
    with pytest.raises(PlanRefusedError, match="no MailDomain declares"):
        origin(_request(reverse_path="x@else.example", author="x@else.example"), _POLICY)
    with pytest.raises(PlanRefusedError, match="SendingPool gone_gone does not exist"):
        origin(_request(reverse_path="x@else.example", author="x@else.example", pool="gone_gone"), _POLICY)


def test_a_pool_that_is_being_removed_sends_its_own_reports_only() -> None:
    leaving = Policy(domains=_POLICY.domains, pools={_POOL.token: replace(_POOL, draining=True)})
    with pytest.raises(PlanRefusedError, match="mail-system/default is being removed: name another"):
        origin(_request(), leaving)
    report = _request(principal=Principal("shop", "", internal=True), pool=_POOL.token)
    assert origin(report, leaving).pool.draining


def _routed(action: object, request: PlanRequest | None = None) -> Destination:
    request = request or _request()
    route = TransportRoute("mail-system", "one", Match(), action)  # type: ignore[arg-type]
    decision = Routes.of([route]).decide(Passage("shop", "shop.example", "one.example"), request.accepted_ms)
    return Destination("mx-1", "big", decision=decision)


def _one(sites: dict[str, Destination], **rest: object) -> Delivery:
    return plan(_request(**rest), {"one.example": ("a@one.example",)}, sites, _ORIGIN, b"").deliveries[0]  # type: ignore[arg-type]


def test_a_route_gives_mail_another_pool() -> None:
    assert _one({"one.example": _routed(ToPool(_OTHER.token))}).pool == _OTHER.token


def test_a_route_holds_mail_with_its_reason_and_its_life_begins_afterwards() -> None:
    held = _one({"one.example": _routed(Hold("incident 42", 3600))})
    assert (held.held, held.reason) == (True, "held by TransportRoute mail-system/one: incident 42")
    assert (held.hold_until_ms, held.expires_ms) == (5_000 + 3_600_000, 5_000 + 3_600_000 + 100_000)
    assert held.next_ms == 5_000 + HOLD_LOOK_MS  # whether the route still stands


def test_two_holds_last_until_the_later_one_and_tell_both_reasons() -> None:
    sites = {"one.example": _routed(Hold("incident", 60))}
    held = _one(sites, hold_ms=9_000_000, hold_reason="held by the spam filter: links")
    assert held.next_ms == 9_000_000
    assert held.reason == "held by the spam filter: links; held by TransportRoute mail-system/one: incident"
    assert held.expires_ms == 9_100_000


def test_what_a_route_refuses_is_refused_whole_and_left_to_a_report_beside_others() -> None:
    no = Reply(550, "5.7.1", "not here")
    both = {"one.example": ("a@one.example",), "two.example": ("b@two.example",)}
    refused = {"one.example": _routed(Reject(no))}
    assert plan(_request(), {"one.example": ("a@one.example",)}, refused, _ORIGIN, b"") == Plan((), no)
    mixed = plan(_request(), both, refused | {"two.example": Destination("mx-2", "other")}, _ORIGIN, b"")
    assert [each.domain for each in mixed.deliveries] == ["one.example", "two.example"]


def test_the_domain_of_the_sender_says_how_long_its_mail_is_tried() -> None:
    short = Policy(
        domains={"shop.example": MailDomain("shop", "main", "shop.example", _POOL.token, expiry_s=60)},
        pools=_POLICY.pools,
    )
    assert (origin(_request(), short).expiry_s, origin(_request(), _POLICY).expiry_s) == (60, 100)
