"""What is said of a certificate that does not serve names it and the cure."""

from datetime import UTC, datetime, timedelta

import pytest

from paquebot.runtime.authority import make_authority
from paquebot_operator.conditions import FALSE, TRUE
from paquebot_operator.tls.checks import fault, ready
from paquebot_operator.tls.identities import Leaf
from paquebot_operator.tls.rotation import DAY_S, Authority, with_root
from paquebot_operator.tls.secrets import leaf_manifest, root_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
ROUTER = Leaf("paquebot-router-identity", ("router", "router.example"))
ROOT = make_authority("root", 3650, NOW)
AUTHORITY = with_root(Authority(), root_of(ROOT))


def secret(*names: str):
    return leaf_manifest("m", Leaf(ROUTER.secret, names), AUTHORITY, {AUTHORITY.active: ROOT}, NOW)


def test_a_good_certificate_has_no_fault() -> None:
    assert fault(ROUTER, secret("router", "router.example", "another"), NOW_S) == ""


@pytest.mark.parametrize(
    ("names", "after", "text"),
    [
        (("router",), timedelta(), "lacks the name router.example; issue it with that DNS name"),
        (("router.example", "router"), timedelta(), "must be router: it is the identity"),
        (ROUTER.names, timedelta(days=90), "has expired; renew it"),
        (ROUTER.names, timedelta(days=84, hours=1), "ends in 5 days; renew it"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure(names: tuple[str, ...], after: timedelta, text: str) -> None:
    assert text in fault(ROUTER, secret(*names), NOW_S + int(after.total_seconds()))
    assert fault(ROUTER, secret(*ROUTER.names), NOW_S + 83 * DAY_S) == ""


def test_a_missing_secret_is_explained_by_its_certificate_where_there_is_one() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "DoesNotExist", "message": "Issuing certificate"}
    said = fault(ROUTER, None, NOW_S, {"status": {"conditions": [condition]}})
    assert said.endswith("its Certificate says: DoesNotExist: Issuing certificate")
    assert "make it with ca.crt, tls.crt and tls.key" in fault(ROUTER, None, NOW_S)
    assert "is not whole" in fault(ROUTER, {"metadata": {}, "data": {"tls.crt": ""}}, NOW_S)


def test_many_faults_are_counted_and_three_are_told() -> None:
    assert ready([]).status == TRUE
    told = ready(["a", "b", "c", "d", "e"])
    assert (told.status, told.message) == (FALSE, "a; b; c; and 2 more")
