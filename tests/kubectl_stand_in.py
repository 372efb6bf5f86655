"""`kubectl` for tests: the real one, but for port-forward, which needs a kubelet: a relay to where RELAY_TO says.

Run as a program. RELAY_TO is JSON: a resource such as "service/paquebot-nats" to a port on 127.0.0.1.
"""

import asyncio
import json
import os
import sys
from pathlib import Path


def install(folder: Path) -> None:
    """Put it into a folder as `kubectl`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "kubectl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {__file__} "$@"\n')
    program.chmod(0o755)


async def relay(target: str, asked: str) -> None:
    ports = json.loads(os.environ["RELAY_TO"])
    if target not in ports:
        sys.exit(f"error: unable to forward port because {target} is not running")

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(65536):
                writer.write(octets)
                await writer.drain()
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", ports[target])
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with Path(os.environ["OPENED"]).open("a") as opened:
        opened.write(f"{os.getpid()} {port}\n")
    print(f"Forwarding from 127.0.0.1:{port} -> {asked[1:]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    words = sys.argv[1:]
    if "port-forward" in words:
        asyncio.run(relay(*words[-2:]))
    os.execv(os.environ["REAL_KUBECTL"], ["kubectl", *words])  # noqa: S606  (no shell is wanted)
