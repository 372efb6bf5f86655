import pytest

from paquebot.smtp.limits import PeerLimits, peer_limits


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ("", PeerLimits()),
        ("RCPTMAX=20 mailmax=5 RCPTDOMAINMAX=1", PeerLimits(5, 20, 1)),
        ("RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=x", PeerLimits()),
        ("RCPTMAX MAILMAX=9999999 =3 NEW=7 RCPTMAX=2", PeerLimits(None, 2)),
    ],
)
def test_limits_are_read_and_what_cannot_be_read_is_passed_over(said: str, limits: PeerLimits) -> None:
    assert peer_limits({"LIMITS": said}) == limits


def test_a_server_that_says_nothing_has_no_limits() -> None:
    assert peer_limits({}) == PeerLimits()
