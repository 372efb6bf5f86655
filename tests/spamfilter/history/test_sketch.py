"""Who was written to is known, and forgotten in the end; the sketch stays as small as it is."""

import random

from paquebot.spamfilter.history.sketch import KEPT_S, OCTETS, Sketch

RANDOM = random.Random(1)
PEOPLE = tuple(RANDOM.getrandbits(64) for _ in range(4000))


def test_all_who_were_written_to_are_known_and_few_others() -> None:
    sketch = Sketch(0).after(PEOPLE[:1000], 1)
    assert all(map(sketch.knows, PEOPLE[:1000]))
    assert sum(map(sketch.knows, PEOPLE[1000:])) < 150
    assert abs(sketch.distinct - 1000) < 60


def test_a_full_half_becomes_the_one_before_and_the_oldest_is_forgotten() -> None:
    sketch = Sketch(0)
    for begin in range(0, 4000, 100):
        sketch = sketch.after(PEOPLE[begin : begin + 100], begin)
    assert all(map(sketch.knows, PEOPLE[-1000:]))
    assert not all(map(sketch.knows, PEOPLE[:500]))
    assert (len(sketch.current), len(sketch.before)) == (OCTETS, OCTETS)


def test_a_half_is_kept_for_a_time_however_few_there_are() -> None:
    sketch = Sketch(0).after(PEOPLE[:1], 1).after(PEOPLE[1:2], KEPT_S + 1).after(PEOPLE[2:3], 2 * KEPT_S + 2)
    assert sketch.knows(PEOPLE[2])
    sketch = sketch.after(PEOPLE[3:4], 3 * KEPT_S + 3)
    assert not sketch.knows(PEOPLE[0])


def test_who_is_known_changes_nothing() -> None:
    sketch = Sketch(0).after(PEOPLE[:3], 1)
    assert sketch.after(PEOPLE[1:3], 5) is sketch
