"""What is tried again has a way of its own, unless it is urgent."""

import pytest

from paquebot.mail.delivery import Lane
from paquebot.queue.ways import Way, way_of
from queue_making import delivery


@pytest.mark.parametrize(
    ("lane", "attempts", "way"),
    [
        (Lane.URGENT, 0, Way.URGENT),
        (Lane.NORMAL, 0, Way.NORMAL),
        (Lane.BULK, 0, Way.BULK),
        (Lane.URGENT, 3, Way.URGENT),
        (Lane.NORMAL, 1, Way.AGAIN),
        (Lane.BULK, 1, Way.AGAIN),
    ],
)
def test_a_delivery_goes_the_way_of_its_lane_until_it_is_tried_again(lane: Lane, attempts: int, way: Way) -> None:
    assert way_of(delivery(lane=lane, attempts=attempts)) is way
