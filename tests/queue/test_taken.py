"""What an item in hand says of itself."""

from paquebot.queue.ownership import Fence
from paquebot.queue.taken import Taken
from queue_making import POOL, delivery

FENCE = Fence(POOL, 3, 7)


def test_it_counts_what_it_holds_in_memory_and_not_what_lies_in_the_store() -> None:
    empty = Taken(delivery(prefix=b""), b"", "reply", FENCE)
    assert empty.size > 0
    assert Taken(delivery(prefix=b"12345"), b"1234567", "reply", FENCE).size == empty.size + 12
    assert Taken(delivery(prefix=b"", size_bytes=9_000_000), b"", "reply", FENCE).size == empty.size


def test_its_text_names_it_and_tells_nothing_of_its_content() -> None:
    taken = Taken(delivery("m7", n=2), b"a secret", "reply", FENCE)
    assert taken.name == "m7.2"
    assert "m7.2" in repr(taken)
    assert "secret" not in repr(taken)
    assert "b.example" not in repr(taken)


def test_two_deliveries_of_one_name_are_not_the_same_in_hand() -> None:
    item = delivery()
    assert Taken(item, b"", "reply", FENCE) != Taken(item, b"", "reply", FENCE)
