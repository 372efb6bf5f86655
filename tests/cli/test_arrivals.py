"""Live lines say what came, and never flood a terminal."""

from dataclasses import replace

from paquebot.cli.arrivals import LINES_MAX, Arrivals, size
from paquebot.mail.envelope import Envelope
from paquebot.sandbox.mxhost import Received

ONE = Received(
    "mx.b.test", "127.0.0.1", "out.test", True, Envelope("a@a.test", ("b@b.test", "c@b.test")), b"x" * 2500, 0
)


def test_a_line_tells_host_envelope_size_and_tls() -> None:
    said: list[str] = []
    Arrivals(said.append).heard(ONE)
    assert said == ["00:00:00  mx.b.test  <a@a.test> to b@b.test and 1 more, 2.5 kB, TLS"]


def test_more_than_a_second_holds_are_counted() -> None:
    said: list[str] = []
    arrivals = Arrivals(said.append)
    for _ in range(LINES_MAX + 5):
        arrivals.heard(ONE)
    assert len(said) == LINES_MAX
    arrivals.heard(replace(ONE, time_s=1.5))
    assert said[-2].strip() == "and 5 more"
    assert said[-1].startswith("00:00:01")


def test_sizes_are_for_people() -> None:
    assert [size(octets) for octets in (999, 1000, 1_500_000)] == ["999 B", "1.0 kB", "1.5 MB"]
