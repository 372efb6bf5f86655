"""Keys from files: the newest of each algorithm, followed when they change."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from paquebot.dkim.keys import generate
from paquebot.policy.values import MailDomain, Policy
from paquebot.router.keyring import CHECK_S, Keyring

_DOMAIN = MailDomain("shop", "main", "shop.example", "mail-system_default")
_RSA = generate("RSA2048")
_ED25519 = generate("Ed25519")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.example").mkdir()
    return tmp_path


def _write(folder: Path, name: str, pem: bytes, at_s: int = 1000) -> None:
    path = folder / "shop.example" / name
    path.write_bytes(pem)
    os.utime(path, (at_s, at_s))


def _selectors(keyring: Keyring, now_s: float = 0.0, domain: MailDomain = _DOMAIN) -> list[tuple[str, str]]:
    return [(signer.selector, signer.algorithm) for signer in keyring.signers(domain, now_s)]


def test_both_algorithms_sign_in_the_order_of_the_policy(folder: Path) -> None:
    _write(folder, "a.Ed25519.pem", _ED25519)
    _write(folder, "pq.2026.RSA2048.pem", _RSA)
    assert _selectors(Keyring(folder)) == [("pq.2026", "RSA2048"), ("a", "Ed25519")]


def test_only_the_algorithms_of_the_policy_sign(folder: Path) -> None:
    _write(folder, "a.Ed25519.pem", _ED25519)
    _write(folder, "b.RSA2048.pem", _RSA)
    only = MailDomain("shop", "main", "shop.example", "p", dkim_algorithms=("Ed25519",))
    assert _selectors(Keyring(folder), domain=only) == [("a", "Ed25519")]


def test_the_newest_key_of_an_algorithm_signs(folder: Path) -> None:
    _write(folder, "new.Ed25519.pem", _ED25519, at_s=2000)
    _write(folder, "old.Ed25519.pem", _ED25519, at_s=1000)
    assert _selectors(Keyring(folder)) == [("new", "Ed25519")]


def test_a_new_key_signs_after_the_next_look_and_not_before(folder: Path) -> None:
    _write(folder, "old.Ed25519.pem", _ED25519, at_s=1000)
    keyring = Keyring(folder)
    assert _selectors(keyring, 0.0) == [("old", "Ed25519")]
    _write(folder, "new.Ed25519.pem", _ED25519, at_s=2000)
    assert _selectors(keyring, CHECK_S - 0.1) == [("old", "Ed25519")]
    assert _selectors(keyring, CHECK_S) == [("new", "Ed25519")]


def test_unchanged_files_are_not_read_again(folder: Path) -> None:
    _write(folder, "a.Ed25519.pem", _ED25519)
    keyring = Keyring(folder)
    first = keyring.signers(_DOMAIN, 0.0)
    assert keyring.signers(_DOMAIN, CHECK_S + 1)[0] is first[0]


def test_a_removed_key_signs_no_more(folder: Path) -> None:
    _write(folder, "a.Ed25519.pem", _ED25519)
    keyring = Keyring(folder)
    assert _selectors(keyring, 0.0)
    (folder / "shop.example" / "a.Ed25519.pem").unlink()
    assert _selectors(keyring, CHECK_S) == []


@pytest.mark.parametrize(
    ("name", "pem"),
    [
        ("b.Ed25519.pem", b"no key"),
        ("b.RSA2048.pem", _ED25519),
        ("nameless.pem", _RSA),
        (".RSA2048.pem", _RSA),
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_the_others_sign(folder: Path, name: str, pem: bytes) -> None:
    _write(folder, "a.Ed25519.pem", _ED25519)
    _write(folder, name, pem, at_s=2000)
    with capture_logs() as logs:
        assert _selectors(Keyring(folder)) == [("a", "Ed25519")]
    assert [entry["file"] for entry in logs] == [name]
    assert "PRIVATE" not in str(logs)


def _signing(*selectors: str) -> MailDomain:
    return replace(_DOMAIN, signing=selectors)


def test_of_the_selectors_listed_the_first_that_is_there_signs_one_of_each_algorithm(folder: Path) -> None:
    for name in ("pq1-ed.Ed25519", "pq2-ed.Ed25519", "pq1-rsa.RSA2048"):
        _write(folder, f"{name}.pem", _RSA if "rsa" in name else _ED25519)
    keyring = Keyring(folder)
    listed = _signing("pq2-rsa", "pq1-rsa", "pq1-ed", "pq2-ed")
    assert _selectors(keyring, domain=listed) == [("pq1-rsa", "RSA2048"), ("pq1-ed", "Ed25519")]
    assert _selectors(keyring, domain=_signing("pq2-ed")) == [("pq2-ed", "Ed25519")]


def test_a_key_that_is_listed_signs_though_its_algorithm_is_not_wanted_any_more(folder: Path) -> None:
    _write(folder, "pq1-ed.Ed25519.pem", _ED25519)
    _write(folder, "pq1-rsa.RSA2048.pem", _RSA)
    changed = replace(_signing("pq1-rsa"), dkim_algorithms=("Ed25519",))
    assert _selectors(Keyring(folder), domain=changed) == [("pq1-rsa", "RSA2048")]
    both = replace(changed, signing=("pq1-rsa", "pq1-ed"))
    assert _selectors(Keyring(folder), domain=both) == [("pq1-ed", "Ed25519"), ("pq1-rsa", "RSA2048")]


def test_a_key_that_is_not_listed_does_not_sign_however_new(folder: Path) -> None:
    _write(folder, "pq1-ed.Ed25519.pem", _ED25519)
    assert _selectors(Keyring(folder), domain=_signing("pq2-ed")) == []
    assert _selectors(Keyring(folder), domain=_signing()) == []


def test_a_mounted_secret_signs(tmp_path: Path) -> None:
    (tmp_path / "3" / "..1").mkdir(parents=True)
    (tmp_path / "3" / "..1" / "shop.example.pq1-ed.Ed25519.pem").write_bytes(_ED25519)
    (tmp_path / "3" / "..data").symlink_to("..1")
    assert _selectors(Keyring(tmp_path), domain=_signing("pq1-ed")) == [("pq1-ed", "Ed25519")]


def test_without_folder_nobody_signs(tmp_path: Path) -> None:
    assert Keyring(None).signers(_DOMAIN, 0.0) == ()
    assert Keyring(tmp_path).signers(_DOMAIN, 0.0) == ()


def test_keys_of_domains_that_are_gone_are_forgotten(folder: Path) -> None:
    _write(folder, "a.Ed25519.pem", _ED25519)
    keyring = Keyring(folder)
    keyring.signers(_DOMAIN, 0.0)
    keyring.keep(Policy())
    assert repr(keyring) == f"<Keyring {folder} 0 domains>"
