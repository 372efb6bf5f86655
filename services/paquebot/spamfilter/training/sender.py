"""Who a message says it is from, and where its links lead."""

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paquebot.spamfilter.training import invented
from paquebot.spamfilter.training.scene import Scene

_DESKS = (
    "no-reply", "noreply", "info", "service", "support", "hello", "news", "notification", "billing", "contact",
    "do-not-reply", "mailer", "team", "update", "notify", "accounts",
)  # fmt: skip
_PATHS = (
    "", "login", "account", "verify", "track", "doc", "view", "secure", "start", "go", "mail", "order", "billing", "p",
    "r", "profile",
)  # fmt: skip
_SHORT = ("link", "cc", "to", "co", "me", "ink")
_FREE = ("mail", "post", "box", "letters", "mail")
_ENDINGS = ("", "", "/", ".html", ".php", "/index.php", ".htm")


@dataclass(frozen=True, slots=True)
class Sender:
    """The author of a message. `own` is the domain it has a right to, `reply_to` is "" for most."""

    display: str
    address: str
    own: str
    reply_to: str = ""

    @property
    def host(self) -> str:
        """The domain of the address."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of a message: of its button, of its footer and small links, of its pictures."""

    main: str
    second: str
    pictures: str  # up to the file name


def sender(kind: str, scene: Scene) -> Sender:
    """Return an author of a kind that a story names, and set the brand's domain in the scene."""
    return _SENDERS[kind](scene)


def links(kind: str, scene: Scene, author: Sender) -> Links:
    """Return the addresses of a message whose links lead where a story says."""
    rng = scene.rng
    host = _HOSTS[kind](scene, author)
    scheme = "http" if rng.random() < 0.12 or kind == "address" else "https"  # noqa: PLR2004
    base = f"{scheme}://{host}"
    main = f"{base}/{_path(kind, rng, scene)}"
    second_host = rng.choice((base, base, f"https://{author.own}"))
    second = rng.choice((main, f"{second_host}/{_path(kind, rng, scene)}", f"{second_host}/{invented.token(rng, 8)}"))
    pictures = rng.choice((base, f"https://{author.own}", f"https://img.{author.own}", f"https://{_storage(rng)}"))
    return Links(main, second, f"{pictures}/{rng.choice(('img', 'images', 'assets/mail', 'i', 'static'))}/")


def _desk(scene: Scene, display: str, domain: str, host: str) -> Sender:
    """Return an author that is a company's program or department."""
    rng = scene.rng
    reply = rng.random()
    reply_to = f"{rng.choice(_DESKS)}@{domain}" if reply < 0.2 else ""  # noqa: PLR2004
    return Sender(display, f"{rng.choice(_DESKS)}@{host}", domain, reply_to)


def _company(scene: Scene) -> Sender:
    domain = scene.fill("brand_domain")
    host = scene.rng.choice((domain, domain, domain, f"mail.{domain}", f"e.{domain}", f"news.{domain}"))
    return _desk(scene, _team(scene), domain, host)


def _lookalike(scene: Scene) -> Sender:
    domain = invented.lookalike(scene.rng, scene.fill("brand_domain"))
    return _desk(scene, _team(scene), domain, domain)


def _helpdesk(scene: Scene) -> Sender:
    """Return a department of the recipient's own computers, or who says so: its host is not theirs."""
    host = invented.stranger(scene.rng, scene.place).removeprefix("www.")
    display = scene.fill("helpdesk")
    if scene.rng.random() < 0.15:  # noqa: PLR2004
        display = f"{scene.rng.choice(_DESKS)}@{scene.fill('recipient_domain')}"
    return _desk(scene, display, host, host)


def _person(scene: Scene) -> Sender:
    rng = scene.rng
    company = scene.fill("company")
    domain = invented.domain(rng, scene.place, _core(company, scene))
    name = scene.fill("person")
    reply_to = _free(scene) if rng.random() < 0.08 else ""  # noqa: PLR2004
    display = rng.choice((name, name, name, f"{name} | {company}", f"{name} ({company})"))
    return Sender(display, f"{_local(scene, name)}@{domain}", domain, reply_to)


def _core(company: str, scene: Scene) -> str:
    """Return a company's name without the words around it that every company has."""
    words = [word for word in company.split() if word[:1].isupper() and not word.endswith(".") and len(word) > 3]  # noqa: PLR2004
    return words[0] if words else invented.latin(scene.rng)


def _freemail(scene: Scene) -> Sender:
    name = scene.fill("person")
    address = _free(scene)
    reply_to = _free(scene) if scene.rng.random() < 0.15 else ""  # noqa: PLR2004
    return Sender(scene.rng.choice((name, name, "", name.upper())), address, address.rpartition("@")[2], reply_to)


def _taken_over(scene: Scene) -> Sender:
    """Return a stranger's honest account; the name shown is the story's, not the account's."""
    rng = scene.rng
    domain = invented.domain(rng, scene.place, invented.latin(rng))
    display = rng.choice((_team(scene), _team(scene), scene.fill("person")))
    reply_to = _free(scene) if rng.random() < 0.25 else ""  # noqa: PLR2004
    local = rng.choice((_local(scene, scene.one("person")), rng.choice(_DESKS)))
    return Sender(display, f"{local}@{domain}", domain, reply_to)


def _colleague(scene: Scene) -> Sender:
    name, domain = scene.fill("person"), scene.fill("recipient_domain")
    return Sender(name, f"{_local(scene, name)}@{domain}", domain)


