"""The operator's own identities: read through the API server, kept as files for the connection to the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paquebot.runtime.files import write_private
from paquebot.runtime.tls import FILES
from paquebot_operator.kube.client import Kube
from paquebot_operator.names import SECRET, Key
from paquebot_operator.secretfiles import files_of

IDENTITY: Final = Key("Identity", "", "own")
NAMES: Final = ("publisher", "system")
LOOK_S: Final = 30.0
ABSENT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Identities:
    """Keeps folders `publisher` and `system` as the Secrets `paquebot-<name>-identity` say."""

    kube: Kube
    namespace: str
    folder: Path

    async def reconcile(self, _key: Key) -> float:
        """Take over what changed; return when to look again."""
        complete = True
        for name in NAMES:
            entry = await self.kube.get(SECRET, self.namespace, f"paquebot-{name}-identity")
            found = files_of(entry)
            complete = complete and all(file in found for file in FILES)
            if all(file in found for file in FILES):
                _keep(self.folder / name, {file: found[file] for file in FILES})
        return LOOK_S if complete else ABSENT_S


def _keep(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in files.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content)
