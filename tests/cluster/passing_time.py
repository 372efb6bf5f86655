"""Time that passes for one domain's keys: what is kept of them is moved into the past, as if it had been written then.

All times that the operator keeps of a domain are in its Secret, and it reads that before each step. To move them all
by the same span is what a clock that ran on would come to; nothing of the operator is changed or told.
"""

import base64
import json
import time
from typing import Any

from cluster.platform import GROUP, PLATFORM
from cluster.tenant import Tenant
from cluster.waiting import until
from kube_plane import Refused
from paquebot_operator.dkim.keystore import STATE_FILE, WATCH_FILE, secret_name

CALM_S = 1.0
CONFLICT = 409
SLOT_TIMES = ("since_s", "signs_since_s", "free_s")
WATCH_TIMES = ("looked_s", "unsettled_since_s")


def let_pass(tenant: Tenant, seconds: int) -> None:
    """Have so much more time behind all that is known of the domain's keys, and the operator look at it again."""
    until("nobody writes to it", lambda: _is_calm(tenant) and _moved(tenant, seconds))
    path = f"{GROUP}/namespaces/{tenant.name}/maildomains/main"
    for passed in (None, str(seconds)):  # a change, whatever stood there
        body = {"metadata": {"annotations": {"story/passed": passed}}}
        tenant.cluster.plane.call("PATCH", path, body, content_type="application/merge-patch+json")


def _is_calm(tenant: Tenant) -> bool:
    """Say whether nothing has been written for a moment: who has a step in hand would write over what we move."""
    before = _versions(tenant)
    time.sleep(CALM_S)
    return before == _versions(tenant)


def _versions(tenant: Tenant) -> list[str]:
    domain, secret = tenant.cluster.get(*tenant.places[1]), tenant.cluster.plane.call("GET", _secret(tenant))
    return [str(each["metadata"]["resourceVersion"]) for each in (domain, secret)]


def _secret(tenant: Tenant) -> str:
    return f"/api/v1/namespaces/{PLATFORM}/secrets/{secret_name(tenant.domain)}"


def _moved(tenant: Tenant, seconds: int) -> bool:
    path = _secret(tenant)
    secret = tenant.cluster.plane.call("GET", path)
    for name, move in ((STATE_FILE, _slots), (WATCH_FILE, _watch)):
        kept = json.loads(base64.b64decode(secret["data"][name]))
        move(kept, seconds)
        secret["data"][name] = base64.b64encode(json.dumps(kept).encode()).decode()
    try:
        tenant.cluster.plane.call("PUT", path, secret)  # refused when the operator wrote meanwhile
    except Refused as refusal:
        if refusal.code != CONFLICT:
            raise
        return False
    return True


def _slots(kept: dict[str, Any], seconds: int) -> None:
    for slot in kept["slots"]:
        _back(slot, SLOT_TIMES, seconds)


def _watch(kept: dict[str, Any], seconds: int) -> None:
    _back(kept, WATCH_TIMES, seconds)
    for belief in kept["beliefs"]:
        _back(belief, ("negative_since_s",), seconds)
        if belief["last"]:
            _back(belief["last"], ("at_s",), seconds)


def _back(times: dict[str, Any], names: tuple[str, ...], seconds: int) -> None:
    for name in names:
        if times[name]:
            times[name] -= seconds
