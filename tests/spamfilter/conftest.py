"""Composing messages for rules: a sound message, changed in one place; and a small model to judge by."""

from collections.abc import Callable
from pathlib import Path

import pytest

from model_fixtures import write_small_model
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.facts import Facts, gather

Compose = Callable[..., Facts]

SOUND = {
    "Date": "Mon, 24 Nov 2025 12:00:00 +0000",
    "From": "Ann <ann@one.example>",
    "To": "bob@two.example",
    "Subject": "The plan",
    "Message-ID": "<1@one.example>",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
}


def content(body: str, **changed: str | None) -> bytes:
    """Return a sound message with fields changed (`Reply_To="..."`) or, by None, left out."""
    fields: dict[str, str | None] = {**SOUND, **{name.replace("_", "-"): value for name, value in changed.items()}}
    section = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{section}\r\n{body}\r\n".encode()


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a small model; training it takes a second or two, so it is done once."""
    path = tmp_path_factory.mktemp("model") / "model.npz"
    write_small_model(path)
    return path


@pytest.fixture(scope="session")
def model(path: Path) -> Model:
    """Return the small model."""
    return Model.load(path)


@pytest.fixture
def facts_of() -> Compose:
    """Return a function that gathers facts of `content(...)`, sent by a principal of one.example."""

    def compose(body: str = "Hello", reverse_path: str = "ann@one.example", **changed: str | None) -> Facts:
        principal = Principal("shop", "shop.app", senders=("*@one.example", "ann@steamship.example"))
        return gather(content(body, **changed), Envelope(reverse_path, ("bob@two.example",)), principal)

    return compose


@pytest.fixture
def html_of(facts_of: Compose) -> Compose:
    """Return a function that gathers facts of an HTML message with that body."""

    def compose(body: str, **changed: str | None) -> Facts:
        return facts_of(body, **{"Content_Type": "text/html; charset=utf-8", **changed})

    return compose
