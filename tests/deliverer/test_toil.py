"""A deliverer tells what it did by group, of the busiest groups alone."""

from paquebot.deliverer.toil import GROUPS_MAX, Toil
from paquebot.queue.members import Load


def test_attempts_and_their_seconds_are_counted_by_group() -> None:
    toil = Toil()
    for group, took_s in (("gmail", 0.5), ("other", 2.0), ("gmail", 0.25)):
        toil.add(group, took_s)
    assert toil.load(60.0, 1.5, 4) == Load(60.0, 3, 1.5, 4, {"gmail": (2, 0.75), "other": (1, 2.0)})


def test_only_the_busiest_groups_are_told_but_all_attempts() -> None:
    toil = Toil()
    for number in range(GROUPS_MAX + 5):
        for _ in range(number + 1):
            toil.add(f"group-{number}", 1.0)
    load = toil.load(1.0, 0.0, 0)
    assert len(load.groups) == GROUPS_MAX
    assert "group-4" not in load.groups
    assert load.attempts == 25 * 26 // 2
