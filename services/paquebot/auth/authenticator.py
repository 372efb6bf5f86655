"""Who is this? Joins policy, hashes, tokens, guessing limits and the argon2 threads; the clock is given.

What is refused looks the same from outside, in words and in time, whether the user name is unknown, the
password wrong, or the credential suspended or expired; the log says which. So does what is refused of tokens, which
need no thread: there is nothing slow about them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import structlog

from paquebot.auth import password
from paquebot.auth.bearer import Bearers
from paquebot.auth.checked import ENTRIES_MAX, Checked
from paquebot.auth.guessing import TABLE_MAX, Guessing
from paquebot.auth.metrics import AUTHENTICATIONS, LEASES
from paquebot.auth.principal import fallen, principal_of
from paquebot.auth.quota import LEASE_VALID_MS, UNKNOWN_RETRY_MS, Quotas
from paquebot.auth.token import Unfit, claimed, looks_like_token
from paquebot.mail.barred import NOBODY, Barred
from paquebot.mail.order import Order
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.policy.values import Policy, SMTPCredential
from paquebot.wire.auth import AuthenticateRequest, LeaseAnswer, LeaseRequest, Refusal

LOG = structlog.get_logger()

THREADS: Final = 2
WAITING_MAX: Final = 256  # checks in line; a longer line would outlast the clients' patience

WRONG: Final = Reply(535, "5.7.8", "User name or password wrong")
TOKEN_WRONG: Final = Reply(
    535, "5.7.8", "Token not accepted: it must be fresh, for our audience, its ServiceAccount named by a credential"
)
TOO_MANY: Final = Reply(421, "4.7.0", "Too many failed attempts; try again later")
NOT_LOADED: Final = Reply(454, "4.7.0", "Accounts are not loaded yet; try again in a moment")
BUSY: Final = Reply(454, "4.7.0", "Too many passwords to check; try again in a moment")

_LOAD_RETRY_MS: Final = 1000
_DISABLED: Final = 525  # with 5.7.13 (RFC 5248 §2.4)


class Authenticator:
    """Answers AUTHENTICATE and LEASE. Call `close` in the end: it owns threads."""

    def __init__(self, clock_ms: Callable[[], int], key: bytes) -> None:
        """Take a clock (Unix milliseconds) and a random key for the memory of checked passwords."""
        self._clock_ms = clock_ms
        self._policy: Policy | None = None
        self._barred: Barred = NOBODY
        self._bearers = Bearers(Policy())
        self._hashes: dict[str, tuple[str, ...]] | None = None
        self._checks = 1  # of each password: as many as any user has hashes, so that time tells nothing
        self._guessing = Guessing()
        self._quotas = Quotas()
        self._checked = Checked(key)
        self._threads = ThreadPoolExecutor(THREADS, "argon2")
        self._turn = asyncio.Semaphore(THREADS)
        self._waiting = 0

    def __repr__(self) -> str:
        return f"<Authenticator {self._waiting} waiting, {self._guessing}, {self._quotas}, {self._checked}>"

    def fullness(self) -> dict[str, tuple[float, float]]:
        """Return by name how much of a limit is used, and the limit."""
        return {
            "passwords in line": (self._waiting, WAITING_MAX),
            "cache of checked passwords": (len(self._checked), ENTRIES_MAX),
            "cache of failed logins": (self._guessing.largest, TABLE_MAX),
        }

    def learn_policy(self, policy: Policy) -> None:
        """Use this policy from now on."""
        self._policy = policy
        self._bearers = Bearers(policy)
        self._quotas.keep(policy)

    def learn_orders(self, orders: tuple[Order, ...]) -> None:
        """Let nobody in with a credential that these orders suspend."""
        self._barred = Barred.of(orders)

    def learn_hashes(self, hashes: dict[str, tuple[str, ...]]) -> None:
        """Use these hashes, by user name, from now on. Unfit ones are told in the log and left out."""
        fit = {username: tuple(filter(password.is_fit, stored)) for username, stored in hashes.items()}
        for username, stored in hashes.items():
            if fit[username] != stored:
                LOG.error("a stored hash is not one we check", username=username)
        self._hashes = fit
        self._checks = max([1, *map(len, fit.values())])

    async def authenticate(self, request: AuthenticateRequest) -> Principal | Refusal:
        """Return the principal, or what to refuse with."""
        if self._bearers.are_known and looks_like_token(request.password):
            request = replace(request, password=b"", token=request.password)
        answer, reason = await self._judge(request)
        AUTHENTICATIONS.labels(reason).inc()
        if isinstance(answer, Refusal):
            LOG.info("authentication refused", reason=reason, username=_counted_by(request), address=request.address)
        return answer

    def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Return a share of the quotas, or when to ask again and why."""
        answer = self._leased(request)
        LEASES.labels("granted" if answer.granted else "refused").inc()
        return answer

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _leased(self, request: LeaseRequest) -> LeaseAnswer:
        if self._policy is None:
            return LeaseAnswer(0, retry_ms=_LOAD_RETRY_MS, reason="accounts are not loaded yet")
        now_ms = self._clock_ms()
        credential = self._policy.credentials.get(f"{request.tenant}.{request.credential}")
        why = fallen(credential, now_ms)
        if credential is None or why:
            reason = f"credential {request.tenant}.{request.credential} is {why}"
            return LeaseAnswer(0, retry_ms=UNKNOWN_RETRY_MS, reason=reason)
        lease = self._quotas.lease(credential, self._policy, request.messages, now_ms)
        return LeaseAnswer(lease.granted, LEASE_VALID_MS if lease.granted else 0, lease.retry_ms, lease.reason)

    async def _judge(self, request: AuthenticateRequest) -> tuple[Principal | Refusal, str]:
        if self._policy is None or self._hashes is None:
            return Refusal(NOT_LOADED), "not loaded"
        if request.token:
            return self._judge_token(request, self._policy)
        at_once = self._without_check(request)
        if at_once is not None:
            return at_once
        if self._waiting >= WAITING_MAX:
            return Refusal(BUSY), "busy"
        self._waiting += 1
        try:
            async with self._turn:
                # Those before in the line may have used up the attempts, or checked the same password.
                return self._without_check(request) or await self._check(request)
        finally:
            self._waiting -= 1

    def _judge_token(self, request: AuthenticateRequest, policy: Policy) -> tuple[Principal | Refusal, str]:
        name, now_ms = _counted_by(request), self._clock_ms()
        if not self._guessing.is_heard(name, request.address, now_ms):
            return Refusal(TOO_MANY, close=True), "too many attempts"
        self._guessing.hear(name, now_ms)
        found = self._bearers.credential(request.token, request.username, now_ms)
        if isinstance(found, Unfit):
            # Who shows what the cluster signed is no guesser, but perhaps a client with a stale token.
            count = self._guessing.failed_again if found.is_signed else self._guessing.failed
            return Refusal(TOKEN_WRONG, count(name, request.address, now_ms)), found.reason
        self._guessing.succeeded(name, request.address, now_ms)
        return self._let_in(found, policy)

    def _without_check(self, request: AuthenticateRequest) -> tuple[Principal | Refusal, str] | None:
        now_ms = self._clock_ms()
        if not self._guessing.is_heard(request.username, request.address, now_ms):
            return Refusal(TOO_MANY, close=True), "too many attempts"
        token = self._checked.token(request.username, request.password)
        match self._checked.recall(token, self._mark(request.username), now_ms):
            case None:
                return None
            case True:
                return self._welcome(request)
            case _:
                delay_ms = self._guessing.failed_again(request.username, request.address, now_ms)
                return Refusal(WRONG, delay_ms), "wrong again"

    async def _check(self, request: AuthenticateRequest) -> tuple[Principal | Refusal, str]:
        username, given = request.username, request.password
        self._guessing.hear(username, self._clock_ms())
        mark, stored = self._mark(username), self._stored(username)
        cut = given[: password.PASSWORD_MAX_BYTES]
        is_right = await asyncio.get_running_loop().run_in_executor(
            self._threads, password.verify_any, stored, cut, self._checks
        )
        now_ms = self._clock_ms()
        if self._mark(username) != mark:
            return Refusal(BUSY), "changed meanwhile"
        reason = self._fallen(username)
        if not reason and not stored:
            reason = "no password set"
        if not reason and not (is_right and len(given) <= password.PASSWORD_MAX_BYTES):
            reason = "wrong password"
        self._checked.add(self._checked.token(username, given), mark, now_ms, is_welcome=not reason)
        if reason:
            return Refusal(WRONG, self._guessing.failed(username, request.address, now_ms)), reason
        return self._welcome(request)

    def _welcome(self, request: AuthenticateRequest) -> tuple[Principal | Refusal, str]:
        policy = self._policy or Policy()
        self._guessing.succeeded(request.username, request.address, self._clock_ms())
        return self._let_in(policy.credentials[request.username], policy)

    def _let_in(self, credential: SMTPCredential, policy: Policy) -> tuple[Principal | Refusal, str]:
        """Return the principal, unless an order suspends its credential: who knows the password is told so."""
        refusal = self._barred.refusal(_DISABLED, credential.namespace, credential.name, self._clock_ms())
        return (principal_of(credential, policy), "success") if refusal is None else (Refusal(refusal), "barred")

    def _fallen(self, username: str) -> str:
        return fallen((self._policy or Policy()).credentials.get(username), self._clock_ms())

    def _stored(self, username: str) -> tuple[str, ...]:
        return (self._hashes or {}).get(username, ())

    def _mark(self, username: str) -> str:
        """Return what a remembered check depends on; it changes with the hashes and with what stands."""
        return " ".join((self._fallen(username), *self._stored(username)))


def _counted_by(request: AuthenticateRequest) -> str:
    """Return the name that failures count for: the account that a token speaks of, whatever user name is beside it."""
    return claimed(request.token) or request.username
