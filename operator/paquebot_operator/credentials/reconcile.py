"""Looking after SMTPCredentials: their passwords, their hashes in the queue's store, and their status."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from paquebot.auth.password import hash_password, new_password
from paquebot.queue.credentials import put_hashes, remove_user
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN, Condition, Report
from paquebot_operator.credentials.rotation import State, Wish, next_rotation_s, step
from paquebot_operator.credentials.secret import (
    OF_NAME,
    OF_NAMESPACE,
    STATE,
    TRUTH_COMPONENT,
    Place,
    binding,
    login,
    truth,
    truth_name,
    username,
)
from paquebot_operator.kube.client import Kube
from paquebot_operator.kube.errors import InvalidError, KubeError
from paquebot_operator.kube.store import key_of
from paquebot_operator.names import COMPONENT, CREDENTIAL_MANAGER, SECRET, Key
from paquebot_operator.queue_link import QueueLink
from paquebot_operator.secretfiles import files_of
from paquebot_operator.status import StatusWriter
from paquebot_operator.times import written

BINDING_MANAGER: Final = f"{CREDENTIAL_MANAGER}-binding"
SWEEP: Final = Key("CredentialSweep", "", "all")
SWEEP_S: Final = 600.0
FORBIDDEN: Final = 403
FIELDS: Final = ("username", "binding", "lastRotated", "nextRotation")
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Makes and replaces passwords. `place` tells where the platform is, with the CA as it is now."""

    kube: Kube
    queue: QueueLink
    writer: StatusWriter
    policy: Callable[[Mapping[str, Any]], Report | None]
    place: Callable[[], Place]
    platform_namespace: str
    suspended: Callable[[Mapping[str, Any]], Report] = lambda _entry: Report()
    now_s: Callable[[], float] = time.time

    async def reconcile(self, key: Key) -> float | None:
        """See that the tenant's Secret, the hashes and the status are as they should be."""
        entry = self.writer.store.get(key)
        if entry is None or entry["metadata"].get("deletionTimestamp"):
            await self._forget(key)
            return None
        judged = self.policy(entry)
        if judged is None:
            return None  # it is looked at again once it was judged
        if any(each.type == "Accepted" and each.status != TRUE for each in judged.conditions):
            await self.writer.write(key, [judged, _as_before(entry)])
            return None
        try:
            state, look_s = await self._provide(entry)
            report = self._report(entry, state)
        except KubeError as error:
            if error.code != FORBIDDEN and not isinstance(error, InvalidError):
                raise
            report, look_s = _refused(entry, error), 60.0
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            text = f"the queue's store cannot be reached: {error}"
            report, look_s = Report((Condition("SecretReady", UNKNOWN, "ConfigStoreUnavailable", text),)), 3.0
        await self.writer.write(key, [judged, report, self.suspended(entry)])
        return look_s

    async def sweep(self, _key: Key) -> float:
        """Forget credentials whose objects are gone: a deletion may have come while nobody looked."""
        async for entry in self.kube.each(SECRET, self.platform_namespace, f"{COMPONENT}={TRUTH_COMPONENT}"):
            annotations = entry["metadata"].get("annotations") or {}
            key = Key("SMTPCredential", annotations.get(OF_NAMESPACE, ""), annotations.get(OF_NAME, ""))
            if key.name and self.writer.store.get(key) is None:
                await self._forget(key)
        return SWEEP_S

    async def _provide(self, entry: Mapping[str, Any]) -> tuple[State, float]:
        """Do what is due; return the state and when to look again. The order keeps every written password usable."""
        wish, place = Wish.of(entry["metadata"]["name"], entry["spec"]), self.place()
        secret = await self.kube.touch(SECRET, binding(entry, wish.secret, place), BINDING_MANAGER)
        now_s = int(self.now_s())
        before = await self._state(entry)
        due = step(before, wish, secret["metadata"]["uid"], place.told, now_s)
        state = due.state
        if due.fresh:
            password = new_password()
            made = await asyncio.to_thread(hash_password, password.encode())
            state = state.with_new(made, now_s)
            await self._keep(entry, state)
            await self._tell(entry, state)
            await self.kube.touch(SECRET, login(entry, wish.secret, password, place), CREDENTIAL_MANAGER)
            state = state.with_delivery(secret["metadata"]["uid"], place.told)
            LOG.info("a password was made", credential=str(key_of(entry)), why=due.fresh)
        if state != before:
            await self._keep(entry, state)
        await self._tell(entry, state)
        return state, step(state, wish, state.secret_uid, place.told, now_s).look_s

    async def _state(self, entry: Mapping[str, Any]) -> State:
        metadata = entry["metadata"]
        name = truth_name(metadata["namespace"], metadata["name"])
        kept = await self.kube.get(SECRET, self.platform_namespace, name)
        return State.decode(files_of(kept).get(STATE, b"").decode("utf-8", "replace"))

    async def _keep(self, entry: Mapping[str, Any], state: State) -> None:
        await self.kube.apply(SECRET, truth(entry, state, self.platform_namespace), CREDENTIAL_MANAGER)

    async def _tell(self, entry: Mapping[str, Any], state: State) -> None:
        """Give the hashes to the queue's store, where auth reads them."""
        await put_hashes(await self.queue.connected(), username(entry), state.hashes)

    async def _forget(self, key: Key) -> None:
        await remove_user(await self.queue.connected(), f"{key.namespace}.{key.name}")
        await self.kube.delete(SECRET, self.platform_namespace, truth_name(key.namespace, key.name))
        LOG.info("a credential is gone", credential=str(key))

    def _report(self, entry: Mapping[str, Any], state: State) -> Report:
        wish = Wish.of(entry["metadata"]["name"], entry["spec"])
        fields: dict[str, Any] = {
            "username": username(entry),
            "binding": {"name": wish.secret},
            "lastRotated": written(state.passwords[0].made_s),
        }
        following = next_rotation_s(state, wish)
        if following is not None:
            fields["nextRotation"] = written(following)
        return Report((Condition("SecretReady", TRUE, "Written"),), fields)


def _as_before(entry: Mapping[str, Any]) -> Report:
    """Return what the status says of the Secret already: a wrong change takes nothing from it."""
    status = entry.get("status") or {}
    return Report(fields={name: status[name] for name in FIELDS if name in status})


def _refused(entry: Mapping[str, Any], error: KubeError) -> Report:
    wish = Wish.of(entry["metadata"]["name"], entry["spec"])
    text = (
        f"Secret {wish.secret} cannot be written; delete it if it is not needed, or declare a credential with another "
    )
    text += f"spec.secretName: {error}"
    return Report((Condition("SecretReady", FALSE, "SecretNotOurs", text),), {"username": username(entry)})
