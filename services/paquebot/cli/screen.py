"""What people look at: one console for all commands, tables that keep their last column."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 200  # a pipe has no width: lines stay whole for grep

CONSOLE = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under headings; the last column is prose and wraps."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings[:-1]:
        table.add_column(heading, overflow="fold")
    table.add_column(headings[-1], overflow="fold", ratio=1, min_width=30)
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(table, soft_wrap=False)
