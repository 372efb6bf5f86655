"""Where the platform keeps its things on one machine: the state directory and what is in it."""

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import click

from paquebot.runtime.authority import create_authority, issue
from paquebot.runtime.files import write_private

IDENTITIES = ("submission", "auth", "spamfilter", "router", "deliverer", "admin", "publisher", "system", "nats")


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running platform can be reached; written by `up`, read by the other commands."""

    pid: int
    nats_url: str
    smtps_port: int
    smtp_port: int
    hostname: str
    metrics: dict[str, int]  # process name to admin port
    deliverers: dict[str, str] = field(default_factory=dict)  # process name to gRPC address, host:port
    resolver: str = ""  # the sandbox's name server, host:port; empty: the system's


@dataclass(frozen=True, slots=True)
class Place:
    """A state directory. Everything in it is private to its user."""

    root: Path

    @property
    def store(self) -> Path:
        """The queue's store, kept by nats-server."""
        return self.root / "store"

    @property
    def dkim(self) -> Path:
        """DKIM keys, `<domain>/<selector>.<algorithm>.pem`."""
        return self.root / "dkim"

    @property
    def suppression_key(self) -> Path:
        """The key of the hashes that stand on SuppressionLists. Without it they are worth nothing."""
        return self.root / "suppression.key"

    @property
    def smarthosts(self) -> Path:
        """Logins at smarthosts, `<namespace>.<name>/{username,password}`."""
        return self.root / "smarthosts"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.root / "logs"

    @property
    def received(self) -> Path:
        """What the sandbox has received, a file a message."""
        return self.root / "received"

    @property
    def hashes(self) -> Path:
        """Argon2id hashes of the credentials' passwords, by user name."""
        return self.root / "credentials.json"

    def identity(self, name: str) -> Path:
        """Return the folder with ca.crt, tls.crt and tls.key of an identity."""
        return self.root / "identities" / name

    def prepare(self, hostname: str) -> None:
        """Make the folders, the certificate authority and an identity for each service."""
        for folder in (self.root, self.store, self.dkim, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.suppression_key.exists():
            write_private(self.suppression_key, os.urandom(32).hex().encode())
        authority = self.root / "authority"
        create_authority(authority)
        for name in IDENTITIES:
            issue(authority, name, self.identity(name), ("localhost",))
        issue(authority, "smtp", self.identity("smtp"), ("localhost", hostname))

    def read_hashes(self) -> dict[str, str]:
        """Return the known password hashes."""
        return dict(json.loads(self.hashes.read_text())) if self.hashes.exists() else {}

    def write_hash(self, username: str, password_hash: str) -> None:
        """Keep a password's hash; the file appears whole or not at all."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        hashes = self.read_hashes() | {username: password_hash}
        write_private(self.hashes, json.dumps(hashes, indent=2).encode())

    def write_login(self, secret: str, username: str, password: str) -> None:
        """Keep a login at a smarthost, named `<namespace>.<name>`."""
        folder = self.smarthosts / secret
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(folder / "username", username.encode())
        write_private(folder / "password", password.encode())

    def announce(self, running: Running) -> None:
        """Tell the other commands where the platform runs."""
        write_private(self.root / "running.json", json.dumps(asdict(running), indent=2).encode())

    def withdraw(self) -> None:
        """Take the announcement back."""
        (self.root / "running.json").unlink(missing_ok=True)

    def running(self) -> Running | None:
        """Return where the platform runs, None when it does not."""
        path = self.root / "running.json"
        if not path.exists():
            return None
        announced = json.loads(path.read_text())
        running = Running(**{each.name: announced[each.name] for each in fields(Running) if each.name in announced})
        return running if _alive(running.pid) else None

    def running_or_fail(self) -> Running:
        """Return where the platform runs, or end the command with what to do."""
        running = self.running()
        if running is None:
            raise click.ClickException(f"no platform runs from {self.root}: start one with `paquebot up -f examples`")
        return running


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


STATE_OPTION = click.option(
    "--state",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".paquebot/up"),
    show_default=True,
    envvar="PAQUEBOT_STATE",
    callback=lambda _context, _parameter, value: Place(value.absolute()),
    help="The state directory of the platform on this machine.",
)
OUTPUT_OPTION = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, JSON for programs.",
)
