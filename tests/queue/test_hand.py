"""Each lane has room of its own in memory."""

from paquebot.mail.delivery import Lane
from paquebot.queue.hand import BYTES_MAX, ITEMS_MAX, Hand


def test_a_full_lane_leaves_the_others_their_room() -> None:
    hand = Hand()
    for _ in range(ITEMS_MAX[Lane.BULK] + 5):
        hand.take(Lane.BULK, 1)
    assert [hand.free(lane) for lane in Lane] == [ITEMS_MAX[Lane.URGENT], ITEMS_MAX[Lane.NORMAL], 0]
    for _ in range(6):
        hand.drop(Lane.BULK, 1)
    assert hand.free(Lane.BULK) == 1


def test_a_lane_is_full_by_its_octets_too() -> None:
    hand = Hand()
    hand.take(Lane.NORMAL, BYTES_MAX[Lane.NORMAL] - 1)
    assert hand.free(Lane.NORMAL) == ITEMS_MAX[Lane.NORMAL] - 1
    hand.take(Lane.NORMAL, 1)
    assert hand.free(Lane.NORMAL) == 0
    assert hand.free(Lane.BULK) > 0
