"""The scene of one message: who writes to whom about what.

Every slot is drawn once, so that a message agrees with itself.
"""

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from paquebot.spamfilter.training import invented
from paquebot.spamfilter.training.place import Place

_BITCOIN = "".join(sorted(set(string.ascii_letters + string.digits) - set("0OIl")))


@dataclass(slots=True)
class Scene:
    """What one message is about. `drawn` keeps what its slots became; `now` is when it was written, in UTC."""

    rng: random.Random
    place: Place
    now: datetime
    drawn: dict[str, str] = field(default_factory=dict)

    def fill(self, name: str) -> str:
        """Return the value of a slot: `amount`, or `amount_2` for another one."""
        value = self.drawn.get(name)
        if value is None:
            value = self.drawn[name] = _DRAWN[_base(name)](self)
        return value

    def one(self, slot: str) -> str:
        """Return a fresh value for a slot, whatever it was before."""
        return _DRAWN[slot](self)


def _base(name: str) -> str:
    stem, _, number = name.rpartition("_")
    return stem if number.isdigit() else name


def _from(stock: str) -> Callable[[Scene], str]:
    return lambda scene: invented.pattern(scene.rng, scene.rng.choice(getattr(scene.place, stock)))


def _shaped(*patterns: str) -> Callable[[Scene], str]:
    return lambda scene: invented.pattern(scene.rng, scene.rng.choice(patterns))


def _between(least: int, most: int) -> Callable[[Scene], str]:
    return lambda scene: str(scene.rng.randint(least, most))


def _person(scene: Scene) -> str:
    place, rng = scene.place, scene.rng
    return place.person.format(first=rng.choice(place.first), last=rng.choice(place.last))


def _recipient_name(scene: Scene) -> str:
    """Return the recipient's name, as far as a sender knows it."""
    local = scene.fill("recipient_address").partition("@")[0]
    known = scene.rng.random()
    if known < 0.55:  # noqa: PLR2004
        return _person(scene)
    if known < 0.8:  # noqa: PLR2004
        return scene.rng.choice(scene.place.first)
    return local


def _recipient_address(scene: Scene) -> str:
    rng = scene.rng
    first, last = (invented.slug(rng.choice(names), rng) for names in (scene.place.first, scene.place.last))
    locals_ = (f"{first}.{last}", f"{first[0]}{last}", first, f"{first}{rng.randint(1, 99)}", "info", "office", last)
    return f"{rng.choice(locals_)}@{scene.fill('recipient_domain')}"


def _money(value: Callable[[random.Random], float]) -> Callable[[Scene], str]:
    def amount(scene: Scene) -> str:
        if "money" not in scene.drawn:  # one way of writing money in a message
            shape = scene.rng.choice(scene.place.money)
            scene.drawn["money"] = shape.replace("{currency}", scene.fill("currency"))
        return invented.money(scene.rng, scene.place, value(scene.rng), scene.drawn["money"])

    return amount


def _fortune(scene: Scene) -> str:
    rng, value = scene.rng, invented.millions(scene.rng)
    if rng.random() < 0.5:  # noqa: PLR2004
        return _money(lambda _: value)(scene)
    number = f"{value / 1e6:.1f}".removesuffix(".0").replace(".", scene.place.decimal or ".")
    return rng.choice(scene.place.fortunes).format(number=number, currency=scene.fill("currency"))


def _company(scene: Scene) -> str:
    return scene.rng.choice(scene.place.firms).format(name=invented.brand(scene.rng, scene.place))


def _day(least: int, most: int) -> Callable[[Scene], str]:
    return lambda scene: _date(scene, scene.now + timedelta(days=scene.rng.randint(least, most)))


def _date(scene: Scene, at: datetime) -> str:
    if "dates" not in scene.drawn:  # one way of writing dates in a message
        scene.drawn["dates"] = scene.rng.choice(scene.place.dates)
    return scene.drawn["dates"].format(
        day=at.day,
        day_number=f"{at.day:02d}",
        month=scene.place.months[at.month - 1],
        month_number=f"{at.month:02d}",
        year=at.year,
        weekday=scene.place.weekdays[at.weekday()],
    )


