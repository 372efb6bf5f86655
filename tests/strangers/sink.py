"""Postfix's smtp-sink as receiving hosts: one for each door, each of them a little less capable."""

import shutil
from pathlib import Path

from strangers.door import Door, Stranger

SWITCHES = {"": (), "8BITMIME": ("-8",), "DSN": ("-N",), "PIPELINING": ("-p",), "ENHANCEDSTATUSCODES": ("-E",)}
SWITCHES |= {"everything": ("-e",)}


class Sink(Stranger):
    program = "smtp-sink"

    def start(self, port: int, identity: Path) -> None:
        del identity  # it has no TLS
        for door in self.doors:
            folder = self.root / "mail" / door.domain
            folder.mkdir(parents=True)
            shutil.chown(folder, "nobody")
            dump = folder / "%s."
            name = f"mx.{door.domain}"
            arguments = ["-u", "nobody", "-h", name, *SWITCHES[door.without], "-d", str(dump)]
            self.run(self.path(), *arguments, f"{door.address}:{port}", "100")
        self.wait_until_it_listens(port)

    def mails(self, door: Door) -> list[bytes]:
        """Return what it has taken, perhaps not all of the last yet; it ends each with an empty line of its own."""
        folder = self.root / "mail" / door.domain
        return [path.read_bytes().removesuffix(b"\n") for path in sorted(folder.iterdir())]
