"""Host by host, address by address: what odd hosts do is understood, and the next one is tried where that helps."""

import asyncio
import random
from dataclasses import replace

import pytest

from deliverer.conftest import delivery
from deliverer.hosts import HANG_UP, SILENCE, Host, listening
from paquebot.deliverer.connection import LeaseLostError, Warrant
from paquebot.deliverer.courier import Attempted, Courier, World
from paquebot.deliverer.opening import Way
from paquebot.deliverer.wheel import DeadlineWheel
from paquebot.dns.resolver import Addresses, MxAnswer, MxKind, Resolver
from paquebot.mail.envelope import Wish
from paquebot.mail.outcome import Kind, Scope
from paquebot.policy.values import TLSMinimum
from tests_support import wait_for

CONTENT = b"Subject: x\r\n\r\n.dotted\r\n"


class World1(Resolver):
    """The world's DNS: hosts a.mx, b.mx, … at 127.0.0.1, 127.0.0.2 and so on."""

    def __init__(self, hosts: int, answer: MxAnswer | None = None) -> None:
        super().__init__(("127.0.0.1", 1))
        names = tuple((10 * number, f"{chr(96 + number)}.mx") for number in range(1, hosts + 1))
        self.answer = answer or MxAnswer(MxKind.MX, names)

    async def mx(self, domain: str) -> MxAnswer:
        del domain
        return self.answer

    async def addresses(self, host: str) -> Addresses:
        return Addresses((f"127.0.0.{ord(host[0]) - 96}",))


async def attempt(port: int, hosts: int, *, courier: Courier | None = None, **changes) -> tuple[Attempted, Courier]:
    wheel = DeadlineWheel()
    courier = courier or Courier(World(wheel, World1(hosts), random.Random(1), allow_private=True), 100)
    way = Way(port, "out.example", changes.pop("tls", TLSMinimum.OPPORTUNISTIC))
    item = replace(delivery(), **changes)
    attempted = await courier.attempt(item, CONTENT, way, Warrant())
    return attempted, courier


def only(attempted: Attempted) -> tuple[Kind, str]:
    (outcome,) = attempted.outcomes.values()
    return outcome.kind, outcome.reason


async def test_prefix_then_content_arrive_dot_stuffed() -> None:
    host = Host()
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1)
        await courier.leave()
    assert only(attempted)[0] is Kind.DELIVERED
    assert attempted.host == "a.mx [127.0.0.1]"
    assert host.taken == [b"Received: x\r\nSubject: x\r\n\r\n..dotted\r\n.\r\n"]


async def test_the_second_host_is_tried_when_the_first_refuses_the_connection() -> None:
    second = Host()
    async with listening(Host(greeting=HANG_UP), second) as port:
        attempted, courier = await attempt(port, 2)
        await courier.leave()
    assert only(attempted)[0] is Kind.DELIVERED
    assert attempted.host.startswith("b.mx")


@pytest.mark.parametrize("greeting", [b"554 go away\r\n", b"521 no mail\r\n", b"450 later\r\n", b"garbage\r\n"])
async def test_the_second_host_is_tried_after_a_bad_greeting(greeting: bytes) -> None:
    async with listening(Host(greeting=greeting), Host()) as port:
        attempted, courier = await attempt(port, 2)
        await courier.leave()
    assert only(attempted)[0] is Kind.DELIVERED


async def test_a_host_that_says_421_slows_the_site_and_no_other_host_is_bothered() -> None:
    second = Host()
    async with listening(Host(greeting=b"421 4.7.0 slow down\r\n"), second) as port:
        attempted, _ = await attempt(port, 2)
    assert only(attempted) == (Kind.DEFERRED, "greeting was answered with 421 4.7.0 slow down")
    assert {outcome.scope for outcome in attempted.outcomes.values()} == {Scope.SITE}
    assert second.connections == 0


async def test_a_host_that_says_421_among_the_recipients_sends_nobody_to_other_hosts() -> None:
    def answer(line: bytes) -> bytes:
        return b"250 ok\r\n" if b"first" in line else b"421 4.7.28 too many\r\n"

    second = Host()
    recipients = ("first@b.example", "second@b.example", "third@b.example")
    async with listening(Host(RCPT=answer), second) as port:
        attempted, _ = await attempt(port, 2, recipients=recipients)
    assert {outcome.kind for outcome in attempted.outcomes.values()} == {Kind.DEFERRED}
    assert attempted.outcomes["second@b.example"].scope is Scope.SITE
    assert second.connections == 0


