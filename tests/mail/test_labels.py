import pytest

from paquebot.mail.labels import a_label, a_labelled


@pytest.mark.parametrize(
    ("domain", "label"),
    [
        ("One.Example", "one.example"),
        ("one.example.", "one.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),  # two code points, one letter
        ("bücher。example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"),
    ],
)
def test_a_domain_is_known_by_its_lower_case_a_labels(domain: str, label: str) -> None:
    assert a_label(domain) == label


def test_a_local_part_stays_as_it_is() -> None:
    assert a_labelled("Ü@Bücher.example") == "Ü@xn--bcher-kva.example"


@pytest.mark.parametrize("domain", ["ü..example", "-ü.example", "ü" * 300, "☃.example", "a b.ü"])
def test_what_idna_does_not_know_is_no_domain(domain: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        a_label(domain)
