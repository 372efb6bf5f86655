"""When all sessions are taken, whoever rests gives way to whoever waits, and nobody works on for ever."""

import asyncio

from paquebot.deliverer.line import Line
from paquebot.deliverer.sessions import TURN_MAX, Sessions
from paquebot.deliverer.site import Site
from paquebot.deliverer.throttle import Throttle
from paquebot.policy.values import DestinationPolicy
from paquebot.queue.ownership import Fence
from paquebot.queue.taken import Taken
from queue_making import delivery


def site(name: str) -> Site:
    return Site(name, "", Throttle(DestinationPolicy(name)), Line({}))


def taken(attempts: int) -> Taken:
    return Taken(delivery(attempts=attempts), b"", "reply", Fence("pool", 0, 1))


async def resting(sessions: Sessions, *sites: Site) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.create_task(sessions.rest(each, 60)) for each in sites]
    for _ in sites:
        sessions.begin()
    await asyncio.sleep(0)
    return tasks


async def test_a_site_that_waits_ends_the_rest_of_who_has_rested_longest() -> None:
    sessions = Sessions(lambda: 2)
    first, second = await resting(sessions, site("a"), site("b"))
    sessions.ask(site("c"))
    assert await first is False
    assert not second.done()
    second.cancel()


async def test_one_session_is_given_for_one_site_however_often_it_asks() -> None:
    sessions, hungry = Sessions(lambda: 2), site("c")
    first, second = await resting(sessions, site("a"), site("b"))
    for _ in range(5):
        sessions.ask(hungry)
    assert await first is False
    assert not second.done()
    second.cancel()


async def test_sites_have_their_turn_in_the_order_in_which_they_came() -> None:
    sessions = Sessions(lambda: 1)
    sessions.begin()
    for name in "cab":
        sessions.ask(site(name))
    assert list(sessions.turns()) == []
    sessions.end()
    assert [each.name for each in sessions.turns()] == ["c", "a", "b"]
    assert sessions.waiting == 0


async def test_new_mail_goes_before_what_is_tried_again_but_not_for_ever() -> None:
    sessions, waiting = Sessions(lambda: 6), [site(name) for name in "ABCDEF"]
    for each in waiting[1:]:
        each.line.push(taken(attempts=0))
    waiting[0].line.push(taken(attempts=2))
    for each in waiting:
        sessions.ask(each)
    assert "".join(each.name for each in sessions.turns()) == "BCDAEF"


async def test_nobody_rests_while_others_wait() -> None:
    sessions = Sessions(lambda: 1)
    sessions.ask(site("c"))
    assert await sessions.rest(site("a"), 60) is False


def test_a_turn_ends_only_for_others() -> None:
    sessions = Sessions(lambda: 1)
    assert not sessions.is_over(TURN_MAX)
    sessions.ask(site("c"))
    assert sessions.is_over(TURN_MAX)
    assert not sessions.is_over(TURN_MAX - 1)
