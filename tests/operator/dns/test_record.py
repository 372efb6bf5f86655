"""Records are shown as a zone file has them, so that they can be pasted."""

import dns.zone

from paquebot.dkim.keys import generate, record
from paquebot_operator.dns.record import Purpose, Record


def test_a_record_can_be_pasted_into_a_zone_file() -> None:
    value = record(generate("RSA2048"))
    txt = Record("pq1-rsa._domainkey.shop.example", "TXT", value, Purpose.DKIM)
    odd = Record("odd.shop.example", "TXT", 'a "quoted" \\ word', Purpose.DKIM)
    alias = Record("pq2-rsa._domainkey.shop.example", "CNAME", "pq2-rsa.1f.dkim.mail.example", Purpose.DKIM)
    text = "$ORIGIN shop.example.\n@ 60 IN SOA ns hostmaster 1 2 3 4 5\n@ 60 IN NS ns\n"
    text += "\n".join(each.zone_line(300) for each in (txt, odd, alias))
    zone = dns.zone.from_text(text, check_origin=False)
    (found,) = zone.get_rdataset("pq1-rsa._domainkey", "TXT")
    assert b"".join(found.strings).decode() == value
    assert all(len(piece) <= 255 for piece in found.strings)
    assert zone.get_rdataset("odd", "TXT")[0].strings == (b'a "quoted" \\ word',)
    assert zone.get_rdataset("pq2-rsa._domainkey", "CNAME").ttl == 300
