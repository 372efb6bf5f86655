"""Run the operator: `python -m paquebot_operator`."""

import asyncio
from datetime import UTC, datetime
from functools import partial

from paquebot.runtime.process import Process, run
from paquebot_operator.assembly import assemble
from paquebot_operator.settings import Settings


async def main(process: Process, settings: Settings) -> None:
    """Work until the process is told to end."""
    process.readiness.missing("objects", "the cluster's objects were not read yet")
    process.readiness.present("start")
    operator = assemble(process.pod, settings, lambda: datetime.now(UTC))
    working = asyncio.create_task(operator.engine.run(partial(process.readiness.present, "objects")))
    told = asyncio.create_task(process.draining.wait())
    try:
        await asyncio.wait((working, told), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        told.cancel()
        await asyncio.gather(working, told, return_exceptions=True)
        await operator.close()


if __name__ == "__main__":
    run(main, "operator", Settings)
