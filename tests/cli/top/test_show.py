"""A frame as people see it."""

from rich.console import Console

from cli.explain.situations import NOW, POLICY, POOL, deliverer, site
from paquebot.cli.live import Live
from paquebot.cli.top.command import Wish, pressed
from paquebot.cli.top.frame import Look, Sort, frame
from paquebot.cli.top.show import shown
from paquebot.queue.depth import Depth
from paquebot.wire.deliverer import Counts

SLOW = {"state": "THROTTLED", "reason": "421 Slow down", "until_ms": NOW + 90_000}
RESTING = site(site="mx-1", domain="b.example", waiting=7, **SLOW)
BEFORE = Look(NOW - 1000, POLICY.pools, Live((deliverer(sites=(site(),)),)))
AFTER = Look(
    NOW,
    POLICY.pools,
    Live((deliverer(sites=(site(counts=Counts(1250, 4, 1)), RESTING), counts=Counts(1250, 4, 1)),), ("pod-9",)),
    {POOL: Depth(12, 3, NOW - 5000)},
)


def text(sites_max: int = 9, keys: str = "") -> list[str]:
    console = Console(width=200, no_color=True)
    with console.capture() as capture:
        console.print(shown(frame(BEFORE, AFTER), Sort.WAITING, sites_max, keys))
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def test_a_frame_has_pools_then_sites_then_how_they_are_sorted() -> None:
    assert text() == [
        "paquebot top 12:00:00Z no answer from pod-9",
        "POOL STATE ACC/S DEL/S DEF/S FAIL/S READY LATER HELD OLDEST HAND FLIGHT CONNS PARTS DELIVERERS",
        "mail-system/default sending - 50 - - 12 3 0 5 s 412 6 30 16 1",
        "",
        "SITE STATE DOMAIN DEL/S DEF/S FAIL/S PACE FLIGHT LINE LATER NEXT WHY",
        "bigmail READY 50 - - 12/50 3/20 341 0 now",
        "mx-1 THROTTLED b.example 1,200 4.0 1.0 12/50 3/20 7 0 1 min 30 s 421 Slow down",
        "sites by waiting",
    ]


def test_what_does_not_fit_is_counted() -> None:
    assert text(1, " q quit")[-1] == "sites by waiting, 1 more q quit"


def test_keys_sort_and_quit() -> None:
    wish = Wish()
    pressed(wish, "d")
    assert (wish.sort, wish.quit) == (Sort.DELIVERED, False)
    pressed(wish, "?")
    pressed(wish, "q")
    assert (wish.sort, wish.quit) == (Sort.DELIVERED, True)
