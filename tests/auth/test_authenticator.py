"""Authentication as submission sees it: principals, refusals that tell nothing, limits, leases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from paquebot.auth import authenticator as module
from paquebot.auth import password
from paquebot.auth.authenticator import Authenticator
from paquebot.auth.guessing import ADDRESS_FAILURES_MAX
from paquebot.mail.order import Action, Order, only
from paquebot.mail.principal import Principal
from paquebot.policy.values import Limits, Policy, SMTPCredential
from paquebot.wire.auth import AuthenticateRequest, LeaseRequest, Refusal
from tests_support import log_plainly
from token_making import Cluster

CLUSTER = Cluster()
WEB = SMTPCredential("shop", "web", ("*@shop.example",), limits=Limits(60))
POD = replace(WEB, service_accounts=("mailer",))
TOKENS = Policy(credentials={POD.username: POD}, cluster=CLUSTER.identity())
POLICY = Policy(credentials={WEB.username: WEB})
HASH = password.hash_password(b"right")
HERE, THERE = "192.0.2.1", "198.51.100.1"


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def auth(clock: Clock) -> AsyncIterator[Authenticator]:
    subject = Authenticator(clock, b"k" * 32)
    subject.learn_policy(POLICY)
    subject.learn_hashes({WEB.username: (HASH,)})
    yield subject
    subject.close()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the hashes that were really checked."""
    seen: list[str] = []
    verify = password.verify

    def listed(stored: str, given: bytes) -> bool:
        seen.append(stored)
        return verify(stored, given)

    monkeypatch.setattr(password, "verify", listed)
    return seen


def changed(**changes: object) -> Policy:
    return Policy(credentials={WEB.username: replace(WEB, **changes)})  # type: ignore[arg-type]


async def attempt(
    auth: Authenticator, given: bytes = b"right", username: str = "shop.web", address: str = HERE
) -> Principal | Refusal:
    return await auth.authenticate(AuthenticateRequest(username, given, address))


async def refused(auth: Authenticator, given: bytes, username: str = "shop.web", address: str = HERE) -> Refusal:
    answer = await attempt(auth, given, username, address)
    assert isinstance(answer, Refusal)
    return answer


async def test_the_right_password_gives_the_principal(auth: Authenticator) -> None:
    assert await attempt(auth) == Principal("shop", "web", ("*@shop.example",), messages_per_hour=60)


async def test_every_refusal_reads_the_same_and_the_log_tells_which(auth: Authenticator, clock: Clock) -> None:
    log_plainly()
    with capture_logs() as logs:
        answers = [await refused(auth, b"wrong"), await refused(auth, b"right", "shop.nobody", THERE)]
        for at, policy in enumerate((changed(suspend=True), changed(expires_at_ms=clock.now_ms))):
            auth.learn_policy(policy)
            answers.append(await refused(auth, b"right", address=f"203.0.113.{at}"))
        auth.learn_policy(POLICY)
        auth.learn_hashes({})
        answers.append(await refused(auth, b"right", address="203.0.113.9"))
    assert {str(answer.reply) for answer in answers} == {"535 5.7.8 User name or password wrong"}
    told = [line["reason"] for line in logs]
    assert told == ["wrong password", "unknown", "suspended", "expired", "no password set"]
    assert not any(given in str(logs) for given in ("right", "wrong'"))


async def test_an_unknown_user_name_costs_a_check_as_any(auth: Authenticator, checks: list[str]) -> None:
    await refused(auth, b"right", "shop.nobody")
    await refused(auth, b"wrong")
    assert checks == [password.NOBODY, HASH]


async def test_a_right_password_is_checked_once_in_minutes(
    auth: Authenticator, clock: Clock, checks: list[str]
) -> None:
    for _ in range(3):
        assert isinstance(await attempt(auth), Principal)
    assert len(checks) == 1
    clock.now_ms += 300_000
    assert isinstance(await attempt(auth), Principal)
    assert len(checks) == 2


async def test_sessions_opened_at_once_share_one_check(auth: Authenticator, checks: list[str]) -> None:
    answers = await asyncio.gather(*[attempt(auth) for _ in range(100)])
    assert all(isinstance(answer, Principal) for answer in answers)
    assert len(checks) <= module.THREADS


