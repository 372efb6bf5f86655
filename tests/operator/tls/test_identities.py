"""Who needs a certificate, and under which names it is looked for."""

from paquebot.queue.users import PERMISSIONS, SYSTEM_USER, UNLIMITED
from paquebot_operator.tls.identities import leaves, smtp_leaf

LEAVES = {leaf.secret: leaf.names for leaf in leaves("mail-system")}


def test_every_user_of_the_queue_has_a_secret_whose_first_name_is_that_user() -> None:
    for user in (*PERMISSIONS, *UNLIMITED, SYSTEM_USER):
        assert LEAVES[f"paquebot-{user}-identity"][0] == user


def test_the_queue_is_known_by_its_service_and_each_server_by_its_own_name() -> None:
    assert LEAVES["paquebot-nats-identity"] == (
        "nats",
        "paquebot-nats",
        "paquebot-nats.mail-system.svc",
        "*.paquebot-nats-headless.mail-system.svc",
    )


def test_clients_find_the_listeners_under_the_platforms_name() -> None:
    assert smtp_leaf("mail-system", "smtp.example.net").names[0] == "smtp.example.net"
