"""Urgent lanes go first; tenants take turns within a lane."""

from hypothesis import given
from hypothesis import strategies as st

from paquebot.deliverer.line import Line
from paquebot.mail.delivery import Lane


def test_tenants_take_turns_however_many_one_has(taken) -> None:
    line = Line()
    for number in range(5):
        line.push(taken(number, "loud"))
    line.push(taken(9, "quiet"))
    assert [each.delivery.tenant for _ in range(3) if (each := line.pop())] == ["loud", "quiet", "loud"]


def test_urgent_mail_overtakes(taken) -> None:
    line = Line()
    line.push(taken(1, lane=Lane.BULK))
    line.push(taken(2, lane=Lane.NORMAL))
    line.push(taken(3, lane=Lane.URGENT))
    assert [each.delivery.lane for _ in range(3) if (each := line.pop())] == [Lane.URGENT, Lane.NORMAL, Lane.BULK]


def test_a_partition_is_taken_out_whole(taken) -> None:
    line = Line()
    for number in range(10):
        line.push(taken(number, partition=number % 2))
    out = line.take_out(lambda each: each.fence.partition == 1)
    assert [each.delivery.id for each in out] == ["id1", "id3", "id5", "id7", "id9"]
    assert len(line) == 5
    assert all(each.fence.partition == 0 for each in line)


@given(items=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(Lane)), max_size=30))
def test_what_goes_in_comes_out_once(items: list[tuple[str, Lane]]) -> None:
    from deliverer.conftest import delivery
    from paquebot.queue.ownership import Fence
    from paquebot.queue.taken import Taken

    line = Line()
    for number, (tenant, lane) in enumerate(items):
        line.push(Taken(delivery(number, tenant, lane), b"", "", Fence("p", 0, 1)))
    assert len(line) == len(items)
    out = [each.delivery.id for _ in range(len(items)) if (each := line.pop())]
    assert sorted(out) == sorted(f"id{number}" for number in range(len(items)))
    assert line.pop() is None
