"""A real Postfix as a receiving MX: its own folder, one port, mail into maildirs."""

import asyncio
import shutil
import subprocess
from pathlib import Path

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
myhostname = mx.postfix.test
mydestination =
inet_interfaces = {address}
inet_protocols = ipv4
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = postfix.test
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = static:someone/
virtual_minimum_uid = 100
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
maillog_file = {root}/postfix.log
maillog_file_prefixes = {root}
"""
MASTER = """
{address}:{port} inet n - n - - smtpd
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
virtual unix - n n - - virtual
error unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
"""


class Postfix:
    """One instance; `mails` returns what it has delivered."""

    def __init__(self, root: Path, address: str, port: int) -> None:
        self.root, self.address, self.port = root, address, port

    def start(self) -> None:
        uid, gid = self._owner()
        daemons = subprocess.run(
            ["postconf", "-h", "daemon_directory"], check=True, capture_output=True, text=True
        ).stdout.strip()
        (self.root / "mail").mkdir(parents=True)
        for folder in ("queue", "data"):
            (self.root / folder).mkdir()
        shutil.chown(self.root / "data", "postfix")
        shutil.chown(self.root / "mail", uid, gid)
        values = {"root": self.root, "daemons": daemons, "address": self.address, "uid": uid, "gid": gid}
        (self.root / "main.cf").write_text(MAIN.format(**values))
        (self.root / "master.cf").write_text(MASTER.format(address=self.address, port=self.port))
        subprocess.run(["postfix", "-c", self.root, "start"], check=True, capture_output=True)

    def stop(self) -> None:
        subprocess.run(["postfix", "-c", self.root, "stop"], check=False, capture_output=True)

    def mails(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.root / "mail").glob("*/new/*"))]

    async def wait_for(self, count: int, timeout_s: float = 40) -> list[bytes]:
        async with asyncio.timeout(timeout_s):
            while len(self.mails()) < count:
                await asyncio.sleep(0.1)
        return self.mails()

    @staticmethod
    def _owner() -> tuple[int, int]:
        told = subprocess.run(["id", "-u", "nobody"], check=True, capture_output=True, text=True).stdout
        group = subprocess.run(["id", "-g", "nobody"], check=True, capture_output=True, text=True).stdout
        return int(told), int(group)