def _list(scene: Scene) -> Sender:
    rng, domain = scene.rng, scene.fill("brand_domain")
    name = scene.fill("person")
    local = rng.choice((_local(scene, name), "list", "announce", "members", "discuss", "newsletter"))
    reply_to = f"list@lists.{domain}" if rng.random() < 0.4 else ""  # noqa: PLR2004
    return Sender(
        rng.choice((name, scene.fill("brand"), f"{name} via {scene.fill('brand')}")),
        f"{local}@{domain}",
        domain,
        reply_to,
    )


def _machine(scene: Scene) -> Sender:
    rng, domain = scene.rng, scene.fill("brand_domain")
    names = ("root", "alerts", "ci", "builds", "monitoring", "cron", "notifications", "jobs", "backup", "status")
    local = rng.choice(names)
    host = rng.choice((domain, domain, f"{scene.fill('host').partition('.')[0]}.{domain}"))
    return Sender(
        rng.choice(("", local, scene.fill("brand"), f"{scene.fill('brand')} {local}")), f"{local}@{host}", domain
    )


def _team(scene: Scene) -> str:
    return scene.rng.choice(scene.place.teams).format(brand=scene.fill("brand"))


def _local(scene: Scene, name: str) -> str:
    """Return a person's name as the local part of an address."""
    words = [invented.slug(word, scene.rng).replace("-", "") for word in name.split()]
    joint = scene.rng.choice((".", ".", "_", ""))
    return scene.rng.choice((joint.join(words), words[0], f"{words[0][0]}{joint}{words[-1]}"))


def _free(scene: Scene) -> str:
    """Return a mailbox at a mailer that asks nobody who they are."""
    rng = scene.rng
    local = _local(scene, scene.one("person")) + rng.choice(("", "", str(rng.randint(1, 999))))
    return f"{local}@{_service(rng, _FREE)}.{rng.choice(scene.place.domains)}"


def _path(kind: str, rng: random.Random, scene: Scene) -> str:
    """Return the path of an address; trackers carry long tokens."""
    if kind == "tracker":
        tracked = ("ls/click?upn={}", "c/{}", "e/click?d={}&t=1", "f/a/{}~~/AA", "track/click/{}", "CL0/{}")
        return rng.choice(tracked).format(
            invented.token(rng, rng.randint(24, 120), string.ascii_letters + string.digits + "-_")
        )
    if kind == "shortener":
        return invented.token(rng, rng.randint(4, 8))
    shapes: tuple[Callable[[], str], ...] = (
        lambda: rng.choice(_PATHS) + rng.choice(_ENDINGS),
        lambda: f"{rng.choice(_PATHS)}/{invented.token(rng, rng.randint(6, 24))}",
        lambda: f"{rng.choice(_PATHS)}?id={invented.number(rng, 6)}",
        lambda: f"{rng.choice(_PATHS)}?e={scene.fill('recipient_address')}",
        lambda: f"{rng.choice(_PATHS)}/{rng.choice(_PATHS)}?token={invented.token(rng, 32, invented.HEXADECIMAL)}",
    )
    return rng.choice(shapes)().lstrip("/")


def _storage(rng: random.Random) -> str:
    bucket, region = invented.token(rng, 10, invented.HEXADECIMAL), rng.choice(("eu-1", "us-2", "web", "s"))
    return f"{bucket}.{region}.{_service(rng, ('store', 'vault', 'files'))}.net"


def _mailer(rng: random.Random) -> str:
    return f"{_service(rng, ('send', 'mailing', 'campaigns'))}.{rng.choice(('net', 'com', 'io'))}"


def _pages(rng: random.Random) -> str:
    name = f"{invented.token(rng, 5, string.ascii_lowercase)}-{invented.number(rng, 4)}"
    return f"{name}.{_service(rng, ('pages', 'site', 'host'))}.{rng.choice(('app', 'dev', 'page', 'com'))}"


def _shortener(rng: random.Random) -> str:
    return f"{invented.token(rng, rng.randint(3, 5), string.ascii_lowercase)}.{rng.choice(_SHORT)}"


def _service(rng: random.Random, trades: tuple[str, ...]) -> str:
    """Return the label of a company that carries others' mail, pages or files."""
    return invented.latin(rng).lower().replace(" ", "") + rng.choice(trades)


_SENDERS: Mapping[str, Callable[[Scene], Sender]] = {
    "brand": _company,
    "shop": _company,
    "lookalike": _lookalike,
    "helpdesk": _helpdesk,
    "person": _person,
    "freemail": _freemail,
    "taken_over": _taken_over,
    "list": _list,
    "machine": _machine,
    "colleague": _colleague,
}
_HOSTS: Mapping[str, Callable[[Scene, Sender], str]] = {
    "own": lambda scene, author: scene.rng.choice(("", "", "www.", "my.", "link.", "account.", "app.")) + author.own,
    "none": lambda _, author: author.own,
    "tracker": lambda scene, author: scene.rng.choice(
        (
            f"click.{author.own}",
            f"links.{author.own}",
            f"u{invented.number(scene.rng, 7)}.ct.{_mailer(scene.rng)}",
            f"click.{_mailer(scene.rng)}",
        )
    ),
    "stranger": lambda scene, _: invented.stranger(scene.rng, scene.place),
    "lookalike": lambda scene, _: invented.lookalike(scene.rng, scene.fill("brand_domain")),
    "shortener": lambda scene, _: _shortener(scene.rng),
    "address": lambda scene, _: invented.numeric(scene.rng),
    "pages": lambda scene, _: _pages(scene.rng),
    "storage": lambda scene, _: _storage(scene.rng),
}
