"""Keys are kept in one Secret a domain, and mounted from sixteen that fit into what a Secret may hold."""

import base64
from dataclasses import replace

import pytest

from paquebot.dkim.keys import generate, record
from paquebot.router.keyfiles import KeyFile, KeyFiles
from paquebot_operator.dkim import keystore
from paquebot_operator.dkim.keystore import Stored, key_id, projection, read, secret, secret_name, shard_of
from paquebot_operator.dkim.slots import Keys, Phase, Slot

RSA, ED25519 = generate("RSA2048"), generate("Ed25519")
KEYS = Keys().put(
    Slot("pq1-rsa", Phase.ACTIVE, 1, key_id(record(RSA))),
    Slot("pq2-rsa", Phase.RETIRED, 1),
    Slot("pq1-ed", Phase.PENDING, 1, key_id(record(ED25519))),
)
STORED = Stored(
    {"pq1-rsa": RSA, "pq1-ed": ED25519}, {"pq1-rsa": record(RSA), "pq1-ed": record(ED25519)}, KEYS, b'{"a": 1}', "uid"
)


def test_what_was_kept_is_read() -> None:
    assert read(secret(STORED, "shop.example", "uid", "mail-system")) == STORED


def test_no_secret_holds_nothing() -> None:
    assert read(None) == Stored()
    assert read({"data": {"pq1-rsa.RSA2048.pem": "!", "keys.json": "e30="}}) == Stored()


def test_a_key_that_is_gone_is_not_written() -> None:
    gone = replace(STORED, keys=KEYS.put(Slot("pq1-rsa", Phase.RETIRED, 2)))
    assert set(read(secret(gone, "shop.example", "uid", "mail-system")).pems) == {"pq1-ed"}


@pytest.mark.parametrize("pem", [b"no key", RSA])
def test_a_file_that_is_no_key_of_its_name_is_not_there(pem: bytes) -> None:
    written = secret(STORED, "shop.example", "uid", "mail-system")
    written["data"]["pq1-ed.Ed25519.pem"] = base64.b64encode(pem).decode()
    assert set(read(written).pems) == {"pq1-rsa"}


def test_another_key_in_place_of_ours_has_another_id() -> None:
    written = secret(STORED, "shop.example", "uid", "mail-system")
    written["data"]["pq1-ed.Ed25519.pem"] = base64.b64encode(generate("Ed25519")).decode()
    assert read(written).ids["pq1-ed"] != STORED.ids["pq1-ed"]


def test_nothing_secret_is_shown() -> None:
    assert "PRIVATE" not in repr(STORED)


def test_a_domains_secret_and_shard_are_named_by_its_hash() -> None:
    written = secret(STORED, "shop.example", "uid", "mail-system")
    assert written["metadata"]["name"] == secret_name("shop.example") == f"dkim-{secret_name('shop.example')[5:]}"
    assert secret_name("shop.example")[5] == shard_of("shop.example")
    assert keystore.domain_of(written) == "shop.example"
    assert keystore.domain_of({"metadata": {"name": "dkim-keys-0"}}) == ""


def test_the_router_reads_what_is_mounted(tmp_path) -> None:
    shard = shard_of("shop.example")
    made, left_out = projection(shard, {"shop.example": STORED}, "mail-system")
    assert (made["metadata"]["name"], left_out) == (f"dkim-keys-{shard}", ())
    (tmp_path / shard / "..1").mkdir(parents=True)
    (tmp_path / shard / "..data").symlink_to("..1")
    for name, value in made["data"].items():
        (tmp_path / shard / "..1" / name).write_bytes(base64.b64decode(value))
    found = {key.selector: key for key in KeyFiles(tmp_path).of("shop.example", 0.0)}
    assert found["pq1-rsa"] == KeyFile("shop.example.pq1-rsa.RSA2048.pem", "pq1-rsa", "RSA2048", RSA)
    assert found["pq1-ed"].pem == ED25519


def test_when_a_shard_is_full_keys_that_do_not_sign_yet_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore, "SECRET_MAX_BYTES", len(RSA) + 60)
    made, left_out = projection("0", {"shop.example": STORED}, "mail-system")
    assert set(made["data"]) == {"shop.example.pq1-rsa.RSA2048.pem"}
    assert left_out == ("shop.example.pq1-ed.Ed25519.pem",)
