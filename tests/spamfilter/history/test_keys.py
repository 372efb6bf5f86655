"""Keys: what a message counts under, and that no address can be read from what is kept."""

from dataclasses import replace

from paquebot.mail.envelope import Envelope
from paquebot.mail.origin import Origin
from paquebot.mail.principal import Principal
from paquebot.spamfilter.facts import Facts, gather
from paquebot.spamfilter.history.keys import LINKS_MAX, Hashes, account_key, other_keys, sent_of, traits_of

HASHES = Hashes(b"k" * 32)
ORIGIN = Origin("id-1", "shop", "orders", "192.0.2.7", "Laptop.Example")
BODY = b"Please have a look at https://www.one.example/a and https://two.example/b, it is all in there.\r\n"


def facts(origin: Origin = ORIGIN, fields: bytes = b"", body: bytes = BODY) -> Facts:
    content = b"From: Ann <ann@shop.example>\r\n" + fields + b"\r\n" + body
    envelope = Envelope("ann@shop.example", ("Bob@Far.example", "eve@far.example"))
    return gather(content, envelope, Principal("shop", "orders"), origin)


def test_a_message_counts_under_what_it_came_from_claims_and_leads_to() -> None:
    traits = traits_of(facts(), -3.0, HASHES)
    assert (traits.author, traits.links) == ("shop.example", ("one.example", "two.example"))
    keys = list(other_keys("shop", "orders", traits))
    assert keys[:2] == ["author.shop.orders.shop_example", "domain.shop_example"]
    assert [key.partition(".")[0] for key in keys[2:]] == ["network", "link", "link", "template"]
    assert account_key("shop", "orders") == "account.shop.orders"


def test_neighbours_count_as_one_network_and_strangers_do_not() -> None:
    networks = [
        traits_of(facts(replace(ORIGIN, client_address=address)), 0, HASHES).network
        for address in ("192.0.2.7", "192.0.2.200", "198.51.100.7", "2001:db8:1:2::3", "2001:db8:1:9::3", "")
    ]
    assert networks[0] == networks[1] != networks[2]
    assert networks[3] == networks[4]
    assert networks[5] == 0


def test_a_program_is_known_in_all_its_versions_and_places() -> None:
    def agent(name: str, field: bytes) -> int:
        return traits_of(facts(replace(ORIGIN, client_name=name), field), 0, HASHES).agent

    assert agent("[192.168.0.5]", b"User-Agent: Post 1.2\r\n") == agent("[10.0.0.1]", b"User-Agent: Post 3.0\r\n")
    assert agent("laptop", b"") == agent("LAPTOP", b"") != agent("other", b"")


def test_nothing_that_is_kept_names_anybody() -> None:
    sent = sent_of(traits_of(facts(), -3.0, HASHES), "id-1", ("Bob@Far.example",), 5.0, HASHES)
    assert all(isinstance(each, int) and each.bit_length() <= 32 for each in (sent.ident, sent.network, sent.agent))
    assert sent.recipients == sent_of(traits_of(facts(), 0, HASHES), "", ("bob@far.example",), 5, HASHES).recipients
    other = Hashes(b"l" * 32)
    assert sent.recipients != sent_of(traits_of(facts(), 0, other), "", ("bob@far.example",), 5, other).recipients


def test_a_flood_of_links_counts_as_some() -> None:
    body = b" ".join(b"https://host%d.example/" % number for number in range(200)) + b"\r\n"
    assert len(traits_of(facts(body=body), 0, HASHES).links) == LINKS_MAX