def _time(scene: Scene) -> str:
    at = datetime(2000, 1, 1, scene.rng.randrange(24), scene.rng.randrange(60), scene.rng.randrange(60), tzinfo=UTC)
    return at.strftime(scene.rng.choice(scene.place.times))


def _size(scene: Scene) -> str:
    value = scene.rng.choice(
        (scene.rng.randint(1, 50), round(scene.rng.uniform(0.2, 50), 1), 2 ** scene.rng.randint(0, 9))
    )
    text = str(value).replace(".", scene.place.decimal or ".")
    return text + scene.rng.choice((" GB", " GB", " MB", "GB", "MB", " KB"))


def _helpdesk(scene: Scene) -> str:
    name = scene.rng.choice(scene.place.helpdesks)
    domain = scene.fill("recipient_domain")
    return scene.rng.choice(
        (name, name, f"{domain} {name}", f"{name} {domain}", f"{domain.partition('.')[0].title()} {name}")
    )


def _host(scene: Scene) -> str:
    rng = scene.rng
    label = rng.choice(("web", "db", "mail", "app", "node", "build", "cache", "gw")) + str(rng.randint(1, 40))
    return rng.choice(
        (label, f"{label}.{scene.fill('brand_domain')}", f"{label}.{rng.choice(('prod', 'eu', 'dc2'))}.internal")
    )


def _file(scene: Scene) -> str:
    stem = scene.rng.choice(scene.place.files)
    joint = scene.rng.choice(("_", "-", " ", "_"))
    return (
        f"{stem}{joint}{scene.rng.choice((scene.fill('number'), scene.now.strftime('%Y%m%d'), scene.fill('invoice')))}"
    )


_DRAWN: Mapping[str, Callable[[Scene], str]] = {
    "brand": lambda scene: invented.brand(scene.rng, scene.place),
    "brand_domain": lambda scene: invented.domain(scene.rng, scene.place, scene.fill("brand")),
    "product": _from("products"),
    "person": _person,
    "first_name": _from("first"),
    "role": _from("roles"),
    "company": _company,
    "recipient_name": _recipient_name,
    "recipient_address": _recipient_address,
    "recipient_domain": lambda scene: invented.recipient_domain(scene.rng),
    "helpdesk": _helpdesk,
    "city": _from("cities"),
    "country": _from("countries"),
    "street": _from("streets"),
    "amount": _money(invented.price),
    "sum": _money(invented.savings),
    "fortune": _fortune,
    "currency": _from("currencies"),
    "percent": _between(3, 99),
    "number": _shaped("##", "###", "####", "#####", "######", "########"),
    "order": _shaped("#######", "###-#######", "@@####", "@#-####-##", "#########", "@@@-#####"),
    "invoice": _shaped("######", "20##-####", "INV-#####", "R######", "F##/####", "@@-######"),
    "tracking": _shaped("@@#########@@", "############", "##########", "@@###########", "#### #### #### ####"),
    "account": _shaped("####", "########", "@@######", "**** ####", "XXXX-####", "###-###-###"),
    "account_kind": _from("accounts"),
    "code": _shaped("######", "######", "####", "###-###", "@#@#@#", "########"),
    "phone": _from("phones"),
    "date": _day(-30, 0),
    "due": _day(1, 21),
    "days": _between(1, 30),
    "hours": lambda scene: scene.rng.choice(("12", "24", "24", "48", "48", "72", "6", "36")),
    "time": _time,
    "weekday": _from("weekdays"),
    "month": _from("months"),
    "year": lambda scene: str(scene.now.year),
    "size": _size,
    "ip": lambda scene: invented.numeric(scene.rng),
    "device": _from("devices"),
    "app": _from("apps"),
    "url": lambda scene: f"https://{scene.fill('brand_domain')}/",
    "bitcoin": lambda scene: scene.rng.choice(("1", "3", "bc1q")) + invented.token(scene.rng, 33, _BITCOIN),
    "host": _host,
    "file": _file,
}
SLOTS = frozenset(_DRAWN)
