"""Strangers as clients: how each is told to hand a message to us."""

import smtplib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platform_support import PASSWORD, Stage
from strangers.door import Door

SECONDS = 100


@dataclass(frozen=True)
class Errand:
    """A message to hand over: `path` holds it, with CRLF as line ends."""

    stage: Stage
    username: str
    sender: str
    recipients: tuple[str, ...]
    path: Path
    entrance: Door  # of the Postfix that relays

    @property
    def ca(self) -> str:
        return str(self.stage.place.identity("smtp") / "ca.crt")

    def port(self, name: str) -> str:
        return str(self.stage.platform.ports[name])


def curl(errand: Errand) -> str:
    command = ["curl", "--silent", "--verbose", "--cacert", errand.ca, "--user", f"{errand.username}:{PASSWORD}"]
    command += ["--url", f"smtps://localhost:{errand.port('smtps')}/client.test", "--mail-from", errand.sender]
    command += [word for each in errand.recipients for word in ("--mail-rcpt", each)]
    return _told(*command, "--upload-file", str(errand.path))


def msmtp(errand: Errand) -> str:
    command = ["msmtp", "--debug", "--host=localhost", f"--port={errand.port('smtps')}", "--tls=on"]
    command += ["--tls-starttls=off", f"--tls-trust-file={errand.ca}", "--auth=plain", f"--user={errand.username}"]
    command += [f"--passwordeval=echo '{PASSWORD}'", f"--from={errand.sender}", "--", *errand.recipients]
    return _told(*command, typed=errand.path.read_bytes().replace(b"\r\n", b"\n"))


def swaks(errand: Errand) -> str:
    command = ["swaks", "--server", f"localhost:{errand.port('smtp')}", "-tls", "--auth", "PLAIN"]
    command += ["--auth-user", errand.username, "--auth-password", PASSWORD, "--from", errand.sender]
    command += ["--to", ",".join(errand.recipients), "--data", "-", "--suppress-data"]
    return _told(*command, typed=errand.path.read_bytes().removesuffix(b"\r\n"))  # it adds the last line end


def git_send_email(errand: Errand) -> str:
    command = ["git", "send-email", "--smtp-server=localhost", f"--smtp-server-port={errand.port('smtps')}"]
    command += ["--smtp-encryption=ssl", f"--smtp-ssl-cert-path={errand.ca}", f"--smtp-user={errand.username}"]
    command += [f"--smtp-pass={PASSWORD}", f"--from={errand.sender}", "--confirm=never", "--suppress-cc=all"]
    command += ["--8bit-encoding=UTF-8", "--smtp-debug=1", "--no-validate", "--envelope-sender=auto"]
    lines = errand.path.with_suffix(".patch")
    lines.write_bytes(errand.path.read_bytes().replace(b"\r\n", b"\n"))
    return _told(*command, *(f"--to={each}" for each in errand.recipients), str(lines), folder=lines.parent)


def postfix(errand: Errand) -> str:
    """Hand it to the Postfix that relays; what we say is in its log, and in its own report."""
    content = errand.path.read_bytes()
    utf8 = ["SMTPUTF8"] if not "".join(errand.recipients).isascii() else []
    with smtplib.SMTP(errand.entrance.address, errand.stage.internet.mx_port, timeout=SECONDS) as client:
        client.ehlo()
        assert client.mail(errand.sender, ["BODY=8BITMIME", *utf8])[0] == 250
        for recipient in errand.recipients:
            assert client.rcpt(recipient)[0] == 250
        return str(client.data(content))


CLIENTS: dict[str, Callable[[Errand], str]] = {
    "curl": curl,
    "msmtp": msmtp,
    "swaks": swaks,
    "git-send-email": git_send_email,
    "postfix": postfix,
}


def _told(*command: str, typed: bytes = b"", folder: Path | None = None) -> str:
    done = subprocess.run(command, input=typed, capture_output=True, check=False, timeout=SECONDS, cwd=folder)
    return (done.stdout + done.stderr).decode(errors="replace")
