"""Scripts: a small YAML that adds domains and hosts to a sandbox. All faults at once, with line, field and cure."""

import re
from collections.abc import Iterator

from paquebot.mail.reply import Reply
from paquebot.policy.faults import Notes, Unfit
from paquebot.policy.manifests import Located, ManifestFault, parse
from paquebot.policy.names import domain as domain_name
from paquebot.policy.scalars import boolean, choice, integer, number, shown, size_bytes, text
from paquebot.policy.section import Section
from paquebot.sandbox.cast import Cast, Dns, Domain, Host, Reach, built_in
from paquebot.sandbox.manner import Act, Answer, Certificate, Handshake, Limits, Manner, Stage, Trouble, Wording

COUNT_MAX = 1_000_000
HOSTS_MAX = 1_000
PATIENCE = 0.02  # where a script says nothing: a final dot is waited for 12 s, a greeting 6 s

_TIME = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h)\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_REPLY = re.compile(r"([2-5][0-9][0-9])(?: ([245]\.[0-9]{1,3}\.[0-9]{1,3}))?(?: ([ -~]{1,400}))?\Z")
_TROUBLE = frozenset({4, 5})
_SILENT: Answer = Act.SILENT


class ScriptFaults(Exception):  # noqa: N818  (says what it carries)
    """A script that cannot be staged; `lines` are for people: file, line, field, why, and the cure."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def read_script(written: str, filename: str) -> Cast:
    """Return who a script adds, with the script's numbers. Raises ScriptFaults."""
    try:
        documents = parse(written, filename)
    except ManifestFault as fault:
        raise ScriptFaults((str(fault),)) from None
    if len(documents) != 1:
        raise ScriptFaults((f"{filename}:1: holds {len(documents)} documents; write one, with `domains` and `hosts`",))
    notes = Notes("Sandbox", "", "")
    cast = _cast(Section(notes, "", documents[0].object))
    if notes.faults:
        raise ScriptFaults(tuple(_lines(notes, documents[0])))
    return cast


def _lines(notes: Notes, located: Located) -> Iterator[str]:
    for fault in sorted(notes.faults, key=lambda fault: located.line_of(fault.path)):
        yield f"{located.file}:{located.line_of(fault.path)}: {fault}"


def _cast(section: Section) -> Cast:
    known = built_in()
    hosts = tuple(_host(entry) for entry in section.sections("hosts"))
    domains = tuple(_domain(entry) for entry in section.sections("domains"))
    seed = section.read("seed", integer(0, COUNT_MAX), 1)
    patience = section.read("patience", number(0.001, 1.0), PATIENCE)
    _check_names(section, hosts, domains, known)
    section.finish()
    return Cast(domains, hosts, seed, patience)


def _check_names(section: Section, hosts: tuple[Host, ...], domains: tuple[Domain, ...], known: Cast) -> None:
    """Note what is named twice, and hosts that are not there."""
    if len(hosts) > HOSTS_MAX:
        section.fault("hosts", f"has {len(hosts)} entries", f"give at most {HOSTS_MAX}")
    taken = {host.name for host in known.hosts}
    for at, host in enumerate(hosts):
        if host.name in taken:
            section.fault(f"hosts[{at}].host", f'"{host.name}" is there already', "give another name")
        taken.add(host.name)
    names = {domain.name for domain in known.domains}
    for at, domain in enumerate(domains):
        if domain.name in names:
            section.fault(f"domains[{at}].domain", f'"{domain.name}" is there already', "give another name")
        names.add(domain.name)
        for place, (_preference, named) in enumerate(domain.mx):
            if named and named not in taken:
                section.fault(f"domains[{at}].mx[{place}].host", f'no host "{named}" is there', "add it to `hosts`")
        if domain.dns is Dns.IMPLICIT and domain.name not in taken:
            section.fault(f"domains[{at}].dns", "an Implicit domain is its own host", f'add "{domain.name}" to `hosts`')


