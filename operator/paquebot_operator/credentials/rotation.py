"""When a password is replaced, and how long the one before still counts. Pure; times are seconds since the epoch."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from paquebot.policy.faults import Unfit
from paquebot.policy.scalars import duration_s
from paquebot.queue.credentials import HASHES_MAX

OVERLAP_S: Final = 86_400
LOOK_MAX_S: Final = 600.0  # so often we look whether the Secret is still there


@dataclass(frozen=True, slots=True)
class Password:
    """What is kept of a password. `delivered` says that the tenant's Secret was written with it."""

    hash: str
    made_s: int
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A credential's passwords, the newest first, and which Secret holds the newest: its uid, and what it says."""

    passwords: tuple[Password, ...] = ()
    secret_uid: str = ""
    told: str = ""  # host and port as the Secret's `uri` has them

    def encoded(self) -> str:
        """Return the state as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def decode(cls, text: str) -> "State":
        """Read a state; one that cannot be read counts as none: a new password is made then."""
        try:
            entry = json.loads(text)
            passwords = tuple(Password(each["hash"], each["made_s"], each["delivered"]) for each in entry["passwords"])
            return cls(passwords, str(entry["secret_uid"]), str(entry["told"]))
        except (ValueError, KeyError, TypeError):
            return cls()

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hashes that let somebody in."""
        return tuple(each.hash for each in self.passwords)

    def with_new(self, password_hash: str, now_s: int) -> "State":
        """Return the state with a password that is not delivered yet; those never delivered are nobody's."""
        delivered = tuple(each for each in self.passwords if each.delivered)
        return replace(self, passwords=(Password(password_hash, now_s), *delivered)[:HASHES_MAX])

    def with_delivery(self, secret_uid: str, told: str) -> "State":
        """Return the state after the tenant's Secret was written with the newest password."""
        newest = replace(self.passwords[0], delivered=True)
        return State((newest, *self.passwords[1:]), secret_uid, told)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an SMTPCredential says about its password. `interval_s` 0: it is never replaced by itself."""

    secret: str
    interval_s: int = 0
    overlap_s: int = OVERLAP_S

    @classmethod
    def of(cls, name: str, spec: Mapping[str, Any]) -> "Wish":
        """Read a spec that was accepted."""
        rotation = spec.get("rotation") or {}
        interval, overlap = _seconds(rotation.get("interval"), 0), _seconds(rotation.get("overlap"), OVERLAP_S)
        return cls(spec.get("secretName") or f"{name}-smtp", interval, overlap)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: whether a new password is due and why, the state without what is over, when to look again."""

    state: State
    fresh: str  # why a new password is due; empty: none is
    look_s: float


def step(state: State, wish: Wish, secret_uid: str, told: str, now_s: int) -> Step:
    """Decide. `secret_uid` is that of the tenant's Secret as it stands, `told` what it should say of where we are."""
    kept = _current(state, wish, now_s)
    newest = kept.passwords[0] if kept.passwords else None
    if newest is None or not newest.delivered:
        return Step(kept, "it has no password yet", LOOK_MAX_S)
    if secret_uid != kept.secret_uid:
        return Step(kept, "its Secret was deleted or replaced", LOOK_MAX_S)
    if told != kept.told:
        return Step(kept, "the platform's address has changed", LOOK_MAX_S)
    if wish.interval_s and now_s - newest.made_s >= wish.interval_s:
        return Step(kept, "its time has come", LOOK_MAX_S)
    return Step(kept, "", _next_look_s(kept, wish, now_s))


def next_rotation_s(state: State, wish: Wish) -> int | None:
    """Return when the newest password is replaced, None for never."""
    return state.passwords[0].made_s + wish.interval_s if state.passwords and wish.interval_s else None


def _current(state: State, wish: Wish, now_s: int) -> State:
    """Return the state without the passwords whose overlap is over: each counts until a while after its successor."""
    kept = list(state.passwords[:1])
    for newer, older in zip(state.passwords, state.passwords[1:], strict=False):
        if not newer.delivered or now_s - newer.made_s < wish.overlap_s:
            kept.append(older)
        else:
            break
    return replace(state, passwords=tuple(kept))


def _next_look_s(state: State, wish: Wish, now_s: int) -> float:
    moments = [each.made_s + wish.overlap_s for each in state.passwords[:-1]]
    rotation = next_rotation_s(state, wish)
    moments += [rotation] if rotation is not None else []
    return float(min([LOOK_MAX_S, *(max(1, moment - now_s) for moment in moments)]))


def _seconds(value: object, default: int) -> int:
    try:
        return default if value is None else duration_s(value)
    except Unfit:
        return default
