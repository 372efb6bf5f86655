"""One message to each manner of host ends where it should, with its records."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from paquebot.mail.record import Kind
from paquebot.sandbox.cast import Fate, built_in
from platform_support import NEWS, Stage, content
from tests_support import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICIES = "".join(
    f"""---
{{apiVersion: paquebot.dev/v1alpha1, kind: DestinationPolicy, metadata: {{name: {name}}},
 spec: {{match: {{domains: [{name}.test]}}, limits: {{maxConnections: 2}},
        backoff: {{initial: 1s, max: 4s, multiplier: 2}}}}}}
"""
    for name in ("bigmail", "busy")
)

# Where they arrive though something is in the way, and why all the same.
IN_THE_CLEAR = {
    "plain.test": "STARTTLS is not offered",
    "brokentls.test": "opportunistic TLS that breaks is left out (RFC 7435)",
    "silenttls.test": "so is one that never answers",
    "helo.test": "without EHLO there are no extensions",
}
TWICE = {"silent.test": "the reply to the final dot was lost: tried again at the same host (RFC 1047)"}
ARRIVES = {
    "accept.test": "nothing is in the way",
    "implicit.test": "without MX the domain is its own host (RFC 5321 §5.1)",
    "firstdead.test": "the next MX is tried in the same attempt",
    "sixonly.test": "AAAA is an address like any other",
    "greylist.test": "451 is tried again",
    "throttle.test": "one message is below its limits",
    "bigmail.test": "so it is here",
    "busy.test": "and here",
    "nopipelining.test": "commands go step by step",
    "nosize.test": "MAIL has no SIZE=",
    "no8bit.test": "the content is 7-bit",
    "small.test": "the content is below its SIZE",
    "expired.test": "opportunistic TLS never looks at the certificate",
    "multiline.test": "replies have lines (RFC 5321 §4.2.1)",
    "odd.test": "only the first digit decides",
    "slow.test": "every octet comes in its time",
    "tarpit.test": "so does every reply",
    "hangup.test": "cut before the final dot: tried again",
    "flaky.test": "so is whatever else breaks",
    "connect.later.test": "450 in place of a greeting is tried again",
    "ehlo.later.test": "451 to EHLO is tried again, HELO is not tried",
    "mail.later.test": "so is 451 to MAIL",
    "rcpt.later.test": "so is 450 to RCPT",
    "data.later.test": "so is 451 to DATA",
    "dot.later.test": "so is 451 to the final dot: a reply is no doubt",
    "refuse.test": "the user is known",
    "toomany.test": "one recipient is not too many",
    **IN_THE_CLEAR,
}
WAITS = {
    "full.test": "RCPT was answered with 452 4.2.2 Mailbox full",
    "dead.test": "connecting failed: dead.dead.test [127.0.0.99]: Connection refused",
    "servfail.test": "looking up failed: looking up servfail.test failed",
}
FAILS = [
    ("unknown@refuse.test", "5.1.1"),
    ("x@nullmx.test", "5.1.10"),  # RFC 7505: at once
    ("x@nxdomain.test", "5.1.2"),
    ("x@nodata.test", "5.1.2"),  # neither MX nor address
    ("x@spam.test", "5.7.1"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"), POLICIES, patience=0.01)
    await stage.start()
    yield stage
    await stage.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module", autouse=True)
async def sent(stage: Stage) -> None:
    """Send to all at once, so that none waits for the others' slowness."""
    replies = await asyncio.to_thread(
        send_all, stage, {f"someone@{domain}": content(f"to-{domain}") for domain in ARRIVES | TWICE}
    )
    assert all(reply.startswith("250 2.0.0 Ok: queued as ") for reply in replies)


def send_all(stage: Stage, messages: dict[str, bytes]) -> list[str]:
    with stage.client() as client:
        return [stage.send(message, recipient, client=client) for recipient, message in messages.items()]


@pytest.mark.parametrize("domain", ARRIVES)
async def test_it_arrives_once_with_every_octet(stage: Stage, domain: str) -> None:
    message = content(f"to-{domain}")
    await wait_for(lambda: [each for each in stage.internet if each.content.endswith(message)], 60)
    arrived = [each for each in stage.internet if each.content.endswith(message)]
    assert len(arrived) == 1
    assert arrived[0].envelope.recipients == (f"someone@{domain}",)
    assert arrived[0].tls == (domain not in IN_THE_CLEAR)


async def test_after_a_silent_final_dot_it_arrives_twice_at_the_same_host_and_is_recorded_as_in_doubt(
    stage: Stage,
) -> None:
    message = content("to-silent.test")
    await wait_for(lambda: len([each for each in stage.internet if each.content.endswith(message)]) > 1, 60)
    arrived = [each for each in stage.internet if each.content.endswith(message)]
    assert {each.host for each in arrived} == {"mx.silent.test"}
    ident = next(each.id for each in stage.sent if each.content == message)
    kinds: list[Kind] = []
    for _ in range(100):
        kinds = [each.kind for each in await stage.records(ident)]
        if Kind.DELIVERED in kinds:
            break
    assert kinds == [Kind.ACCEPTED, Kind.DEFERRED, Kind.IN_DOUBT, Kind.DELIVERED]


