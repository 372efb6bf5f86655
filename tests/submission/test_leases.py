"""Quota leases: asked for once, spent here, void after their time."""

import asyncio

from paquebot.mail.principal import Principal
from paquebot.runtime.rpc_client import RpcUnavailableError
from paquebot.submission.leases import ASK_MESSAGES, ASK_MESSAGES_MAX, Leases
from paquebot.wire.auth import LeaseAnswer, LeaseRequest

_WEB = Principal("shop", "web")


class _Auth:
    def __init__(self, *answers: LeaseAnswer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[LeaseRequest] = []
        self.now_s = 0.0
        self.leases = Leases(self.lease, lambda: self.now_s)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        self.asked.append(request)
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_share_is_spent_before_auth_is_asked_again() -> None:
    auth = _Auth(LeaseAnswer(2, valid_ms=10_000), LeaseAnswer(2, valid_ms=10_000))
    for _ in range(4):
        if not auth.leases.has_room(_WEB):
            assert await auth.leases.refusal(_WEB) is None
        auth.leases.spend(_WEB)
    assert auth.asked == [LeaseRequest("shop", "web", ASK_MESSAGES)] * 2
    assert not auth.leases.has_room(_WEB)


async def test_the_more_is_asked_for_the_faster_a_share_is_spent_up_to_a_limit() -> None:
    shares = [ASK_MESSAGES, 2 * ASK_MESSAGES, 4 * ASK_MESSAGES, ASK_MESSAGES_MAX]
    auth = _Auth(*(LeaseAnswer(share, valid_ms=10_000) for share in [*shares, 1]))
    for share in shares:
        await auth.leases.refusal(_WEB)
        for _ in range(share - (share == ASK_MESSAGES_MAX)):
            auth.leases.spend(_WEB)
    assert [request.messages for request in auth.asked] == [50, 100, 200, 400]
    auth.now_s = 11.0
    await auth.leases.refusal(_WEB)
    assert auth.asked[-1].messages == ASK_MESSAGES


async def test_a_share_is_void_after_its_time() -> None:
    auth = _Auth(LeaseAnswer(2, valid_ms=10_000))
    await auth.leases.refusal(_WEB)
    auth.now_s = 9.9
    assert auth.leases.has_room(_WEB)
    auth.now_s = 10.0
    assert not auth.leases.has_room(_WEB)


async def test_no_share_is_a_refusal_that_says_when_to_come_back() -> None:
    auth = _Auth(LeaseAnswer(0, retry_ms=90_100, reason="credential shop.web has used its 10 messages an hour"))
    assert str(await auth.leases.refusal(_WEB)) == (
        "452 4.7.1 credential shop.web has used its 10 messages an hour: try again in 91 s"
    )


async def test_while_auth_is_down_known_sessions_go_on() -> None:
    auth = _Auth(RpcUnavailableError("down"))
    assert await auth.leases.refusal(_WEB) is None
    auth.leases.spend(_WEB)
    assert not auth.leases.has_room(_WEB)


async def test_many_sessions_ask_once() -> None:
    auth = _Auth(LeaseAnswer(50, valid_ms=10_000))
    assert await asyncio.gather(*(auth.leases.refusal(_WEB) for _ in range(20))) == [None] * 20
    assert len(auth.asked) == 1


async def test_our_own_reports_need_no_quota() -> None:
    auth = _Auth()
    ours = Principal("shop", "", internal=True)
    assert auth.leases.has_room(ours)
    auth.leases.spend(ours)
    assert auth.asked == []
