"""`paquebot top`: live rates, pools and sites; a frame, a stream of JSON, or a screen with keys."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import asdict, dataclass

import click
from rich.live import Live as Screen

from paquebot.cli.explain.gather import sources
from paquebot.cli.keys import keys
from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.screen import CONSOLE
from paquebot.cli.top.frame import Frame, Sort, frame
from paquebot.cli.top.looking import Looking
from paquebot.cli.top.show import shown

KEYS = "   w waiting  f in flight  d delivered  n name  q quit"
ROWS_AROUND = 8  # of the screen, that are not sites: headings, foot
SITES_OF_ONE_FRAME = 20


@dataclass(slots=True)
class Wish:
    """What the keys asked for."""

    sort: Sort = Sort.WAITING
    quit: bool = False


@click.command()
@click.option("--once", is_flag=True, help="Print one frame and end.")
@click.option("--interval", type=click.FloatRange(0.2, 60), default=1.0, show_default=True, help="Seconds of a frame.")
@click.option("--sort", type=click.Choice([each.value for each in Sort]), default="waiting", show_default=True)
@OUTPUT_OPTION
@STATE_OPTION
def top(*, once: bool, interval: float, sort: str, output: str, place: Place) -> None:
    """Show live what the platform does: rates, what waits, and the busiest sites with their states and reasons.

    Rates are a second's; LATER waits for a time or a person, HELD is the part of it that waits for a person, of
    the thousand that are looked at. `--output json` prints an object for each frame.
    """
    wish = Wish(Sort(sort))
    work = _print if once or output == "json" else _live
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work(place, Watch(interval, once, output == "json"), wish))


@dataclass(frozen=True, slots=True)
class Watch:
    """How it is looked at: seconds of a frame, one frame or many, as text or as JSON."""

    interval_s: float
    once: bool
    as_json: bool


async def _frames(place: Place, watch: Watch, wish: Wish) -> AsyncGenerator[Frame, None]:
    """Yield a frame each interval, for ever."""
    async with sources(place, place.running_or_fail()) as source:
        looking = Looking(source)
        counting = asyncio.create_task(looking.run())
        try:
            before = await looking.look()
            while True:
                await asyncio.sleep(watch.interval_s)
                now = await looking.look()
                yield frame(before, now, wish.sort)
                before = now
                if counting.done():
                    counting.result()  # it ends only when it breaks
        finally:
            counting.cancel()


async def _print(place: Place, watch: Watch, wish: Wish) -> None:
    async with contextlib.aclosing(_frames(place, watch, wish)) as frames:
        async for each in frames:
            if watch.as_json:
                click.echo(json.dumps(asdict(each)))
            else:
                CONSOLE.print(shown(each, wish.sort, SITES_OF_ONE_FRAME), soft_wrap=False)
            if watch.once:
                return


async def _live(place: Place, watch: Watch, wish: Wish) -> None:
    with _keys(wish), Screen(console=CONSOLE, screen=True, auto_refresh=False) as screen:
        async with contextlib.aclosing(_frames(place, watch, wish)) as frames:
            async for each in frames:
                room = max(1, CONSOLE.height - ROWS_AROUND - len(each.pools))
                screen.update(shown(each, wish.sort, room, KEYS), refresh=True)


@contextlib.contextmanager
def _keys(wish: Wish) -> Iterator[None]:
    """Take single keys from the terminal while it lasts."""
    watching = asyncio.current_task()
    assert watching is not None  # noqa: S101  (a coroutine called us)

    def on_key(key: str) -> None:
        pressed(wish, key)
        if wish.quit:
            watching.cancel()

    try:
        with keys(on_key):
            yield
    except asyncio.CancelledError:
        if not wish.quit:
            raise


def pressed(wish: Wish, key: str) -> None:
    """Do what a key asks for."""
    wish.quit = wish.quit or key == "q"
    wish.sort = next((each for each in Sort if each.value[0] == key), wish.sort)
