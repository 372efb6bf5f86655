import dns.flags
import dns.message
import dns.rcode

from paquebot.sandbox.zone import Record, Zone, txt_record

ZONE = Zone(
    [Record("a.test", "MX", "10 mx.a.test."), Record("mx.a.test", "A", "127.0.0.9")],
    lambda: {"sel._domainkey.b.test": "v=DKIM1"},
    frozenset({"broken.test"}),
)


def ask(name: str, kind: str) -> dns.message.Message:
    return ZONE.answer(dns.message.make_query(name, kind))


def test_an_answer_is_authoritative_and_brings_the_addresses_of_its_hosts() -> None:
    answer = ask("A.test", "MX")
    assert answer.flags & dns.flags.AA
    assert answer.answer[0].to_text() == "A.test. 60 IN MX 10 mx.a.test."
    assert answer.additional[0].to_text() == "mx.a.test. 60 IN A 127.0.0.9"


def test_a_name_without_such_records_is_not_a_name_that_does_not_exist() -> None:
    assert ask("a.test", "AAAA").rcode() == dns.rcode.NOERROR
    assert ask("test", "A").rcode() == dns.rcode.NOERROR
    assert ask("b.test", "MX").rcode() == dns.rcode.NOERROR
    assert ask("c.test", "MX").rcode() == dns.rcode.NXDOMAIN
    assert ask("c.test", "MX").authority


def test_a_failing_name_is_servfail() -> None:
    assert ask("broken.test", "MX").rcode() == dns.rcode.SERVFAIL


def test_txt_records_are_asked_for_at_each_query() -> None:
    texts: dict[str, str] = {}
    zone = Zone([], lambda: texts)
    query = dns.message.make_query("x.test", "TXT")
    assert zone.answer(query).rcode() == dns.rcode.NXDOMAIN
    texts["x.test"] = "now"
    assert zone.answer(query).answer[0].to_text() == 'x.test. 60 IN TXT "now"'


def test_long_and_quoted_txt_values_are_cut_and_escaped() -> None:
    assert txt_record("x.test", "a" * 256).value == f'"{"a" * 255}" "a"'
    assert txt_record("x.test", 'say "hi" \\').value == '"say \\"hi\\" \\\\"'
    assert txt_record("x.test", "").value == '""'


def test_other_classes_are_refused() -> None:
    query = dns.message.make_query("a.test", "MX", rdclass="CH")
    assert ZONE.answer(query).rcode() == dns.rcode.REFUSED
