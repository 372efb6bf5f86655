"""Models in the bucket `models`, in chunks under their digest, and which of them is in force: for all replicas.

A model is written before its card, and what has no card is no model. The digest is checked when one is read.
"""

import asyncio
import hashlib
import json
from dataclasses import asdict, dataclass

from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream

BUCKET = "models"
CHOICE = "choice"
SHIPPED = ""  # in a choice: the model that the image came with
NONE = "none"  # in a choice: nothing in the shadow
CHUNK_BYTES = 512 << 10
MODEL_MAX_BYTES = 32 << 20
MODELS_MAX = 8


class TooManyModelsError(Exception):
    """The store holds as many models as it may."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a stored model. `note` says where it is from, in a line."""

    digest: str
    size_bytes: int
    at_ms: int
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The models in force and in the shadow, by digest; SHIPPED and NONE where nobody chose."""

    model: str = SHIPPED
    shadow: str = NONE
    at_ms: int = 0
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Models:
    """All stored models. Methods raise QueueUnavailableError, QueueFullError or ApiError when that does not serve."""

    js: JetStream

    async def put(self, octets: bytes, card: Card) -> None:
        """Store a model; raise TooManyModelsError. A repeat is harmless."""
        known = await self.cards()
        if len(known) >= MODELS_MAX and all(each.digest != card.digest for each in known):
            raise TooManyModelsError(f"{len(known)} models are stored: drop one with `paquebot spam models --drop`")
        bucket = self._bucket
        for number, start in enumerate(range(0, len(octets), CHUNK_BYTES)):
            await bucket.put(f"{card.digest}.{number}", octets[start : start + CHUNK_BYTES])
        await bucket.put(f"{card.digest}.card", json.dumps(asdict(card)).encode())

    async def get(self, digest: str) -> bytes | None:
        """Return a model's octets; None when it is not there, or not whole."""
        card = await self._card(digest)
        if card is None:
            return None
        chunks = range(-(-card.size_bytes // CHUNK_BYTES))
        parts = await asyncio.gather(*(self._bucket.get(f"{digest}.{number}") for number in chunks))
        octets = b"".join(part or b"" for part in parts)
        return octets if hashlib.sha256(octets).hexdigest() == digest else None

    async def cards(self) -> list[Card]:
        """Return what is stored, the newest first."""
        state = (await self.js.request("STREAM.INFO.KV_models", {"subjects_filter": f"$KV.{BUCKET}.*.card"}))["state"]
        digests = [subject.split(".")[2] for subject in state.get("subjects") or {}]
        found = await asyncio.gather(*map(self._card, digests))
        return sorted((card for card in found if card is not None), key=lambda card: -card.at_ms)

    async def drop(self, digest: str) -> bool:
        """Take a model away; return whether it was there."""
        purged = await self.js.request("STREAM.PURGE.KV_models", {"filter": f"$KV.{BUCKET}.{digest}.*"})
        return bool(purged["purged"])

    async def choose(self, choice: Choice) -> None:
        """Say which models are used from now on."""
        await self._bucket.put(CHOICE, json.dumps(asdict(choice)).encode())

    async def chosen(self) -> Choice:
        """Return which models are to be used."""
        value = await self._bucket.get(CHOICE)
        return Choice(**json.loads(value)) if value else Choice()

    async def _card(self, digest: str) -> Card | None:
        value = await self._bucket.get(f"{digest}.card")
        return Card(**json.loads(value)) if value else None

    @property
    def _bucket(self) -> Bucket:
        return Bucket(self.js, BUCKET)
