"""Lanes and tenants take turns: nobody is starved, nothing idles, urgent mail hardly waits."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverer.conftest import delivery
from paquebot.deliverer.line import LANE_WEIGHTS, LINE_MAX, TENANT_LEAST, Line
from paquebot.mail.delivery import Lane
from paquebot.queue.ownership import Fence
from paquebot.queue.taken import Taken

ROUND = sum(LANE_WEIGHTS.values())
FENCE = Fence("p", 0, 1)


def item(number: int = 1, tenant: str = "shop", lane: Lane = Lane.NORMAL) -> Taken:
    return Taken(delivery(number, tenant, lane), b"", "", FENCE)


def lanes_of(line: Line, count: int) -> list[Lane]:
    return [taken.delivery.lane for _ in range(count) if (taken := line.pop())]


def tenants_of(line: Line, count: int) -> list[str]:
    return [taken.delivery.tenant for _ in range(count) if (taken := line.pop())]


def test_tenants_take_turns_however_many_one_has() -> None:
    line = Line()
    for number in range(5):
        line.push(item(number, "loud"))
    line.push(item(9, "quiet"))
    assert tenants_of(line, 3) == ["loud", "quiet", "loud"]


@given(loud=st.integers(1, 300), served=st.integers(0, 300), others=st.integers(0, 5))
def test_anothers_flood_delays_a_tenants_first_by_a_round_at_most(loud: int, served: int, others: int) -> None:
    line = Line()
    for number in range(loud):
        line.push(item(number, "loud"))
        for other in range(others):
            line.push(item(number, f"t{other}"))
    tenants_of(line, min(served, len(line) - 1))
    line.push(item(0, "quiet"))
    assert "quiet" in tenants_of(line, others + 2)


def test_tenants_get_turns_by_their_weights() -> None:
    line = Line({"big": 3})
    for number in range(100):
        line.push(item(number, "big"))
        line.push(item(number, "small"))
    assert Counter(tenants_of(line, 80)) == {"big": 60, "small": 20}


def test_changed_weights_count_at_once() -> None:
    weights: dict[str, int] = {}
    line = Line(weights)
    for number in range(100):
        line.push(item(number, "a"))
        line.push(item(number, "b"))
    tenants_of(line, 20)
    weights["a"] = 9
    took = Counter(tenants_of(line, 40))
    assert took["a"] == pytest.approx(36, abs=1)


def test_floods_in_all_lanes_share_by_weight() -> None:
    line = Line()
    for number in range(400):
        for lane in Lane:
            line.push(item(number, lane=lane))
    assert Counter(lanes_of(line, 10 * ROUND)) == {Lane.URGENT: 160, Lane.NORMAL: 40, Lane.BULK: 10}


def test_urgent_mail_overtakes_what_waits() -> None:
    line = Line()
    for number in range(50):
        line.push(item(number, lane=Lane.BULK))
        line.push(item(number, lane=Lane.NORMAL))
    lanes_of(line, 30)
    line.push(item(99, lane=Lane.URGENT))
    assert lanes_of(line, 1) == [Lane.URGENT]


@given(urgent=st.integers(1, 100))
def test_a_burst_of_urgent_mail_waits_for_few_others(urgent: int) -> None:
    line = Line()
    for number in range(200):
        line.push(item(number, lane=Lane.BULK))
        line.push(item(number, lane=Lane.NORMAL))
    for number in range(urgent):
        line.push(item(number, lane=Lane.URGENT))
    assert lanes_of(line, urgent + urgent * 5 // 16 + 2).count(Lane.URGENT) == urgent


@given(coming=st.lists(st.sampled_from(Lane), max_size=200))
def test_every_lane_that_waits_is_served_within_a_round(coming: list[Lane]) -> None:
    line = Line()
    for number in range(5):
        for lane in Lane:
            line.push(item(number, lane=lane))
    waited = dict.fromkeys(Lane, 0)
    for number, lane in enumerate(coming):
        line.push(item(number, lane=lane))
        taken = line.pop()
        assert taken is not None
        for each in Lane:
            waits = line.lanes[each].length > 0 and each is not taken.delivery.lane
            waited[each] = waited[each] + 1 if waits else 0
            assert waited[each] <= ROUND + len(Lane)


@given(
    items=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(Lane)), max_size=30),
    weight=st.integers(1, 9),
)
def test_it_never_idles_and_what_goes_in_comes_out_once(items: list[tuple[str, Lane]], weight: int) -> None:
    line = Line({"a": weight})
    for number, (tenant, lane) in enumerate(items):
        line.push(item(number, tenant, lane))
    assert len(line) == len(items)
    out = [taken.delivery.id for _ in range(len(items)) if (taken := line.pop())]
    assert sorted(out) == sorted(f"id{number}" for number in range(len(items)))
    assert line.pop() is None


@given(items=st.lists(st.sampled_from(["a", "b"]), max_size=40))
def test_a_tenants_mail_keeps_its_order(items: list[str]) -> None:
    line = Line()
    for number, tenant in enumerate(items):
        line.push(item(number, tenant))
    out = [(taken.delivery.tenant, int(taken.delivery.id[2:])) for _ in items if (taken := line.pop())]
    for tenant in "ab":
        own = [number for whose, number in out if whose == tenant]
        assert own == sorted(own)


def test_a_partition_is_taken_out_whole(taken) -> None:
    line = Line()
    for number in range(10):
        line.push(taken(number, partition=number % 2))
    out = line.take_out(lambda each: each.fence.partition == 1)
    assert [each.delivery.id for each in out] == ["id1", "id3", "id5", "id7", "id9"]
    assert len(line) == 5
    assert all(each.fence.partition == 0 for each in line)


def test_what_is_taken_out_does_not_stay_though_the_answer_changes_meanwhile() -> None:
    line = Line()
    for number in range(4):
        line.push(item(number))
    answers = iter([True, False, True, False, False, False, False, False])
    out = line.take_out(lambda _taken: next(answers))
    assert sorted(each.name for each in (*out, *line)) == [f"id{number}.1" for number in range(4)]


def test_a_full_line_has_room_for_another_lane_and_another_tenant_only() -> None:
    line = Line()
    for number in range(LINE_MAX):
        assert line.has_room(item(number, "loud", Lane.BULK), LINE_MAX)
        line.push(item(number, "loud", Lane.BULK))
    assert not line.has_room(item(0, "loud", Lane.BULK), LINE_MAX)
    assert line.has_room(item(0, "loud", Lane.NORMAL), LINE_MAX)
    assert line.has_room(item(0, "quiet", Lane.BULK), LINE_MAX)


def test_a_line_leaves_half_as_much_memory_free_as_it_takes() -> None:
    line = Line()
    free = 150
    while line.has_room(item(), free):
        line.push(item())
        free -= 1
    assert (len(line), free) == (100, 50)
    assert line.has_room(item(0, "quiet"), 0)


def test_however_many_tenants_come_a_line_has_an_end() -> None:
    line = Line()
    number = 0
    while line.has_room(item(number, f"t{number}"), 10_000):
        line.push(item(number, f"t{number}"))
        number += 1
    assert number == 2 * LINE_MAX
    assert TENANT_LEAST < LINE_MAX
