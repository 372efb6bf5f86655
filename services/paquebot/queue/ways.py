"""The ways by which a partition's items are pulled: one for each lane, and one of its own for what is tried again.

So thousands of deferred deliveries that fall due at once are never in front of new mail, in the stream nor in memory.
Pure.
"""

from enum import IntEnum

from paquebot.mail.delivery import Delivery, Lane


class Way(IntEnum):
    """A token of the subject, and a consumer."""

    URGENT = Lane.URGENT.value
    NORMAL = Lane.NORMAL.value
    BULK = Lane.BULK.value
    AGAIN = 3


def way_of(delivery: Delivery) -> Way:
    """Return the way of a delivery; urgent mail is urgent however often it is tried."""
    if delivery.attempts and delivery.lane is not Lane.URGENT:
        return Way.AGAIN
    return Way(delivery.lane)
