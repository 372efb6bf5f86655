"""Where a message comes from."""

from paquebot.mail.origin import Origin


def test_an_account_is_named_as_it_logs_in() -> None:
    assert Origin("id", "shop", "orders").account == "shop.orders"
