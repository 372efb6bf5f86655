"""A platform whose mail goes to strangers, each door of theirs a domain of its own."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from hack.strangers import CURE, lacking

from platform_support import Stage
from strangers.door import Door, Stranger
from strangers.exim import SWITCHES as EXIM_SWITCHES
from strangers.exim import Exim
from strangers.opensmtpd import OpenSmtpd
from strangers.postfix import KEYWORDS, Postfix
from strangers.sink import SWITCHES as SINK_SWITCHES
from strangers.sink import Sink

CROWD, CROWD_SENDER = "shop.crowd", "orders@crowd.test"
EXTRA = """
---
{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {name: crowd, namespace: shop},
 spec: {domain: crowd.test, limits: {maxRecipients: 500}}}
---
{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {name: crowd, namespace: shop},
 spec: {domainRefs: [{name: crowd}], limits: {maxRecipients: 500}}}
"""


def require(*programs: str) -> None:
    """Go on only with these programs. Where CI runs, their lack is a failure."""
    absent = sorted({*programs} & {*lacking()})
    if absent or os.geteuid() != 0:
        reason = f"not here: {', '.join(absent)}: {CURE}" if absent else "mail programs want root to start"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def doors_of(name: str, lacks: tuple[str, ...], numbers: Iterator[int]) -> tuple[Door, ...]:
    return tuple(
        Door(f"no-{without.lower()}.{name}" if without else name, f"127.0.30.{next(numbers)}", without)
        for without in ("", *lacks)
    )


@dataclass
class Hosts:
    """A platform and the strangers it sends to."""

    stage: Stage
    strangers: tuple[Stranger, ...]

    @property
    def doors(self) -> dict[str, Door]:
        return {door.name: door for stranger in self.strangers for door in stranger.doors}

    def stranger(self, name: str) -> Stranger:
        return next(each for each in self.strangers if name in {door.name for door in each.doors})

    @property
    def port(self) -> int:
        return self.stage.internet.mx_port


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder with a short name, as unix sockets want it, that others may pass through."""
    path = Path("/tmp") / f"paquebot-strangers-{os.getpid()}"  # noqa: S108
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hosts(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hosts]:
    require("postfix", "exim4", "smtpd", "smtp-sink")
    numbers = count(1)
    strangers: tuple[Stranger, ...] = (
        Postfix(folder / "postfix", doors_of("postfix", KEYWORDS, numbers)),
        Exim(folder / "exim", doors_of("exim", tuple(EXIM_SWITCHES), numbers)),
        OpenSmtpd(folder / "opensmtpd", doors_of("opensmtpd", ("STARTTLS", "DSN"), numbers)),
        Sink(folder / "sink", doors_of("sink", tuple(filter(None, SINK_SWITCHES)), numbers)),
    )
    records = tuple(record for stranger in strangers for door in stranger.doors for record in door.records)
    stage = Stage(tmp_path_factory.mktemp("platform"), EXTRA, more_records=records)
    await stage.start()
    try:
        identity = stage.place.identity("smtp")
        for stranger in strangers:
            await asyncio.to_thread(stranger.start, stage.internet.mx_port, identity)
        yield Hosts(stage, strangers)
    finally:
        for stranger in strangers:
            stranger.stop()
        await stage.stop()
