"""Each way has room of its own in memory."""

from paquebot.queue.hand import BYTES_MAX, ITEMS_MAX, Hand
from paquebot.queue.ways import Way


def test_a_full_way_leaves_the_others_their_room() -> None:
    hand = Hand()
    for _ in range(ITEMS_MAX[Way.BULK] + 5):
        hand.take(Way.BULK, 1)
    assert [hand.free(way) for way in Way] == [ITEMS_MAX[Way.URGENT], ITEMS_MAX[Way.NORMAL], 0, ITEMS_MAX[Way.AGAIN]]
    for _ in range(6):
        hand.drop(Way.BULK, 1)
    assert hand.free(Way.BULK) == 1


def test_a_way_is_full_by_its_octets_too() -> None:
    hand = Hand()
    hand.take(Way.NORMAL, BYTES_MAX[Way.NORMAL] - 1)
    assert hand.free(Way.NORMAL) == ITEMS_MAX[Way.NORMAL] - 1
    hand.take(Way.NORMAL, 1)
    assert hand.free(Way.NORMAL) == 0
    assert hand.free(Way.BULK) > 0
