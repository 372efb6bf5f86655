"""Domains that look like others, and those that only share letters with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.spamfilter.lookalike import (
    carries_name,
    imitates,
    mixes_scripts,
    organisation,
    same_organisation,
    skeleton,
)

_OWN = frozenset({"steamship.example", "harbour-line.example"})
_CYRILLIC_PAYPAL = "\u0440\u0430\u0443\u0440\u0430\u04cf"  # reads "paypal"


def _punycode(label: str) -> str:
    return "xn--" + label.encode("punycode").decode()


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("mail.shop.example", "shop.example"),
        ("shop.example", "shop.example"),
        ("a.b.shop.co.uk", "shop.co.uk"),
        ("b.shop.com.au", "shop.com.au"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_the_organisation_is_what_was_registered(host: str, domain: str) -> None:
    assert organisation(host) == domain


def test_hosts_of_one_organisation_belong_together() -> None:
    assert same_organisation("click.shop.example", "www.shop.example")
    assert not same_organisation("shop.example", "shop.test")


@pytest.mark.parametrize(
    ("host", "imitated"),
    [
        ("paypa1.com", "paypal.com"),
        ("login.rnicrosoft.com", "microsoft.com"),
        ("paypai.example", "paypal.com"),
        (_punycode(_CYRILLIC_PAYPAL) + ".com", "paypal.com"),
        (_CYRILLIC_PAYPAL + ".com", "paypal.com"),
        ("mail.stearnship.example", "steamship.example"),
        ("5teamship.test", "steamship.example"),
        ("paypal.com", ""),
        ("www.paypal.com", ""),
        ("paypal.de", ""),  # most likely theirs
        ("steamship.example", ""),
        ("vlsa.com", ""),  # too short to tell
        ("unrelated.example", ""),
        ("", ""),
        ("x" * 300, ""),
    ],
)
def test_a_domain_that_reads_like_another_is_found(host: str, imitated: str) -> None:
    assert imitates(host, _OWN) == imitated


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("paypal.com.login.example", "paypal.com"),
        ("www.paypal.com.login.example", "paypal.com"),
        ("paypal.com", ""),
        ("www.paypal.com", ""),
        ("yahoo.com.au", ""),
        ("digital.yahoo.com.au", ""),
        ("mypaypal.com.example", ""),
        ("", ""),
    ],
)
def test_a_well_known_name_in_front_of_another_domain_is_found(host: str, name: str) -> None:
    assert carries_name(host) == name


@pytest.mark.parametrize(
    ("host", "mixed"),
    [
        ("p\u0430ypal.com", True),
        (_punycode("p\u0430ypal") + ".com", True),
        ("\u043f\u043e\u0447\u0442\u0430.example", False),  # all Cyrillic
        (_punycode("m\u00fcller") + ".de", False),
        ("xn--\u00e9", False),
        ("plain.example", False),
    ],
)
def test_a_label_of_two_scripts_is_found(host: str, *, mixed: bool) -> None:
    assert mixes_scripts(host) is mixed


@given(st.text(max_size=80))
def test_any_label_has_a_skeleton_and_any_host_an_answer(text: str) -> None:
    skeleton(text)
    skeleton("xn--" + text)
    imitates(text, _OWN)
    carries_name(text)
    mixes_scripts(text)
