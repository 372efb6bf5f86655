"""Publishes that expect the same sequence, one at a time where several servers keep a stream.

There the leader refuses such a publish while another is on its way to the others: nothing is compared yet. One server
alone never does, so nothing waits before the first refusal.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

PAUSE_S = 0.005  # another process writes with the same expectation, or ours of before the first refusal
T = TypeVar("T")


@dataclass(slots=True)
class Abreast:
    """The lines of one connection, by what is expected; a line lives as long as somebody stands in it."""

    refusal: type[Exception]  # what an attempt raises when another publish is on its way
    refused: bool = False  # once: there are several servers
    lines: "WeakValueDictionary[str, asyncio.Lock]" = field(default_factory=WeakValueDictionary)

    async def publish(self, expected: str, timeout_s: float, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what an attempt returns, when its turn has come; refused ones are repeated for `timeout_s`."""
        if not self.refused:
            try:
                return await attempt()
            except self.refusal:
                self.refused = True
        line = self.lines.get(expected) or self.lines.setdefault(expected, asyncio.Lock())
        async with line:
            end = asyncio.get_running_loop().time() + timeout_s
            while True:
                try:
                    return await attempt()
                except self.refusal:
                    if asyncio.get_running_loop().time() >= end:
                        raise
                    await asyncio.sleep(PAUSE_S)
