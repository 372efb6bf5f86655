"""Of several who claim a domain, who rules its DNS decides; else who came first."""

from dataclasses import replace

from paquebot_operator.dkim.ownership import Claim, holder, place, token
from paquebot_operator.names import Key

OLD = Claim(Key("MailDomain", "shop", "main"), "2026-01-01T00:00:00Z")
NEW = Claim(Key("MailDomain", "evil", "main"), "2026-01-02T00:00:00Z")


def test_the_oldest_holds_a_domain_until_another_is_proven() -> None:
    assert holder([NEW, OLD]) == OLD
    proven = replace(NEW, is_proven=True)
    assert holder([proven, OLD]) == proven
    assert holder([proven, replace(OLD, is_proven=True)]).key == OLD.key


def test_of_two_of_one_moment_the_first_by_name_holds_it() -> None:
    twin = replace(NEW, created=OLD.created)
    assert holder([OLD, twin]) == twin


def test_a_token_and_a_place_belong_to_one_namespace_and_domain() -> None:
    assert token("uid", "shop.example") == token("uid", "shop.example")
    assert len({token("uid", "shop.example"), token("uid", "a.example"), token("other", "shop.example")}) == 3
    assert place("uid", "shop.example") != place("other", "shop.example")
    assert token("uid", "shop.example")[:16] != place("uid", "shop.example")