def _domain(section: Section) -> Domain:
    name = section.need("domain", domain_name, "")
    about = section.read("about", text, "scripted")
    dns = section.read("dns", choice(Dns), Dns.MX)
    mx = tuple(_mx(entry) for entry in section.sections("mx"))
    if dns is Dns.MX and not mx:
        section.fault("mx", "names no host", f"name one, or write dns: {Dns.NULL} or another that needs none")
    if dns is not Dns.MX and mx:
        section.fault("mx", f"contradicts dns: {dns}", "leave one of them out")
    section.finish()
    return Domain(name, about, mx, dns)


def _mx(section: Section) -> tuple[int, str]:
    preference = section.read("preference", integer(0, 65_535), 10)
    host = section.need("host", domain_name, "")
    section.finish()
    return preference, host


def _host(section: Section) -> Host:
    name = section.need("host", domain_name, "")
    reach = section.read("reach", choice(Reach), Reach.IPV4)
    if reach is Reach.IPV6:
        section.fault("reach", "there is one IPv6 loopback address", "name the built-in host mx.sixonly.test in `mx`")
    manner = _manner(section.section("manner"))
    section.finish()
    return Host(name, manner, reach)


def _manner(section: Section) -> Manner:
    plain = Manner()
    manner = Manner(
        frozenset(section.entries("without", _keyword)),
        section.read("handshake", choice(Handshake), plain.handshake),
        section.read("certificate", choice(Certificate), plain.certificate),
        section.read("wording", choice(Wording), plain.wording),
        section.read("delay", _seconds, 0.0),
        section.read("trickle", _seconds, 0.0),
        section.read("maxMessageSize", size_bytes, plain.size_max_bytes),
        section.read("maxRecipients", integer(1, COUNT_MAX), 0),
        section.read("greylist", _seconds, 0.0),
        section.read("unknownUsers", text, ""),
        _limits(section.section("limits")),
        tuple(_trouble(entry) for entry in section.sections("troubles")),
    )
    section.finish()
    return manner


def _limits(section: Section) -> Limits:
    plain = Limits()
    count = integer(1, COUNT_MAX)
    limits = Limits(
        section.read("messagesPerConnection", count, 0),
        section.read("messagesPerSecond", count, 0),
        section.read("messagesPerMinute", count, 0),
        section.read("connections", count, 0),
        section.read("reply", _refusal, plain.reply),
        section.read("penalty", _seconds, 0.0),
        section.read("maxPenalty", _seconds, plain.penalty_max_s),
    )
    section.finish()
    return limits


def _trouble(section: Section) -> Trouble:
    at = section.need("at", choice(Stage), Stage.CONNECT)
    answer = section.need("answer", _answer, _SILENT)
    trouble = Trouble(
        at,
        answer,
        section.read("tries", integer(1, COUNT_MAX), 0),
        section.read("chance", number(0.0, 1.0), 1.0),
        section.read("keeps", boolean, False),
    )
    if trouble.keeps and at is not Stage.DOT:
        section.fault("keeps", f"has no meaning at {at}", "write it only with at: Dot")
    section.finish()
    return trouble


def _answer(value: object) -> Answer:
    return next((act for act in Act if act.value == value), None) or _refusal(value)


def _refusal(value: object) -> Reply:
    """Return a reply that says no, as `452 4.2.2 Mailbox full`."""
    match = _REPLY.match(str(value))
    if match is None or int(match[1][0]) not in _TROUBLE:
        words = " or ".join(Act)
        raise Unfit(f"{shown(value)} is no refusal", f'write a reply such as "452 4.2.2 Mailbox full", or {words}')
    return Reply(int(match[1]), match[2] or "", match[3] or "No")


def _keyword(value: object) -> str:
    keyword = text(value).upper()
    if not keyword.isascii() or not keyword.replace("-", "").isalnum():
        raise Unfit(f"{shown(value)} is no EHLO keyword", "write a word such as PIPELINING")
    return keyword


def _seconds(value: object) -> float:
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit(f"{shown(value)} is not a time", "write a number with ms, s, m or h, such as 200ms or 5s")
    return float(match[1]) * _SECONDS[match[2]]
