"""Key files come in three layouts, and a mounted Secret is read as one revision or not at all."""

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from paquebot.router.keyfiles import CHECK_S, KeyFiles

_SHOP, _NEWS = "shop.example", "news.shop.example"


def _mount(volume: Path, revision: str, files: dict[str, bytes]) -> None:
    """Show a Secret's revision as a kubelet does: a folder of its own, then a link put in place of the last."""
    before = (volume / "..data").readlink() if (volume / "..data").is_symlink() else None
    (volume / revision).mkdir(parents=True)
    for name, pem in files.items():
        (volume / revision / name).write_bytes(pem)
    (volume / "..data_tmp").symlink_to(revision)
    (volume / "..data_tmp").rename(volume / "..data")
    for name in files:
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")
    if before:
        shutil.rmtree(volume / before)


def _found(files: KeyFiles, domain: str, now_s: float = 0.0) -> list[tuple[str, bytes]]:
    return [(key.selector, key.pem) for key in files.of(domain, now_s)]


def test_one_folder_may_hold_all_three_layouts(tmp_path: Path) -> None:
    (tmp_path / _SHOP).mkdir()
    (tmp_path / _SHOP / "own.Ed25519.pem").write_bytes(b"1")
    (tmp_path / f"{_SHOP}.flat.Ed25519.pem").write_bytes(b"2")
    _mount(tmp_path / "a", "..1", {f"{_SHOP}.pq1-rsa.RSA2048.pem": b"3", f"{_NEWS}.pq1-rsa.RSA2048.pem": b"4"})
    files = KeyFiles(tmp_path)
    assert _found(files, _SHOP) == [("own", b"1"), ("flat", b"2"), ("pq1-rsa", b"3")]
    assert _found(files, _NEWS) == [("pq1-rsa", b"4")]


def test_a_flat_key_of_a_longer_domain_is_never_read_as_one_of_a_shorter(tmp_path: Path) -> None:
    (tmp_path / "shop.example.org.pq1-rsa.RSA2048.pem").write_bytes(b"1")
    (tmp_path / "a.shop.example.pq1-rsa.RSA2048.pem").write_bytes(b"2")
    assert _found(KeyFiles(tmp_path), _SHOP) == []


def test_a_folder_that_is_no_shard_is_no_layout(tmp_path: Path) -> None:
    _mount(tmp_path / "10", "..1", {f"{_SHOP}.pq1-rsa.RSA2048.pem": b"1"})
    assert _found(KeyFiles(tmp_path), _SHOP) == []


def test_another_revision_of_a_mounted_secret_is_seen_at_the_next_look(tmp_path: Path) -> None:
    _mount(tmp_path / "0", "..1", {f"{_SHOP}.pq1-rsa.RSA2048.pem": b"1"})
    files = KeyFiles(tmp_path)
    assert _found(files, _SHOP, 0.0) == [("pq1-rsa", b"1")]
    _mount(tmp_path / "0", "..2", {f"{_SHOP}.pq2-rsa.RSA2048.pem": b"2"})
    assert _found(files, _SHOP, CHECK_S - 0.1) == [("pq1-rsa", b"1")]
    assert _found(files, _SHOP, CHECK_S) == [("pq2-rsa", b"2")]


def test_while_a_revision_goes_the_last_one_read_whole_stays(tmp_path: Path) -> None:
    _mount(tmp_path / "0", "..1", {f"{_SHOP}.pq1-rsa.RSA2048.pem": b"1"})
    files = KeyFiles(tmp_path)
    assert _found(files, _SHOP, 0.0) == [("pq1-rsa", b"1")]
    (tmp_path / "0" / "..half").symlink_to("..2")  # the link leads to what is gone already
    (tmp_path / "0" / "..half").rename(tmp_path / "0" / "..data")
    assert _found(files, _SHOP, CHECK_S) == [("pq1-rsa", b"1")]


def test_a_domain_that_is_read_first_while_a_revision_goes_is_read_from_the_next(tmp_path: Path) -> None:
    _mount(tmp_path, "..1", {f"{_NEWS}.pq1-rsa.RSA2048.pem": b"1", f"{_SHOP}.pq1-rsa.RSA2048.pem": b"1"})
    files = KeyFiles(tmp_path)
    assert _found(files, _NEWS, 0.0) == [("pq1-rsa", b"1")]
    _mount(tmp_path, "..2", {f"{_NEWS}.pq1-rsa.RSA2048.pem": b"2", f"{_SHOP}.pq1-rsa.RSA2048.pem": b"2"})
    assert _found(files, _SHOP, 0.1) == [("pq1-rsa", b"2")]


def test_a_secret_that_becomes_empty_leaves_no_key(tmp_path: Path) -> None:
    _mount(tmp_path / "0", "..1", {f"{_SHOP}.pq1-rsa.RSA2048.pem": b"1"})
    files = KeyFiles(tmp_path)
    assert _found(files, _SHOP, 0.0)
    _mount(tmp_path / "0", "..2", {})
    assert _found(files, _SHOP, CHECK_S) == []


def test_a_flat_folder_that_is_gone_leaves_no_key(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / f"{_SHOP}.pq1-rsa.RSA2048.pem").write_bytes(b"1")
    files = KeyFiles(tmp_path)
    assert _found(files, _SHOP, 0.0)
    shutil.rmtree(tmp_path / "0")
    assert _found(files, _SHOP, CHECK_S) == []


@pytest.mark.parametrize("name", ["one.pem", f"{_SHOP}.pq1-rsa.RSA1024.pem", "example.pq1-rsa.RSA2048.pem"])
def test_a_name_that_says_no_key_is_told_once_a_revision(tmp_path: Path, name: str) -> None:
    _mount(tmp_path / "0", "..1", {name: b"1", f"{_SHOP}.pq1-rsa.RSA2048.pem": b"2"})
    files = KeyFiles(tmp_path)
    with capture_logs() as logs:
        assert _found(files, _SHOP, 0.0) == [("pq1-rsa", b"2")]
        files.of(_SHOP, CHECK_S)
    assert [entry["file"] for entry in logs] == [name]


def test_a_key_is_not_shown_where_its_file_is(tmp_path: Path) -> None:
    (tmp_path / f"{_SHOP}.pq1-rsa.RSA2048.pem").write_bytes(b"secret")
    assert "secret" not in repr(KeyFiles(tmp_path).of(_SHOP, 0.0))
