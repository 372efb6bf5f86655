"""Everything breaks under load, in one run: nothing that was answered 250 is lost, altered or doubled without a reason.

`make chaos` is the same with faults at random, for as long as one likes.
"""

from pathlib import Path

import pytest

from chaos.plan import Fault, Kind
from chaos.run import CALM, Profile, Run
from chaos.scene import DELIVERERS

FIRST, SECOND = DELIVERERS
FAULTS = (
    Fault(0, Kind.KILL, FIRST, 1.0),
    Fault(0, Kind.CUT, f"{SECOND} - hosts", 0.5),
    Fault(0, Kind.KILL, "submission", 1.0),
    Fault(0, Kind.HOLE, "submission - nats", 2.0),
    Fault(0, Kind.SLOW, f"{SECOND} - nats", 2.0),
    Fault(0, Kind.KILL, "router", 1.0),
    Fault(0, Kind.DOWN, "", 2.0),
)


@pytest.mark.timeout(600)
async def test_a_storm_loses_nothing_and_doubles_no_more_than_was_under_way(tmp_path: Path) -> None:
    run = Run(Profile(1, 0.0, 60.0, faults=FAULTS, drain_s=240.0), tmp_path / "platform", print)
    account = await run.whole()
    print(account)
    wrong = {each: account[each] for each in ("lost", "altered", "orphaned", "waiting")}
    assert not any(wrong.values()), wrong
    assert account["accepted_messages"] >= CALM * len(FAULTS)
    assert account["duplicated"] <= account["in_flight_at_kills"] + account["in_flight_at_outages"]
