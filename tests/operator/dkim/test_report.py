"""What a status says can be acted upon, and fits where it is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from paquebot.dkim.keys import generate, record
from paquebot.policy.values import MailDomain
from paquebot_operator.conditions import MESSAGE_MAX_CHARS
from paquebot_operator.dkim.records import Site, of_slots
from paquebot_operator.dkim.report import View, dkim_fields, dns_fields, dns_verified, keys_ready
from paquebot_operator.dkim.rotation import Wish
from paquebot_operator.dkim.slots import Keys, Phase, Slot
from paquebot_operator.dns.history import Belief, believed
from paquebot_operator.dns.record import Sighting, Verdict
from paquebot_operator.dns.watch import Watch
from paquebot_operator.times import written

CRDS = Path(__file__).parents[3] / "charts" / "paquebot" / "files" / "crds"
NOW_S = 1_764_000_000
SITE = Site(MailDomain("shop", "main", "a-rather-long-name.shop.example", "mail-system_default"), "uid")
WISH = Wish(("RSA2048", "Ed25519"), 100, 50, 3600)
VALUES = {"pq1-rsa": record(generate("RSA2048")), "pq1-ed": record(generate("Ed25519"))}


def view(*slots: Slot) -> View:
    keys = Keys().put(*slots)
    records = of_slots(SITE, keys, VALUES)
    beliefs = {each: Belief(each) for entries in records.values() for each in entries}
    return View(SITE, keys, WISH, records, Watch(beliefs), NOW_S)


def test_a_new_domains_records_of_both_algorithms_fit_into_the_message() -> None:
    message = dns_verified(view(Slot("pq1-rsa", Phase.PENDING, 1), Slot("pq1-ed", Phase.PENDING, 1))).message
    assert len(message) <= MESSAGE_MAX_CHARS
    assert len(message.splitlines()) == 3


def test_keys_that_are_still_to_be_made_are_told() -> None:
    condition = keys_ready(view(Slot("pq1-rsa", Phase.PENDING, 1)))
    assert (condition.status, condition.reason) == ("False", "Generating")
    assert condition.message == "keys are being made for Ed25519"


def test_the_schema_has_a_place_for_all_that_is_said() -> None:
    crd = yaml.safe_load((CRDS / "maildomains.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    told = view(Slot("pq1-rsa", Phase.ACTIVE, NOW_S, "sha256:a", NOW_S), Slot("pq1-ed", Phase.PENDING, NOW_S))
    seen = Sighting(Verdict.DIFFERENT, NOW_S, "v=DKIM1; p=")
    beliefs = {each: believed(Belief(each), seen) for each in told.watch.beliefs}
    fields = {"dkim": dkim_fields(told), "dns": dns_fields(Watch(beliefs, NOW_S), NOW_S), "ownershipToken": "a" * 32}
    assert list(_without_place(fields, schema, "status")) == []


def _without_place(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, entry in value.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
            else:
                yield from _without_place(entry, schema["properties"][name], f"{path}.{name}")
    elif isinstance(value, list):
        assert len(value) <= schema["maxItems"]
        for entry in value:
            yield from _without_place(entry, schema["items"], f"{path}[]")
    elif len(value) > schema.get("maxLength", 100):
        yield path


def test_selectors_are_listed_with_their_states() -> None:
    fields = dkim_fields(
        view(Slot("pq1-rsa", Phase.ACTIVE, NOW_S, "sha256:a", NOW_S), Slot("pq2-rsa", Phase.RETIRED, 0))
    )
    assert fields == {
        "signing": ["pq1-rsa"],
        "selectors": [
            {
                "name": "pq1-rsa",
                "algorithm": "RSA2048",
                "state": "Active",
                "since": written(NOW_S),
                "keyId": "sha256:a",
            },
            {"name": "pq2-rsa", "algorithm": "RSA2048", "state": "Retired", "since": "1970-01-01T00:00:00Z"},
        ],
        "nextRotation": written(NOW_S + 100),
    }