async def test_a_changed_password_ends_the_old_one_at_once(auth: Authenticator) -> None:
    assert isinstance(await attempt(auth), Principal)
    auth.learn_hashes({WEB.username: (password.hash_password(b"new"),)})
    assert (await refused(auth, b"right")).reply == module.WRONG
    assert isinstance(await attempt(auth, b"new"), Principal)


async def test_while_a_password_is_replaced_both_are_right_and_the_old_one_ends_at_once(auth: Authenticator) -> None:
    assert isinstance(await attempt(auth), Principal)
    new = password.hash_password(b"new")
    auth.learn_hashes({WEB.username: (new, HASH)})
    assert isinstance(await attempt(auth, b"new"), Principal)
    assert isinstance(await attempt(auth, b"right"), Principal)
    auth.learn_hashes({WEB.username: (new,)})
    assert (await refused(auth, b"right")).reply == module.WRONG
    assert isinstance(await attempt(auth, b"new"), Principal)


async def test_a_password_that_was_wrong_is_right_as_soon_as_its_hash_comes(auth: Authenticator) -> None:
    assert (await refused(auth, b"new")).reply == module.WRONG
    auth.learn_hashes({WEB.username: (password.hash_password(b"new"), HASH)})
    assert isinstance(await attempt(auth, b"new"), Principal)


async def test_who_is_replacing_a_password_takes_no_longer_to_refuse_than_others(
    auth: Authenticator, checks: list[str]
) -> None:
    new = password.hash_password(b"new")
    auth.learn_hashes({WEB.username: (HASH,), "news.weekly": (new, HASH)})
    for username in ("shop.web", "news.weekly", "shop.nobody"):
        before = len(checks)
        await refused(auth, b"wrong", username)
        assert len(checks) == before + 2
    auth.learn_policy(changed(suspend=True))
    before = len(checks)
    await refused(auth, b"right", address=THERE)
    assert len(checks) == before + 2


async def test_a_changed_policy_holds_at_once(auth: Authenticator) -> None:
    assert isinstance(await attempt(auth), Principal)
    auth.learn_policy(changed(senders=("a@shop.example",)))
    answer = await attempt(auth)
    assert isinstance(answer, Principal)
    assert answer.senders == ("a@shop.example",)
    auth.learn_policy(changed(suspend=True))
    assert (await refused(auth, b"right")).reply == module.WRONG
    auth.learn_policy(POLICY)
    assert isinstance(await attempt(auth), Principal)


