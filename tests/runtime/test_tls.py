"""Certificates are private, last, and are read again when they change."""

import stat
from pathlib import Path

from cryptography import x509

from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.tls import ReloadingContext


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
    context = ReloadingContext(tmp_path / "smtp")
    first = context.current()
    assert context.current() is first
    (tmp_path / "smtp" / "tls.crt").write_text("broken")
    assert context.current() is first
    (tmp_path / "smtp" / "tls.crt").unlink()
    issue(tmp_path / "ca", "smtp", tmp_path / "smtp", ())
    assert context.current() is not first
