"""A selector means what people expect of it."""

from dataclasses import replace

import pytest

from paquebot.mail.delivery import Lane
from paquebot.mail.reply import Reply
from paquebot.mail.selector import Selector
from queue_making import delivery

HOUR_MS = 3_600_000
DELIVERY = delivery(
    "m1",
    2,
    accepted_ms=0,
    lane=Lane.BULK,
    tags={"campaign": "spring", "kind": "news"},
    last_reply=Reply(421, "4.7.0", "[TSS04] Messages temporarily deferred"),
    reason="MAIL was answered with 421",
)


@pytest.mark.parametrize(
    "selector",
    [
        Selector(),
        Selector(names=("m1",)),
        Selector(names=("m1.2", "m9")),
        Selector(sites=("a.example", "b.example")),
        Selector(groups=("other",), domains=("b.example",), tenants=("shop",)),
        Selector(credentials=("orders",), pools=("mail_main",), lanes=("bulk",)),
        Selector(credentials=("shop.orders",)),
        Selector(tags=("campaign=spring", "campaign=summer")),
        Selector(older_ms=HOUR_MS),
        Selector(younger_ms=HOUR_MS + 1),
        Selector(states=("deferred",)),
        Selector(replies=("TSS04",)),
        Selector(replies=("421 4.7.* *deferred",)),
        Selector(replies=("mail was answered",)),
    ],
)
def test_what_fits_in_every_field_is_meant(selector: Selector) -> None:
    assert selector.matches(DELIVERY, "deferred", HOUR_MS)


@pytest.mark.parametrize(
    "selector",
    [
        Selector(names=("m1.3",)),
        Selector(names=("m",)),
        Selector(tenants=("shop",), domains=("c.example",)),
        Selector(lanes=("urgent", "normal")),
        Selector(tags=("campaign=summer",)),
        Selector(older_ms=HOUR_MS + 1),
        Selector(younger_ms=HOUR_MS),
        Selector(states=("ready", "held")),
        Selector(replies=("450*",)),
    ],
)
def test_what_differs_in_one_field_is_not_meant(selector: Selector) -> None:
    assert not selector.matches(DELIVERY, "deferred", HOUR_MS)


def test_it_says_whether_it_means_everything() -> None:
    assert Selector().is_empty
    assert not Selector(younger_ms=1).is_empty


def test_people_can_read_it() -> None:
    assert str(Selector(tenants=("shop", "news"), older_ms=HOUR_MS)) == "tenant shop or news, older than 3600 s"
    assert str(Selector(replies=("421*",))) == "reply 421*"
    assert str(Selector()) == "everything"


def test_a_delivery_that_was_never_tried_has_no_reply() -> None:
    assert not Selector(replies=("None",)).matches(replace(DELIVERY, last_reply=None, reason=""), "ready", 0)
