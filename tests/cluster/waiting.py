"""Waiting until something is so, and the conditions by which objects tell how far they are."""

import time
from collections.abc import Callable, Mapping
from smtplib import SMTPException
from typing import Any, TypeVar

from kube_plane import Refused

WAIT_MAX_S = 180.0  # what takes seconds takes minutes where other things run
LOOK_S = 0.2
Found = TypeVar("Found")


def until(
    what: str, find: Callable[[], Found], why: Callable[[], object] = str, timeout_s: float = WAIT_MAX_S
) -> Found:
    """Wait until something is found, and return it. What is not there to be asked yet is asked again.

    Raises AssertionError with what was awaited, what was found last, and what `why` says.
    """
    deadline = time.monotonic() + timeout_s
    last: Found | Exception
    while True:
        try:
            last = find()
            if last:
                return last
        except SMTPException:
            raise  # an OSError too, but it is what a story looks at
        except (OSError, Refused, LookupError) as trouble:
            last = trouble
        assert time.monotonic() < deadline, f"not in {timeout_s:.0f} s: {what}; the last was {last!r} {why()}"
        time.sleep(LOOK_S)


def condition(manifest: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return one of an object's conditions; empty while there is none that speaks of the object as it stands now."""
    known = (manifest.get("status") or {}).get("conditions") or ()
    generation = manifest.get("metadata", {}).get("generation")
    told = (dict(each) for each in known if each["type"] == kind)
    return next((each for each in told if each.get("observedGeneration", generation) == generation), {})
