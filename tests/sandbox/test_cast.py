from paquebot.sandbox.cast import DEMO_RECIPIENTS, DOMAINS, Cast, Dns, Domain, Host, built_in


def test_every_mx_of_the_built_in_domains_is_a_host() -> None:
    cast = built_in()
    hosts = {host.name for host in cast.hosts}
    assert {host for domain in cast.domains for _preference, host in domain.mx} <= hosts
    assert {domain.name for domain in cast.domains if domain.dns is Dns.IMPLICIT} <= hosts


def test_names_are_there_once_and_the_demo_sends_to_all() -> None:
    cast = built_in()
    assert len(DOMAINS) == len(cast.domains)
    assert len({host.name for host in cast.hosts}) == len(cast.hosts)
    assert {domain for domain, _weight in DEMO_RECIPIENTS} == DOMAINS.keys()


def test_who_joins_is_added_and_brings_the_numbers() -> None:
    more = Cast((Domain("x.test", "x", ((1, "mx.x.test"),)),), (Host("mx.x.test"),), seed=5, patience=0.5)
    joined = built_in().joined(more)
    assert joined.domains[-1].name == "x.test"
    assert joined.hosts[-1].name == "mx.x.test"
    assert (joined.seed, joined.patience) == (5, 0.5)
