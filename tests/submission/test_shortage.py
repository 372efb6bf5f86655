"""What is done as memory fills: contents first, then connections; and all of it again when there is room."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paquebot.runtime.memory import Memory
from paquebot.submission.crowd import Crowd
from paquebot.submission.shortage import Shortage


@dataclass
class Place:
    """A machine whose memory is as full as the test wants."""

    root: Path
    shortage: Shortage

    def fill(self, share: float) -> tuple[bool, bool]:
        (self.root / "memory.current").write_text(str(int(1000 * share)))
        self.shortage.look()
        return self.shortage.room.short, self.shortage.crowd.short


@pytest.fixture
def place(tmp_path: Path, world: Any) -> Place:
    (tmp_path / "memory.stat").write_text("inactive_file 0\n")
    return Place(tmp_path, Shortage(Memory(1000, tmp_path), world.room(), Crowd()))


@pytest.mark.parametrize(("share", "short"), [(0.5, False), (0.85, False), (0.86, True), (0.95, True)])
def test_above_85_per_cent_no_content_is_begun(place: Place, share: float, *, short: bool) -> None:
    assert place.fill(share) == (short, False)


def test_above_95_per_cent_no_connection_is_served(place: Place) -> None:
    assert place.fill(0.96) == (True, True)


def test_what_was_stopped_goes_on_by_itself_once_there_is_enough(place: Place) -> None:
    place.fill(0.96)
    assert place.fill(0.9) == (True, False)
    assert place.fill(0.8) == (True, False)
    assert place.fill(0.74) == (False, False)
