"""Where a credential's password is written, and how often it is replaced."""

from typing import Any

import pytest

from paquebot.policy.binding import secret_name
from paquebot.policy.check import Declared, check
from paquebot.policy.faults import Notes
from paquebot.policy.kinds import credential
from paquebot.policy.section import Section


def read(**spec: Any) -> tuple[str, list[str]]:
    notes = Notes("SMTPCredential", "shop", "web")
    return secret_name(Section(notes, "spec", spec)), [str(fault) for fault in notes.faults]


def test_a_password_is_kept_in_a_secret_of_the_credentials_name_unless_told_otherwise() -> None:
    assert read() == ("web-smtp", [])
    template = {"labels": {"team": "web"}, "annotations": {"a": "b"}}
    assert read(secretName="mail", secretTemplate=template, rotation={"interval": "90d"}) == ("mail", [])


def test_who_comes_with_a_token_has_a_password_only_when_asked_for() -> None:
    accounts = [{"name": "web"}]
    assert read(serviceAccounts=accounts) == ("", [])
    assert read(serviceAccounts=accounts, secretName="mail") == ("mail", [])
    assert read(serviceAccounts=accounts, rotation={"interval": "90d"}) == ("web-smtp", [])


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"rotation": {}}, "spec.rotation.interval: is missing"),
        ({"rotation": {"interval": "24h"}}, "spec.rotation.overlap: is not shorter than `interval`"),
        ({"rotation": {"interval": "59m", "overlap": "1m"}}, "give a duration from 1h to"),
        ({"secretName": "A"}, 'spec.secretName: "A" is not an object name'),
    ],
)
def test_what_cannot_be_is_told(spec: dict[str, Any], told: str) -> None:
    faults = read(**spec)[1]
    assert len(faults) == 1
    assert told in faults[0]


def test_two_credentials_do_not_write_one_secret() -> None:
    declared = [
        credential(Section(Notes("SMTPCredential", "shop", name), "spec", spec), "mail-system")
        for name, spec in (("web", {}), ("jobs", {"secretName": "web-smtp"}))
    ]
    check(Declared(credentials=declared))
    assert declared[1].notes.faults[-1].text == "web-smtp is the Secret of SMTPCredential shop/web already"
