"""A real Exim as receiving hosts: a daemon for each door, since its keywords are the daemon's."""

import os
import shutil
from pathlib import Path

from strangers.door import USERS, Door, Stranger, in_own_mounts

SWITCHES = {
    "PIPELINING": "pipelining_advertise_hosts =",
    "8BITMIME": "accept_8bitmime = false",
    "STARTTLS": "tls_advertise_hosts =",
    "DSN": "dsn_advertise_hosts =",
    "SMTPUTF8": "smtputf8_advertise_hosts =",
    "CHUNKING": "chunking_advertise_hosts =",
}
CONFIG = """
primary_hostname = mx.{domain}
exim_path = {root}/exim4
spool_directory = {root}/spool-{name}
log_file_path = {root}/spool-{name}/%slog
local_interfaces = <; {address}.{port}
deliver_drop_privilege
message_size_limit = 50M
recipients_max = 1000
tls_certificate = {root}/tls.crt
tls_privatekey = {root}/tls.key
{switches}
acl_smtp_rcpt = all
acl_smtp_data = all
domainlist ours = {domain}
begin acl
all:
  accept
begin routers
ours:
  driver = accept
  domains = +ours
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = {root}/mail/$domain_data
  maildir_format
"""


class Exim(Stranger):
    program = "exim4"

    def start(self, port: int, identity: Path) -> None:
        (self.root / "mail").mkdir(parents=True)
        shutil.copy(self.path(), self.root / "exim4")
        for name in ("tls.crt", "tls.key"):
            shutil.copy(identity / name, self.root / name)
            os.chown(self.root / name, USERS["Debian-exim"], USERS["Debian-exim"])
        os.chown(self.root / "mail", USERS["Debian-exim"], USERS["Debian-exim"])
        for door in self.doors:
            config = self._configured(door, port)
            self.run(*in_own_mounts(self.root, "", self.root / "exim4", "-bdf", "-q1m", "-C", config))
        self.wait_until_it_listens(port)

    def _configured(self, door: Door, port: int) -> Path:
        spool = self.root / f"spool-{door.name}"
        spool.mkdir()
        os.chown(spool, USERS["Debian-exim"], USERS["Debian-exim"])
        on = {word: switch.removesuffix("=").removesuffix("= false") for word, switch in SWITCHES.items()}
        switches = [f"{on[word]}= {'true' if word == '8BITMIME' else '*'}" for word in SWITCHES if word != door.without]
        switches += [SWITCHES[door.without]] if door.without else []
        config = self.root / f"{door.name}.conf"
        values = {"root": self.root, "name": door.name, "domain": door.domain, "address": door.address, "port": port}
        config.write_text(CONFIG.format(**values, switches="\n".join(switches)))
        return config