async def test_a_host_that_goes_down_among_the_recipients_leaves_them_to_the_next() -> None:
    second = Host()
    async with listening(Host(RCPT=b"421 4.3.2 going down\r\n"), second) as port:
        attempted, courier = await attempt(port, 2, recipients=("first@b.example", "second@b.example"))
        await courier.leave()
    assert {outcome.kind for outcome in attempted.outcomes.values()} == {Kind.DELIVERED}
    assert len(second.taken) == 1


async def test_helo_is_enough_where_ehlo_is_not_known() -> None:
    host = Host(EHLO=b"502 what\r\n")
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1)
        await courier.leave()
    assert only(attempted)[0] is Kind.DELIVERED


async def test_eight_bit_content_is_not_sent_to_a_host_without_it() -> None:
    host = Host(EHLO=b"250 mx.test\r\n")
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, eight_bit=True)
        await courier.leave()
    (outcome,) = attempted.outcomes.values()
    assert (outcome.kind, outcome.scope) == (Kind.FAILED, Scope.HOST)
    assert outcome.reply is not None
    assert outcome.reply.enhanced == "5.6.3"
    assert host.taken == []


async def test_wishes_for_reports_go_on_to_a_host_that_offers_dsn_and_are_said_to_have_passed() -> None:
    said: list[bytes] = []

    def note(line: bytes) -> bytes:
        said.append(line)
        return b"250 ok\r\n"

    wish = {"r1@b.example": Wish(("SUCCESS",), "rfc822;r1@b.example")}
    for ehlo, passed in ((b"250-mx.test\r\n250 DSN\r\n", True), (b"250 mx.test\r\n", False)):
        async with listening(Host(EHLO=ehlo, MAIL=note, RCPT=note)) as port:
            attempted, courier = await attempt(port, 1, wishes=wish, envelope_id="QQ1", ret="HDRS")
            await courier.leave()
        assert attempted.dsn_passed is passed
    assert said == [
        b"MAIL FROM:<a@shop.example> RET=HDRS ENVID=QQ1\r\n",
        b"RCPT TO:<r1@b.example> NOTIFY=SUCCESS ORCPT=rfc822;r1@b.example\r\n",
        b"MAIL FROM:<a@shop.example>\r\n",
        b"RCPT TO:<r1@b.example>\r\n",
    ]


async def test_a_host_that_took_nothing_over_has_no_duty_to_report() -> None:
    async with listening(Host(EHLO=b"250-mx.test\r\n250 DSN\r\n", dot=b"550 no\r\n")) as port:
        attempted, courier = await attempt(port, 1)
        await courier.leave()
    assert not attempted.dsn_passed


SMTPUTF8 = b"250-mx.test\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n"


async def test_mail_in_utf8_goes_to_the_host_that_takes_it() -> None:
    first, second = Host(), Host(EHLO=SMTPUTF8)
    async with listening(first, second) as port:
        attempted, courier = await attempt(port, 2, return_path="ä@shop.example")
        await courier.leave()
    assert only(attempted)[0] is Kind.DELIVERED
    assert (len(first.taken), len(second.taken)) == (0, 1)


async def test_mail_in_utf8_fails_when_no_host_takes_it_and_waits_when_one_was_not_reached() -> None:
    for hosts, kind in (((Host(), Host()), Kind.FAILED), ((Host(greeting=HANG_UP), Host()), Kind.DEFERRED)):
        async with listening(*hosts) as port:
            attempted, courier = await attempt(port, 2, return_path="ä@shop.example")
            await courier.leave()
        (outcome,) = attempted.outcomes.values()
        assert outcome.kind is kind
        assert kind is Kind.DEFERRED or "5.6.7" in outcome.reason


async def test_one_recipient_beyond_ascii_does_not_spoil_the_others() -> None:
    host = Host()
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, recipients=("a@b.example", "ä@b.example"), utf8=True)
        await courier.leave()
    assert [outcome.kind for outcome in attempted.outcomes.values()] == [Kind.DELIVERED, Kind.FAILED]


