"""A real OpenSMTPD as receiving hosts: one daemon with a line for each door."""

import shutil
from pathlib import Path

from strangers.door import Stranger, in_own_mounts

CONFIG = """
pki our cert "{identity}/tls.crt"
pki our key "{identity}/tls.key"
smtp max-message-size "50M"
smtp limit max-rcpt 1000
{listen}
table everybody {{ "@" = "nobody" }}
action "keep" maildir "{root}/mail/%{{dest.domain}}" virtual <everybody>
match from any for any action "keep"
"""
# Its folders are compiled in: it gets empty ones of its own, and its helpers where it looks for them.
MOUNTS = """
for each in /usr/libexec /var/spool /var/lib /run; do mount -t tmpfs none $each; done
mkdir -p -m 711 /var/lib/opensmtpd/empty /var/spool/smtpd
cp -a {tree}/usr/libexec/opensmtpd /usr/libexec/
"""


class OpenSmtpd(Stranger):
    program = "smtpd"

    def start(self, port: int, identity: Path) -> None:
        (self.root / "mail").mkdir(parents=True)
        shutil.chown(self.root / "mail", "nobody")
        options = {"": "tls pki our", "STARTTLS": "", "DSN": "tls pki our no-dsn"}
        listen = [
            f"listen on {door.address} port {port} hostname mx.{door.domain} {options[door.without]}"
            for door in self.doors
        ]
        config = self.root / "smtpd.conf"
        config.write_text(CONFIG.format(root=self.root, identity=identity, listen="\n".join(listen)))
        mounts = MOUNTS.format(tree=self.path().parents[2])
        self.run(*in_own_mounts(self.root, mounts, self.path(), "-dF", "-f", config))
        self.wait_until_it_listens(port)
