"""Whom an order keeps from submitting, how long, and what the reply says."""

from dataclasses import replace

import pytest

from paquebot.mail.barred import NOBODY, Barred
from paquebot.mail.order import Action, Order, only

ORDER = Order(
    id="1",
    action=Action.SUSPEND,
    selector=only("credential", "shop.orders"),
    author="ann",
    reason="its password leaked",
    given_ms=0,
    ends_ms=3_600_000,
)


def test_the_reply_names_the_credential_the_reason_and_the_cure() -> None:
    refusal = Barred.of([ORDER]).refusal(525, "shop", "orders", 1)
    assert str(refusal) == (
        "525 5.7.13 Credential shop.orders is suspended until 1970-01-01 01:00:00Z: its password leaked. "
        "Your mail platform's team can resume it"
    )
    assert refusal is not None
    long = Barred.of([replace(ORDER, reason="x" * 2000)]).refusal(525, "shop", "orders", 1)
    assert long is not None
    assert len(str(long)) < 500


@pytest.mark.parametrize(
    ("tenant", "credential", "now_ms", "is_barred"),
    [
        ("shop", "orders", 3_599_999, True),
        ("shop", "orders", 3_600_000, False),
        ("shop", "other", 1, False),
        ("news", "orders", 1, False),
    ],
)
def test_it_is_that_credential_until_its_end(tenant: str, credential: str, now_ms: int, is_barred: bool) -> None:
    assert (Barred.of([ORDER]).refusal(525, tenant, credential, now_ms) is not None) is is_barred


def test_only_suspensions_of_credentials_bar() -> None:
    others = [replace(ORDER, action=Action.HOLD), replace(ORDER, selector=only("tenant", "shop"))]
    assert Barred.of(others) == NOBODY
    assert NOBODY.refusal(525, "shop", "orders", 1) is None


def test_of_two_the_one_that_ends_last_counts() -> None:
    later = replace(ORDER, id="2", ends_ms=7_200_000)
    assert Barred.of([later, ORDER]).refusal(525, "shop", "orders", 5_000_000) is not None