async def test_each_recipient_has_its_own_reply() -> None:
    def answer(line: bytes) -> bytes:
        return b"550 5.1.1 no\r\n" if b"bad" in line else b"250 ok\r\n"

    host = Host(RCPT=answer)
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, recipients=("good@b.example", "bad@b.example"))
        await courier.leave()
    assert [outcome.kind for outcome in attempted.outcomes.values()] == [Kind.DELIVERED, Kind.FAILED]


async def test_a_host_that_hangs_up_after_the_final_dot_leaves_us_in_doubt() -> None:
    second = Host()
    async with listening(Host(dot=HANG_UP), second) as port:
        attempted, courier = await attempt(port, 2)
        await courier.leave()
    assert only(attempted)[1].startswith("in doubt: a.mx [127.0.0.1] did not answer the final dot")
    assert second.connections == 0


async def test_in_doubt_the_same_host_is_asked_first() -> None:
    first, second = Host(), Host()
    async with listening(first, second) as port:
        attempted, courier = await attempt(port, 2, reason="in doubt: b.mx …", last_host="b.mx [127.0.0.2]")
        await courier.leave()
    assert only(attempted)[0] is Kind.DELIVERED
    assert (first.connections, second.connections) == (0, 1)


async def test_in_doubt_an_open_connection_to_another_host_is_not_used() -> None:
    first, second = Host(), Host()
    async with listening(first, second) as port:
        _, courier = await attempt(port, 2)
        doubt = {"reason": "in doubt: b.mx …", "last_host": "b.mx [127.0.0.2]"}
        attempted, courier = await attempt(port, 2, courier=courier, **doubt)
        await courier.leave()
    assert attempted.host == "b.mx [127.0.0.2]"
    assert (first.connections, second.connections) == (1, 1)


async def test_in_doubt_about_a_host_that_serves_the_domain_no_more_all_are_alike() -> None:
    first = Host()
    async with listening(first, Host()) as port:
        attempted, courier = await attempt(port, 2, reason="in doubt: z.mx …", last_host="z.mx [127.0.0.26]")
        await courier.leave()
    assert attempted.host == "a.mx [127.0.0.1]"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ({}, [(), ("r1@b.example",)]),
        ({"dot": b"550 5.7.1 no\r\n"}, [(), ()]),
        ({"DATA": b"451 later\r\n"}, [()]),
        ({"dot": HANG_UP}, [()]),  # in doubt: nobody takes the dot back
    ],
)
async def test_dots_and_answers_are_told(script: dict, told: list) -> None:
    heard: list[tuple[str, ...]] = []
    warrant = Warrant(before_dot=lambda _where: heard.append(()), answered=heard.append)
    courier = Courier(World(DeadlineWheel(), World1(1), random.Random(1), allow_private=True), 100)
    async with listening(Host(**script)) as port:
        await courier.attempt(delivery(), CONTENT, Way(port, "out.example"), warrant)
        await courier.leave()
    assert heard == told


async def test_a_silent_host_meets_its_deadline() -> None:
    class Hasty(DeadlineWheel):
        def arm(self, owner, seconds, call) -> None:
            super().arm(owner, seconds / 1000, call)

    wheel = Hasty()
    turning = asyncio.create_task(wheel.run())
    courier = Courier(World(wheel, World1(1), random.Random(1), allow_private=True), 100)
    async with listening(Host(MAIL=SILENCE)) as port:
        attempted, _ = await attempt(port, 1, courier=courier)
    assert only(attempted)[0] is Kind.DEFERRED
    assert "a.mx [127.0.0.1]" in only(attempted)[1]
    turning.cancel()


FIVE = tuple(f"r{number}@b.example" for number in range(5))


def saying(limits: str) -> Host:
    return Host(EHLO=f"250-mx.test\r\n250-LIMITS {limits}\r\n250 PIPELINING\r\n".encode())


async def test_a_host_that_takes_few_recipients_gets_several_transactions_over_one_connection() -> None:
    host = saying("RCPTMAX=2")
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, recipients=FIVE)
        await courier.leave()
    assert {outcome.kind for outcome in attempted.outcomes.values()} == {Kind.DELIVERED}
    assert (len(host.taken), host.connections) == (3, 1)


async def test_a_host_that_takes_few_mails_of_a_session_gets_several_connections() -> None:
    host = saying("RCPTMAX=2 MAILMAX=1")
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, recipients=FIVE)
        await courier.leave()
    assert {outcome.kind for outcome in attempted.outcomes.values()} == {Kind.DELIVERED}
    assert (len(host.taken), host.connections) == (3, 3)