async def test_every_domain_of_the_sandbox_has_its_test() -> None:
    tested = {*ARRIVES, *TWICE, *WAITS, *(recipient.partition("@")[2] for recipient, _status in FAILS)}
    assert tested == {domain.name for domain in built_in().domains}


async def test_the_fates_that_the_sandbox_tells_are_those_tested_here() -> None:
    fates = {domain.name: domain.fates for domain in built_in().domains}
    assert all(Fate.DELIVERED in fates[domain] for domain in ARRIVES | TWICE)
    assert all(fates[domain] == {Fate.WAITING} for domain in WAITS)
    assert all(Fate.FAILED in fates[recipient.partition("@")[2]] for recipient, _status in FAILS)


@pytest.mark.parametrize(("recipient", "status"), FAILS)
async def test_a_failure_comes_home_as_a_report(stage: Stage, recipient: str, status: str) -> None:
    before = len(stage.internet.received)
    reply = await stage.submit(content(f"fails-{recipient.partition('@')[2]}"), recipient)
    await wait_for(lambda: any(status.encode() in each.content for each in stage.internet.received[before:]), 30)
    report = next(each for each in stage.internet.received[before:] if status.encode() in each.content)
    assert report.envelope.reverse_path == ""
    assert report.envelope.recipients == ("orders@shop.test",)
    kinds: list[Kind] = []
    for _ in range(100):  # the report goes first, its record follows
        kinds = [each.kind for each in await stage.records(reply.rpartition(" ")[2]) if each.kind is not Kind.ACCEPTED]
        if kinds:
            break
    assert kinds == [Kind.FAILED]


async def test_recipients_of_one_message_each_have_their_own_fate(stage: Stage) -> None:
    message = content("many-fates")
    reply = await stage.submit(message, "a@accept.test", "b@plain.test", "unknown@refuse.test", "known@refuse.test")
    await wait_for(lambda: len([each for each in stage.internet if each.content.endswith(message)]) == 3, 30)
    arrived = [
        recipient for each in stage.internet if each.content.endswith(message) for recipient in each.envelope.recipients
    ]
    assert sorted(arrived) == ["a@accept.test", "b@plain.test", "known@refuse.test"]
    assert reply.startswith("250")


@pytest.mark.parametrize(("domain", "reason"), WAITS.items())
async def test_what_waits_says_why_and_until_when(stage: Stage, domain: str, reason: str) -> None:
    reply = await stage.submit(content(f"waits-{domain}"), f"someone@{domain}")
    ident = reply.rpartition(" ")[2]
    waiting = []
    for _ in range(100):
        waiting = [each for each in await stage.waiting() if each.id == ident and each.reason]
        if waiting:
            break
    assert waiting[0].reason.startswith(reason)


@pytest.mark.parametrize(
    ("domain", "body", "status"),
    [
        ("no8bit.test", "Grüße.\r\n", "5.6.3"),  # we do not recode what is signed
        ("helo.test", "Grüße.\r\n", "5.6.3"),
        ("small.test", "A long line of text.\r\n" * 6000, "5.3.4"),
    ],
)
async def test_what_a_host_cannot_take_fails_with_the_reason(stage: Stage, domain: str, body: str, status: str) -> None:
    message = content(f"too-much-for-{domain}", body=body)
    before = len(stage.internet.received)
    await stage.submit(message, f"someone@{domain}")
    await wait_for(lambda: any(status.encode() in each.content for each in stage.internet.received[before:]), 60)
    assert not [each for each in stage.internet if each.content.endswith(message)]


async def test_more_recipients_than_a_host_takes_at_once_arrive_in_several_goes(stage: Stage) -> None:
    message = content("five-at-once")
    wanted = [f"{name}@toomany.test" for name in "abcde"]
    await stage.submit(message, *wanted)

    def arrived() -> list[str]:
        found = [each.envelope.recipients for each in stage.internet if each.content.endswith(message)]
        return sorted(recipient for recipients in found for recipient in recipients)

    await wait_for(lambda: len(arrived()) >= 5, 60)
    assert arrived() == wanted


@pytest.mark.parametrize("domain", ["bigmail.test", "busy.test", "throttle.test"])
async def test_beyond_hidden_limits_all_arrive_once_only_later(stage: Stage, domain: str) -> None:
    messages = {f"{number}@{domain}": content(f"{number}-of-many-{domain}") for number in range(6)}
    await asyncio.to_thread(send_all, stage, messages)

    def arrived() -> list[bytes]:
        ends = tuple(messages.values())
        return [each.content for each in stage.internet if each.content.endswith(ends)]

    await wait_for(lambda: len(arrived()) >= len(messages), 60)
    assert len(arrived()) == len(messages)


async def test_a_credential_sends_only_as_its_own(stage: Stage) -> None:
    assert (await stage.submit(content("x"), "a@accept.test", username=NEWS)).startswith("550 5.7.1")
    forged = content("forged", sender="ceo@bank.example")
    assert (await stage.submit(forged, "a@accept.test")).startswith("550 5.7.1")
