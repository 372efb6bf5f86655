"""A frame as people see it: a table of pools, a table of the busiest sites."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paquebot.cli.explain.words import clock, span
from paquebot.cli.top.frame import Frame, PoolRow, SiteRow, Sort

_COLOURS = {
    "sending": "green",
    "READY": "green",
    "THROTTLED": "yellow",
    "draining": "yellow",
    "SUSPENDED": "red",
    "dead": "red",
    "paused": "magenta",
    "asleep": "magenta",
    "quiet": "dim",
}
_POOL_HEADINGS = (
    *("POOL", "STATE", "ACC/S", "DEL/S", "DEF/S", "FAIL/S", "READY", "LATER", "HELD", "OLDEST"),
    *("HAND", "FLIGHT", "CONNS", "PARTS", "DELIVERERS"),
)
_SITE_HEADINGS = (
    *("SITE", "STATE", "DOMAIN", "DEL/S", "DEF/S", "FAIL/S"),
    *("PACE", "FLIGHT", "LINE", "LATER", "NEXT", "WHY"),
)


def shown(frame: Frame, sort: Sort, sites_max: int, keys: str = "") -> RenderableType:
    """Return a frame to print; at most `sites_max` sites."""
    head = Text(f"paquebot top  {clock(frame.at_ms, frame.at_ms)}", style="bold")
    if frame.silent:
        head.append(f"  no answer from {', '.join(frame.silent)}", style="red")
    left = len(frame.sites) - sites_max
    foot = Text(f"sites by {sort}{f', {left} more' if left > 0 else ''}{keys}", style="dim")
    pools = _table(_POOL_HEADINGS, [_pool(row) for row in frame.pools])
    sites = _table(_SITE_HEADINGS, [_site(row, frame.at_ms) for row in frame.sites[:sites_max]])
    return Group(head, pools, Text(), sites, foot)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), expand=False)
    for heading in headings:
        is_text = heading in {"POOL", "SITE", "STATE", "DOMAIN", "WHY", "NEXT"}
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True, overflow="ellipsis")
    for row in rows:
        state = row[1]
        table.add_row(row[0], Text(state, style=_COLOURS.get(state, "")), *(Text(cell) for cell in row[2:]))
    return table


def _pool(row: PoolRow) -> tuple[str, ...]:
    rates = (row.accepted_per_s, row.delivered_per_s, row.deferred_per_s, row.failed_per_s)
    waiting = (row.ready, row.later, row.held)
    return (
        row.pool,
        row.state,
        *(_rate(rate) for rate in rates),
        *(f"{number:,}" for number in waiting),
        span(1000 * row.oldest_ready_s) if row.oldest_ready_s >= 1 else "-",
        *(f"{number:,}" for number in (row.in_hand, row.in_flight, row.connections, row.partitions, row.deliverers)),
    )


def _site(row: SiteRow, now_ms: int) -> tuple[str, ...]:
    allowed = f"/{row.allowed_per_s:g}" if row.allowed_per_s else ""
    limit = f"/{row.connections_allowed}" if row.connections_allowed else ""
    due = "" if not row.waiting else "now" if row.next_ms <= now_ms else span(row.next_ms - now_ms)
    return (
        f"{row.site}/{row.slot}" if row.slot else row.site,
        row.state,
        row.domain,
        _rate(row.delivered_per_s),
        _rate(row.deferred_per_s),
        _rate(row.failed_per_s),
        f"{_rate(row.pace_per_s)}{allowed}",
        f"{row.in_flight}{limit}",
        f"{row.line:,}",
        f"{row.later:,}",
        due,
        row.why,
    )


def _rate(per_s: float) -> str:
    return "-" if not per_s else f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.1f}"  # noqa: PLR2004  (three figures)