async def test_a_password_changed_while_it_is_checked_is_asked_again(
    auth: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()

    def slow(_stored: str, _given: bytes) -> bool:
        asyncio.run_coroutine_threadsafe(learn(), loop).result()
        return True

    async def learn() -> None:
        auth.learn_hashes({})

    monkeypatch.setattr(password, "verify", slow)
    assert (await refused(auth, b"right")).reply == module.BUSY


async def test_guessing_meets_growing_delay_and_then_421(auth: Authenticator, checks: list[str]) -> None:
    answers = [await refused(auth, b"%d" % at) for at in range(ADDRESS_FAILURES_MAX + 2)]
    delays = [answer.delay_ms for answer in answers[:4]]
    assert delays == [250, 500, 1000, 2000]
    assert [answer.reply.code for answer in answers] == [535] * ADDRESS_FAILURES_MAX + [421, 421]
    assert answers[-1].close
    assert not answers[0].close
    assert len(checks) == ADDRESS_FAILURES_MAX
    assert isinstance(await attempt(auth, address=THERE), Principal)


async def test_guesses_sent_all_at_once_are_no_way_around_the_limit(auth: Authenticator, checks: list[str]) -> None:
    answers = await asyncio.gather(*[refused(auth, b"%d" % at) for at in range(50)])
    assert len(checks) <= ADDRESS_FAILURES_MAX + module.THREADS
    assert [answer.reply.code for answer in answers].count(421) >= 50 - ADDRESS_FAILURES_MAX - module.THREADS


async def test_a_stale_client_does_not_shut_out_its_neighbours(auth: Authenticator, checks: list[str]) -> None:
    codes = [(await refused(auth, b"stale", "news.letters")).reply.code for _ in range(20)]
    assert codes == [535] * (ADDRESS_FAILURES_MAX + 1) + [421] * (19 - ADDRESS_FAILURES_MAX)
    assert len(checks) == 1
    assert isinstance(await attempt(auth), Principal)


async def test_until_policy_and_hashes_are_loaded_the_client_is_asked_to_wait(clock: Clock) -> None:
    empty = Authenticator(clock, b"k" * 32)
    assert (await refused(empty, b"right")).reply == module.NOT_LOADED
    empty.learn_policy(POLICY)
    assert (await refused(empty, b"right")).reply == module.NOT_LOADED
    assert empty.lease(LeaseRequest("shop", "web", 1)).granted == 1
    empty.close()


async def test_a_full_line_is_busy(auth: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 1)
    first, second = await asyncio.gather(attempt(auth), attempt(auth, address=THERE))
    assert isinstance(first, Principal)
    assert second == Refusal(module.BUSY)


async def test_an_overlong_password_is_wrong_even_if_it_begins_right(clock: Clock) -> None:
    longest = b"x" * password.PASSWORD_MAX_BYTES
    subject = Authenticator(clock, b"k" * 32)
    subject.learn_policy(POLICY)
    subject.learn_hashes({WEB.username: (password.hash_password(longest),)})
    assert (await refused(subject, longest + b"y")).reply == module.WRONG
    assert isinstance(await attempt(subject, longest), Principal)
    subject.close()


async def test_an_unfit_hash_counts_as_none_and_spoils_no_other(auth: Authenticator) -> None:
    auth.learn_hashes({WEB.username: ("right",)})
    assert (await refused(auth, b"right")).reply == module.WRONG
    auth.learn_hashes({WEB.username: ("right", HASH)})
    assert isinstance(await attempt(auth), Principal)


@pytest.fixture
def token(clock: Clock) -> bytes:
    return CLUSTER.token("shop.mailer", clock.now_ms / 1000)


async def shown(auth: Authenticator, token: bytes, username: str = "", address: str = HERE) -> Principal | Refusal:
    return await auth.authenticate(AuthenticateRequest(username, b"", address, token))


async def test_a_token_gives_the_principal_of_the_credential_without_a_check(
    auth: Authenticator, checks: list[str], token: bytes
) -> None:
    auth.learn_policy(TOKENS)
    expected = Principal("shop", "web", ("*@shop.example",), messages_per_hour=60)
    assert await shown(auth, token) == expected
    for username in ("shop.web", "shop.mailer"):
        assert await attempt(auth, token, username) == expected
    assert not checks
    assert isinstance(await attempt(auth), Principal)


async def test_a_policy_without_the_account_ends_its_token_at_once(auth: Authenticator, token: bytes) -> None:
    auth.learn_policy(TOKENS)
    assert isinstance(await shown(auth, token), Principal)
    auth.learn_policy(replace(TOKENS, credentials=POLICY.credentials))
    assert await shown(auth, token) == Refusal(module.TOKEN_WRONG, 250)


async def test_without_a_cluster_a_token_is_refused_and_as_password_it_is_a_password(
    auth: Authenticator, checks: list[str], token: bytes
) -> None:
    assert await shown(auth, token) == Refusal(module.TOKEN_WRONG, 250)
    assert (await refused(auth, token, address=THERE)).reply == module.WRONG
    assert len(checks) == 1


async def test_refused_tokens_read_the_same_and_the_log_tells_which(
    auth: Authenticator, clock: Clock, token: bytes
) -> None:
    now_s = clock.now_ms / 1000
    auth.learn_policy(TOKENS)
    log_plainly()
    with capture_logs() as logs:
        answers = [
            await shown(auth, CLUSTER.token("shop.mailer", now_s - 7200)),
            await shown(auth, CLUSTER.token("shop.other", now_s)),
            await shown(auth, token, "news.weekly"),
            await shown(auth, Cluster().token("shop.mailer", now_s), address=THERE),
            await shown(auth, b"x", "shop.web", THERE),
        ]
    assert {str(answer.reply) for answer in answers if isinstance(answer, Refusal)} == {str(module.TOKEN_WRONG)}
    assert [(line["reason"], line["username"]) for line in logs] == [
        ("token expired", "system:serviceaccount:shop:mailer"),
        ("token of an account that no credential names", "system:serviceaccount:shop:other"),
        ("token with the user name of another", "system:serviceaccount:shop:mailer"),
        ("token with a wrong signature", "system:serviceaccount:shop:mailer"),
        ("no token", "shop.web"),
    ]
    assert not any(part.decode() in str(logs) for part in token.split(b"."))


async def test_forged_tokens_meet_growing_delay_and_then_421(auth: Authenticator, clock: Clock, token: bytes) -> None:
    auth.learn_policy(TOKENS)
    forged = [Cluster().token("shop.mailer", clock.now_ms / 1000) for _ in range(ADDRESS_FAILURES_MAX + 1)]
    answers = [await shown(auth, each) for each in forged]
    assert [answer.delay_ms for answer in answers[:4] if isinstance(answer, Refusal)] == [250, 500, 1000, 2000]
    assert answers[-1] == Refusal(module.TOO_MANY, close=True)
    assert await shown(auth, token) == Refusal(module.TOO_MANY, close=True)
    assert isinstance(await shown(auth, token, address=THERE), Principal)


async def test_a_client_with_a_stale_token_does_not_shut_out_its_neighbours(
    auth: Authenticator, clock: Clock, token: bytes
) -> None:
    auth.learn_policy(TOKENS)
    stale = CLUSTER.token("shop.other", clock.now_ms / 1000 - 7200)
    codes = [answer.reply.code for _ in range(15) if isinstance(answer := await shown(auth, stale), Refusal)]
    assert codes == [535] * ADDRESS_FAILURES_MAX + [421] * (15 - ADDRESS_FAILURES_MAX)
    assert isinstance(await shown(auth, token), Principal)


async def test_other_user_names_beside_a_token_are_no_way_around_the_limit(auth: Authenticator, clock: Clock) -> None:
    auth.learn_policy(TOKENS)
    stale = CLUSTER.token("shop.other", clock.now_ms / 1000 - 7200)
    answers = [await shown(auth, stale, f"shop.{at}") for at in range(ADDRESS_FAILURES_MAX + 2)]
    assert answers[-1] == Refusal(module.TOO_MANY, close=True)


async def test_no_request_with_random_octets_raises(auth: Authenticator) -> None:
    auth.learn_policy(TOKENS)
    for at, octets in enumerate((b"\0", b"eyJ.eyJ.", b"\xff" * 20_000, b"eyJ" * 5000 + b".eyJ.")):
        assert isinstance(await shown(auth, octets, address=f"203.0.113.{at}"), Refusal)
        assert isinstance(await attempt(auth, octets, "\udc80", f"203.0.113.{at}"), Refusal)


async def test_leases_end_with_the_quota_and_with_the_credential(auth: Authenticator) -> None:
    asked = LeaseRequest("shop", "web", 100)
    first = auth.lease(asked)
    assert (first.granted, first.valid_ms) == (1, 10_000)
    answers = [auth.lease(asked) for _ in range(60)]
    assert sum(answer.granted for answer in answers) == 59
    assert "60 messages an hour" in answers[-1].reason
    assert answers[-1].retry_ms == 60_000
    auth.learn_policy(changed(suspend=True))
    assert auth.lease(asked).reason == "credential shop.web is suspended"
    auth.learn_policy(Policy())
    assert auth.lease(asked).reason == "credential shop.web is unknown"


async def test_a_repr_tells_the_state_and_no_secret(auth: Authenticator) -> None:
    await attempt(auth)
    shown = repr(auth)
    assert shown.startswith("<Authenticator 0 waiting, <Guessing 0 addresses")
    assert "right" not in shown


async def test_who_knows_the_password_is_told_that_an_order_suspends_the_credential(
    auth: Authenticator,
) -> None:
    order = Order(
        id="1",
        action=Action.SUSPEND,
        selector=only("credential", "shop.web"),
        author="ann",
        reason="its password leaked",
        given_ms=0,
        ends_ms=4_000_000_000_000,
    )
    auth.learn_orders((order,))
    told = await refused(auth, b"right")
    assert (told.reply.code, told.reply.enhanced) == (525, "5.7.13")
    assert "its password leaked" in told.reply.text
    assert (await refused(auth, b"wrong")).reply.code == 535
    auth.learn_orders(())
    assert not isinstance(await attempt(auth, b"right"), Refusal)
