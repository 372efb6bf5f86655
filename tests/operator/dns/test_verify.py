"""What servers say of a record is one of four things, and only servers of its zone can say that it is not there."""

import pytest

from paquebot_operator.dns.record import Purpose, Record, Verdict
from paquebot_operator.dns.verify import Answer, Look, judged

KEY = Record("pq1-ed._domainkey.shop.example", "TXT", "v=DKIM1; k=ed25519; p=AAAA", Purpose.DKIM)
ALIAS = Record("pq1-ed._domainkey.shop.example", "CNAME", "pq1-ed.1f.dkim.example", Purpose.DKIM)
TOKEN = Record("_mail-challenge.shop.example", "TXT", "abc", Purpose.OWNERSHIP)
SPF = Record("shop.example", "TXT", "v=spf1 include:spf.mail.example ~all", Purpose.SPF)
DMARC = Record("_dmarc.shop.example", "TXT", "v=DMARC1; p=none", Purpose.DMARC)
GOOD = KEY.value


def own(*values: str, failure: str = "", ttl_s: int = 60) -> Answer:
    return Answer("ns.example", authoritative=True, values=values, failure=failure, ttl_s=ttl_s)


def resolver(*values: str, failure: str = "", ttl_s: int = 60) -> Answer:
    return Answer("192.0.2.1", authoritative=False, values=values, failure=failure, ttl_s=ttl_s)


def verdict(record: Record, *answers: Answer) -> Verdict:
    return judged(record, Look(7, answers)).verdict


def test_a_record_is_there_when_all_say_so() -> None:
    sighting = judged(KEY, Look(7, (own(GOOD), own(GOOD, ttl_s=900), resolver(GOOD), resolver(GOOD))))
    assert (sighting.verdict, sighting.at_s, sighting.ttl_s) == (Verdict.PRESENT, 7, 900)


def test_one_server_of_the_zone_that_has_not_got_it_says_that_it_is_missing() -> None:
    sighting = judged(KEY, Look(7, (own(GOOD), own(), resolver(GOOD), own(failure="timeout"))))
    assert (sighting.verdict, sighting.reason) == (Verdict.MISSING, "says ns.example")


def test_a_server_that_says_something_else_is_quoted() -> None:
    sighting = judged(KEY, Look(7, (own("v=DKIM1; k=ed25519; p=BBBB"),)))
    assert (sighting.verdict, sighting.observed) == (Verdict.DIFFERENT, "v=DKIM1; k=ed25519; p=BBBB")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((own(GOOD), own(failure="SERVFAIL")), "ns.example: SERVFAIL"),
        ((own(GOOD), resolver(failure="timed out")), "192.0.2.1: timed out"),
        ((own(GOOD), resolver()), "does not see it yet"),
        ((own(GOOD), resolver("v=DKIM1; p=")), "does not see it yet"),
        ((resolver(GOOD),), "no server that could be asked"),
        ((), "no server that could be asked"),
    ],
)
def test_what_does_not_answer_or_lags_makes_nothing_missing(answers: tuple[Answer, ...], reason: str) -> None:
    sighting = judged(KEY, Look(7, answers))
    assert sighting.verdict is Verdict.UNKNOWN
    assert reason in sighting.reason


def test_a_look_that_failed_tells_why() -> None:
    assert judged(KEY, Look(7, failure="no name servers found")).reason == "no name servers found"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("v=DKIM1;k=ed25519;p=AA AA", Verdict.PRESENT),
        (" p = AAAA ; k=ed25519 ; v=DKIM1; t=s;", Verdict.PRESENT),
        ("v=DKIM1; p=AAAA", Verdict.DIFFERENT),  # an RSA key then
        ("v=DKIM1; k=ed25519; p=", Verdict.DIFFERENT),
    ],
)
def test_of_a_key_record_the_key_counts_not_how_it_is_written(value: str, found: Verdict) -> None:
    assert verdict(KEY, own(value)) is found


def test_two_records_under_a_selector_are_not_what_should_be_there() -> None:
    assert verdict(KEY, own(GOOD, "v=DKIM1; k=ed25519; p=BBBB")) is Verdict.DIFFERENT


def test_an_alias_leads_to_one_name_however_it_is_written() -> None:
    assert verdict(ALIAS, own("PQ1-ed.1f.dkim.example.")) is Verdict.PRESENT
    assert verdict(ALIAS, own("elsewhere.example.")) is Verdict.DIFFERENT
    assert verdict(ALIAS, own()) is Verdict.MISSING


def test_a_token_may_stand_beside_others() -> None:
    assert verdict(TOKEN, own("other", "abc")) is Verdict.PRESENT
    assert verdict(TOKEN, own("other")) is Verdict.DIFFERENT


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (("v=spf1 a include:SPF.mail.example -all", "google-site-verification=1"), Verdict.PRESENT),
        (("google-site-verification=1",), Verdict.MISSING),
        (("v=spf1 a -all",), Verdict.DIFFERENT),
        (("v=spf10 include:spf.mail.example",), Verdict.DIFFERENT),
        (("v=spf1 include:spf.mail.example", "v=spf1 -all"), Verdict.DIFFERENT),
    ],
)
def test_spf_is_one_record_that_includes_the_platform(values: tuple[str, ...], found: Verdict) -> None:
    assert verdict(SPF, own(*values)) is found


def test_any_dmarc_record_will_do() -> None:
    assert verdict(DMARC, own("v=DMARC1; p=reject; rua=mailto:x@example")) is Verdict.PRESENT
    assert verdict(DMARC, own()) is Verdict.MISSING
