"""Which programs of this machine stand for which images."""

import sys
from pathlib import Path

from paquebot.queue.server import find_nats_server


def images() -> dict[str, tuple[str, ...]]:
    """Return entry points by the last part of an image's name."""
    return {
        "paquebot": (sys.executable, "-m", "paquebot"),
        "nats": (str(find_nats_server()),),
        "nats-server-config-reloader": (sys.executable, str(Path(__file__).with_name("reloader.py"))),
        "python": (sys.executable,),
        "curl": ("curl",),
    }
