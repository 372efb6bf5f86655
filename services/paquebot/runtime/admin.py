"""The admin port: /livez, /readyz with what is missing in its body, /metrics."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from paquebot.runtime.readiness import Readiness
from paquebot.runtime.settings import Address


async def serve_admin(listen: Address, readiness: Readiness) -> web.AppRunner:
    """Listen; the caller cleans the runner up."""

    async def livez(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        return web.Response(text=readiness.report(), status=200 if readiness.is_ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, listen.host, listen.port).start()
    return runner
