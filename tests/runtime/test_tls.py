"""Certificates are private, last, and are read again when they change."""

import shutil
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from paquebot.runtime.authority import Pair, create_authority, issue, make_leaf
from paquebot.runtime.tls import FILES, Reloading, read_identity, server_context


def test_an_identity_names_itself_and_its_hosts(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca")
    issue(tmp_path / "ca", "router", tmp_path / "router", ("router.mail.svc",))
    certificate = x509.load_pem_x509_certificate((tmp_path / "router" / "tls.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["router", "localhost", "router.mail.svc"]
    assert stat.S_IMODE((tmp_path / "router" / "tls.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca" / "ca.key").stat().st_mode) == 0o600


def test_a_good_identity_is_kept(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca")
    issue(tmp_path / "ca", "router", tmp_path / "router", ())
    before = (tmp_path / "router" / "tls.crt").read_bytes()
    create_authority(tmp_path / "ca")
    issue(tmp_path / "ca", "router", tmp_path / "router", ())
    assert (tmp_path / "router" / "tls.crt").read_bytes() == before


def test_a_context_follows_its_files_and_survives_a_broken_one(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca")
    issue(tmp_path / "ca", "smtp", tmp_path / "smtp", ())
    context = Reloading(tmp_path / "smtp", server_context)
    first = context.current()
    assert context.current() is first
    (tmp_path / "smtp" / "tls.crt").write_text("broken")
    assert context.current() is first
    renew(tmp_path, "smtp")
    assert context.current() is not first


def test_a_certificate_without_its_key_is_told_once_and_the_last_good_one_stays(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca")
    for name in ("renewed", "other"):
        issue(tmp_path / "ca", name, tmp_path / name, ())
    identities = Reloading(tmp_path / "renewed", read_identity)
    first = identities.current()
    ends = sample("paquebot_certificate_not_after_seconds", "renewed")
    assert ends == identities.ends_s > time.time() + 364 * 86400
    shutil.copy(tmp_path / "other" / "tls.key", tmp_path / "renewed" / "tls.key")
    with capture_logs() as said:
        assert identities.current() is identities.current() is first
    assert [entry["error"] for entry in said] == ["tls.crt and tls.key do not belong together"]
    assert sample("paquebot_certificate_refused_total", "renewed") == 1
    assert sample("paquebot_certificate_not_after_seconds", "renewed") == ends


def test_where_nobody_connects_the_metric_tells_of_the_new_certificate_all_the_same(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca")
    issue(tmp_path / "ca", "idle", tmp_path / "idle", ())
    Reloading(tmp_path / "idle", read_identity).current()
    before = sample("paquebot_certificate_not_after_seconds", "idle")
    authority = Pair((tmp_path / "ca" / "ca.crt").read_bytes(), (tmp_path / "ca" / "ca.key").read_bytes())
    leaf = make_leaf(authority, ("idle",), 7, datetime.now(UTC))
    (tmp_path / "idle" / "tls.crt").write_bytes(leaf.certificate)
    (tmp_path / "idle" / "tls.key").write_bytes(leaf.key)
    assert sample("paquebot_certificate_not_after_seconds", "idle") < before - 300 * 86400


def test_files_that_a_kubelet_exchanges_all_at_once_are_seen(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca")
    for number in ("first", "second"):
        issue(tmp_path / "ca", "router", tmp_path / "mount" / number, ())
    mount = tmp_path / "mount"
    (mount / "..data").symlink_to("first")
    for name in FILES:
        (mount / name).symlink_to(f"..data/{name}")
    identities = Reloading(mount, read_identity)
    assert identities.current() == read_identity(mount / "first")
    (mount / "..fresh").symlink_to("second")
    (mount / "..fresh").replace(mount / "..data")
    assert identities.current() == read_identity(mount / "second")


def test_what_never_was_good_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Reloading(tmp_path, read_identity).current()
    with pytest.raises(OSError, match=r"tls\.crt|No such file"):
        Reloading(tmp_path, server_context).current()


def renew(root: Path, name: str) -> None:
    (root / name / "tls.crt").unlink()
    issue(root / "ca", name, root / name, ())


def sample(metric: str, identity: str) -> float:
    value = REGISTRY.get_sample_value(metric, {"identity": identity})
    assert value is not None
    return value
