"""The fields of a TransportRoute, read into a value."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from paquebot.mail.reply import Reply
from paquebot.policy import names, scalars
from paquebot.policy.content import HOLD_MAX_S
from paquebot.policy.faults import Notes, Unfit
from paquebot.policy.kinds import PoolRef
from paquebot.policy.route import (
    IMPLICIT_TLS_PORT,
    Action,
    Hold,
    Match,
    Reject,
    Smarthost,
    SmarthostTLS,
    ToPool,
    TransportRoute,
)
from paquebot.policy.section import Section

PRIORITY_MAX: Final = 10_000
PRIORITY_OF_TENANTS_MAX: Final = 1000  # so that the platform can have the last word
HOLD_DEFAULT_S: Final = 3 * 86_400
TAGS_MAX: Final = 20

_ACTIONS: Final = ("smarthost", "pool", "hold", "reject")
_PORT_MAX: Final = 65_535
_TEXT_MAX: Final = 300
_REPLY = re.compile(r"(55[034]) (?:(5\.\d{1,3}\.\d{1,3}) )?(?!\d\.\d)(.+)")
_NOTHING: Final = Hold("", HOLD_DEFAULT_S)  # of an action whose fault is noted


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A TransportRoute with its notes, and the pool that it names."""

    notes: Notes
    value: TransportRoute
    pool: PoolRef | None


def transport_route(spec: Section, platform_namespace: str) -> DeclaredRoute:
    """Read the spec of a TransportRoute."""
    trusted = spec.notes.namespace == platform_namespace
    action, pool = _action(spec, platform_namespace)
    value = TransportRoute(
        namespace=spec.notes.namespace,
        name=spec.notes.name,
        match=_match(spec.section("match"), "" if trusted else spec.notes.namespace),
        action=action,
        priority=spec.read("priority", scalars.integer(0, PRIORITY_MAX), 100),
        trusted=trusted,
    )
    if value.priority > PRIORITY_OF_TENANTS_MAX and not trusted:
        text = f"is above {PRIORITY_OF_TENANTS_MAX}, which is for namespace {platform_namespace}"
        spec.fault("priority", text, "lower it")
    spec.finish()
    return DeclaredRoute(spec.notes, value, pool)


def _match(section: Section, only_namespace: str) -> Match:
    """Read what a route is for; a tenant's is for its own mail."""
    namespaces = section.entries("namespaces", names.label)
    if only_namespace and set(namespaces) - {only_namespace}:
        section.fault("namespaces", f"names others than {only_namespace}", "leave it out: a route is for its own mail")
    match = Match(
        recipient_domains=section.entries("recipientDomains", names.domain_pattern),
        mx_suffixes=section.entries("mxSuffixes", names.suffix),
        sender_domains=section.entries("senderDomains", names.domain_pattern),
        namespaces=(only_namespace,) if only_namespace else namespaces,
        tags=tuple(sorted(section.table("tags", scalars.text, _tag).items())),
    )
    section.at_most("tags", TAGS_MAX)
    for name in ("recipientDomains", "mxSuffixes", "senderDomains", "namespaces", "tags"):
        if section.is_empty(name):  # it would read as "none" to one and as "all" to another
            section.fault(name, "is empty", "name some, or leave it out for all")
    section.finish()
    return match


def _tag(value: object) -> str:
    if isinstance(value, str):
        return value
    raise Unfit(f"{scalars.shown(value)} is not text", "put numbers and truth values in quotes")


def _action(spec: Section, platform_namespace: str) -> tuple[Action, PoolRef | None]:
    """Read the one thing that is done."""
    section = spec.section("action")
    given = [name for name in _ACTIONS if section.has(name)]
    if len(given) != 1:
        text = f"names {' and '.join(given)}" if given else "names nothing to do"
        spec.fault("action", text, f"give exactly one of {', '.join(_ACTIONS)}")
    inside = {name: section.section(name) for name in _ACTIONS}
    section.finish()
    match given[:1]:
        case ["smarthost"]:
            return _smarthost(inside["smarthost"]), None
        case ["pool"]:
            pool = _pool(inside["pool"], platform_namespace)
            return ToPool(pool.token), pool
        case ["hold"]:
            return _hold(inside["hold"]), None
        case ["reject"]:
            return _reject(inside["reject"]), None
        case _:
            return _NOTHING, None


def _smarthost(section: Section) -> Smarthost:
    secret = section.section("credentialsSecretRef")
    name = secret.need("name", names.label, "") if section.has("credentialsSecretRef") else ""
    smarthost = Smarthost(
        host=section.need("host", _host, ""),
        port=section.read("port", scalars.integer(1, _PORT_MAX), 587),
        tls=section.read("tls", scalars.choice(SmarthostTLS), SmarthostTLS.REQUIRE),
        secret=f"{section.notes.namespace}.{name}" if name else "",
    )
    if smarthost.tls is SmarthostTLS.OPPORTUNISTIC and smarthost.secret:
        section.fault("tls", "would send the password in the clear where TLS fails", "write Require")
    elif smarthost.tls is SmarthostTLS.OPPORTUNISTIC and smarthost.port == IMPLICIT_TLS_PORT:
        section.fault("tls", "cannot be Opportunistic on port 465, which begins with TLS", "write Require")
    secret.finish()
    section.finish()
    return smarthost


def _host(value: object) -> str:
    """Return a name that is looked up as it is, or an address."""
    try:
        return str(ipaddress.ip_address(value)) if isinstance(value, str) else names.domain(value)
    except ValueError as fault:
        if isinstance(fault, Unfit):
            raise
        return names.domain(value)


def _pool(section: Section, platform_namespace: str) -> PoolRef:
    namespace = section.read("namespace", names.label, platform_namespace)
    pool = PoolRef(namespace, section.need("name", names.label, ""), section.path)
    section.finish()
    return pool


def _hold(section: Section) -> Hold:
    hold = Hold(section.need("reason", _line, ""), section.read("for", scalars.duration_s, HOLD_DEFAULT_S))
    if hold.for_s > HOLD_MAX_S:
        section.fault("for", "is longer than mail is kept", f"give at most {HOLD_MAX_S // 86_400}d")
    section.finish()
    return hold


def _line(value: object) -> str:
    line = scalars.text(value)
    if len(line) > _TEXT_MAX or not line.isprintable():
        raise Unfit(f"{scalars.shown(value)} is not one short line", f"give at most {_TEXT_MAX} printable characters")
    return line


def _reject(section: Section) -> Reject:
    reply = section.need("reply", _reply, Reply(550, "5.7.1", ""))
    section.finish()
    return Reject(reply)


def _reply(value: object) -> Reply:
    """Read a reply that refuses for good (RFC 5321 §4.2.2); without an enhanced status it is 5.7.1 (RFC 3463 §3.8)."""
    found = _REPLY.fullmatch(_line(value))
    if found is None or not found[3].isascii():
        cure = (
            'write a code of 550, 553 or 554, perhaps a status, and a reason in ASCII, such as "550 5.7.1 Not allowed"'
        )
        raise Unfit(f"{scalars.shown(value)} is no reply that refuses for good", cure)
    return Reply(int(found[1]), found[2] or "5.7.1", found[3])
