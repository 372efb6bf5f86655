"""A login is asked for, kept where the deliverer reads it, and shown to nobody."""

from pathlib import Path

from click.testing import CliRunner

from paquebot.cli.smarthost import smarthost
from paquebot.deliverer.logins import Logins
from paquebot.smtp.client_auth import Login


def test_a_login_is_kept_where_the_deliverer_reads_it(tmp_path: Path) -> None:
    run = CliRunner().invoke(smarthost, ["set", "partner", "--state", str(tmp_path)], input="ann\ns3cret\n")
    assert run.exit_code == 0
    assert "s3cret" not in run.output
    assert Logins(tmp_path / "smarthosts").read("mail-system.partner") == Login("ann", "s3cret")
    kept = tmp_path / "smarthosts" / "mail-system.partner" / "password"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    for name in ("../partner", "shop.a.b"):
        run = CliRunner().invoke(smarthost, ["set", name, "--username", "u", "--state", str(tmp_path)], input="p\n")
        assert run.exit_code == 2
        assert "Invalid value for NAME" in run.output
