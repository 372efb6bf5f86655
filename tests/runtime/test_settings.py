"""Settings are read whole or refused whole."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from paquebot.runtime.settings import Address, Networks, SettingsError, from_environment


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Settings:
    nats_url: str
    listen: Address
    folder: Path
    resolver: Address | None = None
    names: tuple[str, ...] = ()
    port: int = 25
    ratio: float = 1.0
    sandbox: bool = False
    colour: Colour = Colour.RED


GOOD = {"PAQUEBOT_NATS_URL": "tls://x", "PAQUEBOT_LISTEN": "[::1]:465", "PAQUEBOT_FOLDER": "keys"}


def test_fields_are_read_by_their_type() -> None:
    more = {
        "PAQUEBOT_NAMES": "a, b",
        "PAQUEBOT_SANDBOX": "1",
        "PAQUEBOT_RESOLVER": "",
        "PAQUEBOT_COLOUR": "RED",
    }
    settings = from_environment(Settings, GOOD | more)
    assert settings.listen == Address("::1", 465)
    assert str(settings.listen) == "[::1]:465"
    assert settings.names == ("a", "b")
    assert settings.sandbox
    assert settings.resolver is None
    assert settings.folder == Path("keys")


def test_all_faults_are_told_at_once_with_variable_and_cure() -> None:
    with pytest.raises(SettingsError) as error:
        from_environment(
            Settings,
            {
                "PAQUEBOT_LISTEN": "nowhere",
                "PAQUEBOT_PORT": "x",
                "PAQUEBOT_SANDBOX": "perhaps",
                "PAQUEBOT_COLOUR": "z",
            },
        )
    assert error.value.faults == (
        "PAQUEBOT_NATS_URL is not set: it is required",
        "PAQUEBOT_LISTEN cannot be read: expected host:port, as 127.0.0.1:465 or [::1]:465",
        "PAQUEBOT_FOLDER is not set: it is required",
        "PAQUEBOT_PORT cannot be read: expected a whole number",
        "PAQUEBOT_SANDBOX cannot be read: expected true or false",
        "PAQUEBOT_COLOUR cannot be read: expected one of red",
    )


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8::9", True),
        ("2001:db9::9", False),
        ("fe80::1%eth0", False),
    ],
)
def test_networks_hold_their_addresses(address: str, inside: bool) -> None:
    assert (address in Networks.parse("10.0.0.0/8, 2001:db8::/32")) == inside
    assert address not in Networks.parse("")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "lb.test", "10.0.0.0/33"])
def test_what_is_no_network_is_told_with_the_form_that_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected networks, as 10\.0\.0\.0/8"):
        Networks.parse(text)
