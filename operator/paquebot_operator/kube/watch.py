"""Changes in the cluster, as kopf hears of them: it watches, reconnects and lists again; we only listen.

No handler of kopf's that writes is used: nothing of kopf appears on any object. It runs in a thread and a loop of its
own, since at its end it cancels every task of the loop that it finds itself in.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import kopf
import kubernetes.config

from paquebot_operator.kube.client import CHUNK, Kube
from paquebot_operator.names import GROUP, Kind

REQUEST_MAX_S: Final = 30
SILENCE_MAX_S: Final = 70  # kopf connects anew after it: bookmarks come every minute
BACKOFF_S: Final = (1, 2, 4, 8, 15, 30)

OnChange = Callable[[Mapping[str, Any], bool], None]  # the object, and whether it is gone


@dataclass(slots=True, eq=False)
class Watch:
    """Tells of each change of some kinds, in the loop that made it. Its end is the end of the process."""

    kube: Kube
    kinds: Iterable[Kind]
    kubeconfig: Path | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    heard: dict[str, float] = field(default_factory=dict)  # kind → loop time
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def start(self, on_change: OnChange) -> None:
        """Begin to listen; `on_change` is called in the running loop."""
        logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # else a line for each event
        loop = asyncio.get_running_loop()
        self.thread = threading.Thread(target=self._run, args=(loop, on_change), name="watch", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self.stopping.set()

    def _run(self, loop: asyncio.AbstractEventLoop, on_change: OnChange) -> None:
        try:
            asyncio.run(
                kopf.operator(
                    registry=self._registry(loop, on_change),
                    settings=_settings(),
                    standalone=True,
                    clusterwide=True,
                    stop_flag=self.stopping,
                )
            )
        except BaseException:
            logging.getLogger(__name__).exception("the watch ended")
        finally:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.ended.set)

    def _registry(self, loop: asyncio.AbstractEventLoop, on_change: OnChange) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        for kind in self.kinds:
            group, _, version = kind.api_version.rpartition("/")
            listener = _listener(loop, partial(self._heard, on_change))
            kopf.on.event(group, version, kind.plural, registry=registry, id=kind.plural)(listener)
        return registry

    def _heard(self, on_change: OnChange, entry: Mapping[str, Any], gone: bool) -> None:  # noqa: FBT001
        self.heard[str(entry["kind"])] = asyncio.get_running_loop().time()
        on_change(entry, gone)

    def _login(self, **_: Any) -> kopf.ConnectionInfo:
        """Log in as the official client has."""
        configuration = kubernetes.client.Configuration()
        if self.kubeconfig is None:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
        else:
            kubernetes.config.load_kube_config(str(self.kubeconfig), client_configuration=configuration)
        header = configuration.get_api_key_with_prefix("BearerToken") or ""
        scheme, _blank, token = header.partition(" ")
        return kopf.ConnectionInfo(
            server=configuration.host,
            ca_path=configuration.ssl_ca_cert,
            scheme=scheme or None,
            token=token or None,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
        )


def _listener(loop: asyncio.AbstractEventLoop, heard: Callable[..., None]) -> Any:
    async def listen(event: Mapping[str, Any], **_: Any) -> None:
        entry = event["object"]
        if not loop.is_closed():
            loop.call_soon_threadsafe(heard, entry, event["type"] == "DELETED")

    return listen


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.persistence.finalizer = f"{GROUP}/unused"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.scanning.disabled = True  # else it wants to list every kind there is
    settings.watching.chunk_size = CHUNK
    settings.watching.inactivity_timeout = SILENCE_MAX_S
    settings.networking.request_timeout = REQUEST_MAX_S
    settings.networking.error_backoffs = _Backoffs()
    settings.process.ultimate_exiting_timeout = None
    return settings


class _Backoffs:
    """Pauses between attempts to reach an API server that does not answer: they never end."""

    def __iter__(self) -> Iterator[float]:
        yield from BACKOFF_S
        while True:
            yield BACKOFF_S[-1]


def kubeconfig_from_environment() -> Path | None:
    """Return the kubeconfig that KUBECONFIG names, None in a pod."""
    given = os.environ.get("KUBECONFIG")
    return Path(given) if given else None
