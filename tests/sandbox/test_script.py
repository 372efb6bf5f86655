from pathlib import Path

import pytest

from paquebot.mail.reply import Reply
from paquebot.sandbox.cast import Dns, Domain, Host, Reach
from paquebot.sandbox.manner import Act, Certificate, Handshake, Limits, Manner, Stage, Trouble, Wording
from paquebot.sandbox.script import PATIENCE, ScriptFaults, read_script

EXAMPLE = Path(__file__).parents[2] / "examples" / "sandbox" / "internet.yaml"
WHOLE = """
seed: 7
patience: 0.5
hosts:
  - host: mx.big.test
    manner:
      without: [pipelining, X-ONE]
      handshake: Silent
      certificate: Expired
      wording: Odd
      delay: 200ms
      trickle: 1.5s
      maxMessageSize: 10Mi
      maxRecipients: 50
      greylist: 1m
      unknownUsers: nobody
      limits:
        messagesPerConnection: 10
        messagesPerSecond: 20
        messagesPerMinute: 300
        connections: 5
        reply: 421 4.7.28 Slow down
        penalty: 5s
        maxPenalty: 1h
      troubles:
        - {at: Dot, answer: Silent, tries: 1, keeps: true}
        - {at: Rcpt, answer: 452 4.2.2 Mailbox full, chance: 0.25}
        - {at: Connect, answer: "554"}
  - {host: mx.gone.test, reach: Dead}
domains:
  - domain: big.test
    about: like a big provider
    mx: [{host: mx.big.test}, {host: mx.accept.test, preference: 20}]
  - {domain: gone.test, mx: [{host: mx.gone.test}]}
  - {domain: never.test, dns: NullMX}
"""


def faults(written: str) -> list[str]:
    with pytest.raises(ScriptFaults) as refused:
        read_script(written, "s.yaml")
    return list(refused.value.lines)


def test_every_field_is_read() -> None:
    cast = read_script(WHOLE, "s.yaml")
    limits = Limits(10, 20, 300, 5, Reply(421, "4.7.28", "Slow down"), 5.0, 3600.0)
    troubles = (
        Trouble(Stage.DOT, Act.SILENT, 1, keeps=True),
        Trouble(Stage.RCPT, Reply(452, "4.2.2", "Mailbox full"), chance=0.25),
        Trouble(Stage.CONNECT, Reply(554, "", "No")),
    )
    manner = Manner(
        frozenset({"PIPELINING", "X-ONE"}),
        Handshake.SILENT,
        Certificate.EXPIRED,
        Wording.ODD,
        0.2,
        1.5,
        10 << 20,
        50,
        60.0,
        "nobody",
        limits,
        troubles,
    )
    assert (cast.seed, cast.patience) == (7, 0.5)
    assert cast.hosts == (Host("mx.big.test", manner), Host("mx.gone.test", Manner(), Reach.NOT))
    assert cast.domains == (
        Domain("big.test", "like a big provider", ((10, "mx.big.test"), (20, "mx.accept.test"))),
        Domain("gone.test", "scripted", ((10, "mx.gone.test"),)),
        Domain("never.test", "scripted", (), Dns.NULL),
    )


def test_the_example_is_good() -> None:
    cast = read_script(EXAMPLE.read_text(), EXAMPLE.name)
    assert cast.domains
    assert cast.hosts


def test_an_empty_script_adds_nobody_and_shortens_timeouts() -> None:
    cast = read_script("{}", "s.yaml")
    assert (cast.domains, cast.hosts, cast.patience) == ((), (), PATIENCE)


def test_all_faults_are_told_at_once_with_line_field_and_cure() -> None:
    written = """\
hosts:
  - host: mx.a.test
    manner:
      handshake: Bad
      delay: 5
      tarpit: true
      troubles:
        - {at: Dot, answer: 250 Ok}
        - {at: Mail, answer: Silent, keeps: true}
  - host: mx.a.test
domains:
  - domain: accept.test
    mx: [{host: nowhere.test}]
  - domain: b.test
  - {domain: c.test, dns: NullMX, mx: [{host: mx.a.test}]}
  - {domain: d.test, dns: Implicit}
"""
    told = [line.removeprefix("s.yaml:").replace(": Sandbox:", "") for line in faults(written)]
    known = "certificate, delay, greylist, handshake, limits, maxMessageSize, maxRecipients, trickle, troubles"
    form = 'write a reply such as "452 4.2.2 Mailbox full", or Silent or HangUp'
    assert told == [
        '4 hosts[0].manner.handshake: "Bad" is not known; write one of Good, Broken, Silent',
        "5 hosts[0].manner.delay: 5 is not a time; write a number with ms, s, m or h, such as 200ms or 5s",
        f"6 hosts[0].manner.tarpit: is not a known field; known here: {known}, unknownUsers, without, wording",
        f'8 hosts[0].manner.troubles[0].answer: "250 Ok" is no refusal; {form}',
        "9 hosts[0].manner.troubles[1].keeps: has no meaning at Mail; write it only with at: Dot",
        '10 hosts[1].host: "mx.a.test" is there already; give another name',
        '12 domains[0].domain: "accept.test" is there already; give another name',
        '13 domains[0].mx[0].host: no host "nowhere.test" is there; add it to `hosts`',
        "14 domains[1].mx: names no host; name one, or write dns: NullMX or another that needs none",
        "15 domains[2].mx: contradicts dns: NullMX; leave one of them out",
        '16 domains[3].dns: an Implicit domain is its own host; add "d.test" to `hosts`',
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("- a", "s.yaml:1: is no object"),
        ("a: [", "s.yaml:1: "),
        ("", "s.yaml:1: holds 0 documents"),
        ("{}\n---\n{}", "s.yaml:1: holds 2 documents"),
        ("hosts: [{reach: IPv6}]", "hosts[0].host: is missing"),
    ],
)
def test_what_is_no_script_is_refused_plainly(written: str, told: str) -> None:
    assert told in "\n".join(faults(written))


def test_there_is_one_host_with_ipv6() -> None:
    (fault,) = faults("hosts: [{host: a.b.test, reach: IPv6}]")
    assert fault.endswith("there is one IPv6 loopback address; name the built-in host mx.sixonly.test in `mx`")
