"""A real Postfix in a folder of its own: receiving hosts, a listener for each door, or a relay that sends by us."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from strangers.door import Door, Stranger

KEYWORDS = ("PIPELINING", "SIZE", "STARTTLS", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING")
MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
myhostname = mx.postfix.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {identity}/tls.crt
smtpd_tls_key_file = {identity}/tls.key
message_size_limit = 52428800
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/mailboxes
virtual_minimum_uid = 100
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
maillog_file = {root}/postfix.log
maillog_file_prefixes = {root}
"""
MASTER = """
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
virtual unix - n n - - virtual
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
"""
SENDING = """
relayhost = [127.0.0.1]:{smtps}
smtp_tls_wrappermode = yes
smtp_tls_security_level = encrypt
smtp_tls_CAfile = {ca}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:{root}/login
smtp_sasl_security_options = noanonymous
"""


@dataclass(frozen=True)
class Relaying:
    """How it sends on what its door `entrance` takes."""

    entrance: Door
    smtps: int
    ca: Path
    login: str


class Postfix(Stranger):
    program = "postfix"

    def __init__(self, root: Path, doors: Iterable[Door], relaying: Relaying | None = None) -> None:
        super().__init__(root, doors)
        self.relaying = relaying

    def start(self, port: int, identity: Path) -> None:
        values = self._prepared()
        domains = " ".join(door.domain for door in self.doors) or "none.test"
        main = MAIN.format(root=self.root, identity=identity, domains=domains, **values)
        master = MASTER + "".join(self._listener(door, port) for door in self.doors)
        if self.relaying is not None:
            given = self.relaying
            main += SENDING.format(smtps=given.smtps, ca=given.ca, root=self.root)
            master += f"{given.entrance.address}:{port} inet n - n - - smtpd"
            master += " -o smtpd_relay_restrictions=permit_mynetworks,reject -o mynetworks=127.0.0.0/8\n"
            (self.root / "login").write_text(f"[127.0.0.1]:{given.smtps} {given.login}\n")
            self.doors = (*self.doors, given.entrance)
        (self.root / "main.cf").write_text(main)
        (self.root / "master.cf").write_text(master)
        (self.root / "mailboxes").write_text("".join(f"@{door.domain} {door.domain}/\n" for door in self.doors))
        subprocess.run([self.path(), "-c", self.root, "start"], check=True, capture_output=True)
        self.wait_until_it_listens(port)

    def stop(self) -> None:
        subprocess.run([self.path(), "-c", self.root, "stop"], check=False, capture_output=True)

    def _prepared(self) -> dict[str, object]:
        told = subprocess.run(["postconf", "-h", "daemon_directory"], check=True, capture_output=True, text=True)
        uid, gid = (
            int(subprocess.run(["id", which, "nobody"], check=True, capture_output=True, text=True).stdout)
            for which in ("-u", "-g")
        )
        for folder in ("mail", "queue", "data"):
            (self.root / folder).mkdir(parents=True)
        shutil.chown(self.root / "data", "postfix")
        os.chown(self.root / "mail", uid, gid)
        return {"daemons": told.stdout.strip(), "uid": uid, "gid": gid}

    @staticmethod
    def _listener(door: Door, port: int) -> str:
        option = f" -o smtpd_discard_ehlo_keywords={door.without.lower()}" if door.without else ""
        return f"{door.address}:{port} inet n - n - - smtpd{option}\n"