async def test_a_session_is_not_used_for_more_mails_or_domains_than_the_host_says() -> None:
    for limits, connections in (("MAILMAX=1", 3), ("RCPTDOMAINMAX=1", 2), ("MAILMAX=5 RCPTDOMAINMAX=2", 1)):
        host = saying(limits)
        async with listening(host) as port:
            courier = None
            for domain in ("b.example", "b.example", "c.example"):
                _, courier = await attempt(port, 1, courier=courier, domain=domain)
            await courier.leave()
        assert (len(host.taken), host.connections) == (3, connections)


async def test_whoever_is_one_too_many_for_a_transaction_goes_with_the_next() -> None:
    count = iter(range(100))

    def answer(_line: bytes) -> bytes:
        return b"452 4.5.3 too many\r\n" if next(count) in {2, 4} else b"250 ok\r\n"

    host = Host(RCPT=answer)
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, recipients=FIVE)
        await courier.leave()
    assert {outcome.kind for outcome in attempted.outcomes.values()} == {Kind.DELIVERED}
    assert host.connections == 1


async def test_what_is_refused_as_a_message_is_not_tried_for_the_next_recipients() -> None:
    host = saying("RCPTMAX=2")
    host.script[b"."] = b"554 5.7.1 spam\r\n"
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1, recipients=FIVE)
        await courier.leave()
    assert {outcome.kind for outcome in attempted.outcomes.values()} == {Kind.FAILED}
    assert len(attempted.outcomes) == 5
    assert len(host.taken) == 1


@pytest.mark.parametrize("cut", [False, True])
async def test_a_lease_lost_between_two_transactions_leaves_the_rest_to_the_next_owner(*, cut: bool) -> None:
    host, second, courier, owned = saying("RCPTMAX=2"), Host(), fresh(), [True]

    def answer(_line: bytes) -> bytes:
        if host.taken and owned:
            owned.clear()
            if cut:
                courier.cut()
        return b"250 ok\r\n"

    host.script[b"RCPT"] = answer
    async with listening(host, second) as port:
        item = replace(delivery(), recipients=FIVE)
        attempted = await courier.attempt(item, CONTENT, Way(port, "out.example"), Warrant(lambda: bool(owned)))
        await courier.leave()
    assert [attempted.outcomes[each].kind for each in FIVE] == [Kind.DELIVERED] * 2 + [Kind.DEFERRED] * 3
    assert sum(content.endswith(b"\r\n.\r\n") for content in host.taken) == 1
    assert second.connections == 0


async def test_a_connection_is_used_again_up_to_its_limit() -> None:
    host = Host()
    courier = Courier(World(DeadlineWheel(), World1(1), random.Random(1), allow_private=True), messages_max=2)
    async with listening(host) as port:
        for _ in range(5):
            attempted, _ = await attempt(port, 1, courier=courier)
            assert only(attempted)[0] is Kind.DELIVERED
        await courier.leave()
    assert (len(host.taken), host.connections) == (5, 3)


async def test_without_the_lease_no_final_dot_is_sent() -> None:
    host = Host()
    courier = Courier(World(DeadlineWheel(), World1(1), random.Random(1), allow_private=True), 100)
    way = Way(0, "out.example")
    async with listening(host) as port:
        with pytest.raises(LeaseLostError):
            await courier.attempt(delivery(), CONTENT, replace(way, port=port), Warrant(lambda: False))
    assert all(not content.endswith(b"\r\n.\r\n") for content in host.taken)


async def test_broken_tls_is_tried_again_in_the_clear_unless_tls_is_required() -> None:
    ehlo = b"250-mx.test\r\n250 STARTTLS\r\n"
    host = Host(EHLO=ehlo, STAR=b"220 go\r\nthis is no handshake\r\n")
    async with listening(host) as port:
        attempted, courier = await attempt(port, 1)
        await courier.leave()
        required, _ = await attempt(port, 1, tls=TLSMinimum.ENCRYPTED)
    assert only(attempted)[0] in {Kind.DELIVERED, Kind.DEFERRED}
    assert only(required)[0] is Kind.DEFERRED


