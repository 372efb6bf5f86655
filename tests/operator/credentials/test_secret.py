"""What stands in the Secrets of a credential."""

from typing import Any

from paquebot_operator.credentials.rotation import Password, State
from paquebot_operator.credentials.secret import STATE, Place, binding, login, truth, truth_name

ENTRY: dict[str, Any] = {
    "metadata": {"name": "app", "namespace": "shop", "uid": "u1"},
    "spec": {"secretTemplate": {"labels": {"team": "x"}, "annotations": {"note": "y"}}},
}
PLACE = Place("mail.example.com", 587, "paquebot-submission:4000", "PEM")


def test_the_platforms_secret_has_hashes_and_no_password() -> None:
    secret = truth(ENTRY, State((Password("hash", 1),)), "mail-system")
    assert secret["metadata"]["name"] == truth_name("shop", "app")
    assert list(secret["stringData"]) == [STATE]
    assert "hash" in secret["stringData"][STATE]


def test_the_tenants_secret_is_bound_to_its_object_and_carries_what_the_template_says() -> None:
    secret = binding(ENTRY, "app-smtp", PLACE)
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "u1"
    assert secret["metadata"]["labels"]["team"] == "x"
    assert secret["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "paquebot-operator"
    assert secret["metadata"]["annotations"] == {"note": "y"}
    assert secret["stringData"]["ca.crt"] == "PEM"
    assert "password" not in secret["stringData"]


def test_a_template_cannot_take_the_mark_of_the_operator_away() -> None:
    entry = ENTRY | {"spec": {"secretTemplate": {"labels": {"app.kubernetes.io/managed-by": "me"}}}}
    assert binding(entry, "s", PLACE)["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "paquebot-operator"


def test_a_uri_quotes_what_would_part_it() -> None:
    said = login(ENTRY, "app-smtp", "p@ss:w/rd", PLACE)["stringData"]
    assert said["uri"] == "smtp://shop.app:p%40ss%3Aw/rd@mail.example.com:587"
    assert said["password"] == "p@ss:w/rd"


def test_names_of_the_platforms_secrets_do_not_meet() -> None:
    assert truth_name("a", "b-c") != truth_name("a-b", "c")