async def test_private_addresses_are_refused_outside_the_sandbox() -> None:
    courier = Courier(World(DeadlineWheel(), World1(1), random.Random(1)), 100)
    host = Host()
    async with listening(host) as port:
        attempted, _ = await attempt(port, 1, courier=courier)
    assert only(attempted)[1].endswith("127.0.0.1 is not a public address, mail is not sent there")
    assert host.connections == 0


@pytest.mark.parametrize(
    ("kind", "outcome", "enhanced"),
    [(MxKind.NULL, Kind.FAILED, "5.1.10"), (MxKind.NONE, Kind.FAILED, "5.1.2"), (MxKind.UNKNOWN, Kind.DEFERRED, "")],
)
async def test_the_lookup_may_decide_alone(kind: MxKind, outcome: Kind, enhanced: str) -> None:
    world = World(DeadlineWheel(), World1(1, MxAnswer(kind, reason="DNS says so")), random.Random(1))
    attempted, _ = await attempt(1, 1, courier=Courier(world, 100))
    (found,) = attempted.outcomes.values()
    assert (found.kind, found.reply.enhanced if found.reply else "") == (outcome, enhanced)


async def test_mail_that_would_come_back_to_us_is_a_loop() -> None:
    answer = MxAnswer(MxKind.MX, ((10, "out.example"), (20, "b.mx")))
    world = World(DeadlineWheel(), World1(1, answer), random.Random(1), allow_private=True)
    attempted, _ = await attempt(1, 1, courier=Courier(world, 100))
    assert only(attempted) == (
        Kind.FAILED,
        "all hosts of b.example are ourselves: mail would go in a circle",
    )


@pytest.mark.parametrize(("found", "reason"), [((), "no host of b.example could be tried"), (("::1",), "a.mx [::1]")])
async def test_hosts_that_cannot_be_reached_let_mail_wait_and_the_domains_own_address_is_not_tried(
    found: tuple[str, ...], reason: str
) -> None:
    asked: list[str] = []

    class Unreachable(World1):
        async def addresses(self, host: str) -> Addresses:
            asked.append(host)
            return Addresses(found)

    courier = Courier(World(DeadlineWheel(), Unreachable(1), random.Random(1), allow_private=True), 100)
    attempted, _ = await attempt(1, 1, courier=courier)
    assert only(attempted)[0] is Kind.DEFERRED
    assert reason in only(attempted)[1]
    assert asked == ["a.mx"]


def fresh(hosts: int = 2) -> Courier:
    return Courier(World(DeadlineWheel(), World1(hosts), random.Random(1), allow_private=True), 100)


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "DATA"])
async def test_an_attempt_that_is_cut_before_the_final_dot_ends_at_once_and_untouched(stage: str) -> None:
    host, courier = Host(SILENCE) if stage == "greeting" else Host(**{stage: SILENCE}), fresh()
    async with listening(host, Host()) as port:
        going = asyncio.create_task(attempt(port, 2, courier=courier))
        await wait_for(lambda: host.connections)
        await asyncio.sleep(0.1)
        courier.cut()
        async with asyncio.timeout(2):
            with pytest.raises(LeaseLostError):
                await going
            await courier.leave()
    assert host.taken == []


async def test_after_the_cut_no_attempt_begins() -> None:
    host, courier = Host(), fresh(1)
    async with listening(host) as port:
        await attempt(port, 1, courier=courier)
        courier.cut()
        with pytest.raises(LeaseLostError):
            await attempt(port, 1, courier=courier)
        await courier.leave()
    assert len(host.taken) == 1


async def test_what_one_host_took_is_not_forgotten_when_the_next_is_cut() -> None:
    def some(line: bytes) -> bytes:
        return b"250 ok\r\n" if b"one" in line else b"452 too many\r\n"

    first, second, courier = Host(RCPT=some, dot=b"250 taken\r\n"), Host(SILENCE), fresh()
    both = ("one@b.example", "two@b.example")
    async with listening(first, second) as port:
        first.script[b"QUIT"] = b"221 bye\r\n"
        going = asyncio.create_task(attempt(port, 2, courier=courier, recipients=both))
        await wait_for(lambda: first.taken)
        await asyncio.sleep(0.3)
        courier.cut()
        attempted, _ = await going
        await courier.leave()
    assert {each: outcome.kind for each, outcome in attempted.outcomes.items()} == {
        "one@b.example": Kind.DELIVERED,
        "two@b.example": Kind.DEFERRED,
    }
