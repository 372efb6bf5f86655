"""Newsletters that are held and released a few times are let through from then on, for their tenant alone."""

import asyncio
import hashlib
import json
import math
import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from model_fixtures import write_small_model
from paquebot.cli.main import main
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.training.store import write
from platform_support import RELAY, Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")
BODY = "Our boots, coats and hats of this season are in the shop.\r\nCome and see them, or write to us.\r\n"
EXTRA = """
---
{{apiVersion: paquebot.dev/v1alpha1, kind: MailDomain, metadata: {{name: letters, namespace: news}},
 spec: {{domain: letters.news.test, content: {{tag: Never, hold: {hold}%, reject: Never}}}}}}
---
{{apiVersion: paquebot.dev/v1alpha1, kind: SMTPCredential, metadata: {{name: letters, namespace: news}},
 spec: {{domainRefs: [{{name: letters}}]}}}}
"""
LETTERS = "news.letters"
AUTHOR = "weekly@letters.news.test"


def issue(number: int) -> bytes:
    return content(f"issue-{number}", f"Weekly <{AUTHOR}>", f"{BODY}This is issue {number}.\r\n")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    root: Path = tmp_path_factory.mktemp("platform")
    write_small_model(root / "model.npz")
    facts = gather(issue(1), Envelope(AUTHOR, ("bob@accept.test",)), Principal("news", "weekly", senders=(AUTHOR,)))
    likely = Model.load(root / "model.npz").opinion(facts).logit
    hold = 100 / (1 + math.exp(0.5 - likely))  # half a log-odd below: one lesson or two are enough
    os.environ["PAQUEBOT_MODEL"] = str(root / "model.npz")
    stage = Stage(root / "state", extra=EXTRA.format(hold=f"{hold:.3f}"))
    try:
        await stage.start()
        yield stage
        await stage.stop()
    finally:
        del os.environ["PAQUEBOT_MODEL"]


async def spam(stage: Stage, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["spam", *arguments, "--state", str(stage.root)])


async def sends(stage: Stage, number: int, username: str = LETTERS) -> str:
    reply = await stage.submit(issue(number), "bob@accept.test", username=username, sender=AUTHOR)
    assert reply.startswith("250")
    return reply.rpartition(" ")[2]


async def explained(stage: Stage, ident: str) -> dict:
    for _ in range(100):  # until the events have it
        result = await spam(stage, "explain", ident, "--output", "json")
        if result.exit_code == 0:
            return json.loads(result.output)
        await asyncio.sleep(0.1)
    pytest.fail(result.output)


async def test_releases_teach_the_tenant_and_nobody_else(stage: Stage) -> None:
    first = await explained(stage, await sends(stage, 1))
    assert first["verdict"]["action"] == "hold"
    assert first["verdict"]["terms"]["learned"] == 0.0
    number = 1
    for number in range(2, 40):  # what is learned reaches the filter in a second or two
        await spam(stage, "release", "--tenant", "news", "--author", "ann")
        latest = await explained(stage, await sends(stage, number))
        if latest["verdict"]["action"] == "accept" and latest["verdict"]["terms"]["learned"] < -0.3:
            break
        await asyncio.sleep(0.5)
    assert latest["verdict"]["action"] == "accept"
    assert latest["verdict"]["terms"]["learned"] < -0.3
    other = await explained(stage, await sends(stage, number + 1, RELAY))
    assert other["verdict"]["terms"]["learned"] == 0.0


async def test_what_a_tenant_taught_is_forgotten_when_that_is_wanted(stage: Stage) -> None:
    forgotten = json.loads((await spam(stage, "forget", "news", "--output", "json")).output)
    assert forgotten["delta"]
    assert forgotten["judged"] > 0
    for number in range(50, 80):
        latest = await explained(stage, await sends(stage, number))
        if latest["verdict"]["terms"]["learned"] == 0.0:
            break
        await asyncio.sleep(0.5)
    assert latest["verdict"]["terms"]["learned"] == 0.0
    assert (await spam(stage, "forget", "nobody")).exit_code == 1


async def test_a_stored_model_is_used_within_seconds_and_the_one_before_can_be_had_again(stage: Stage) -> None:
    shipped, other = stage.root.parent / "model.npz", stage.root.parent / "other.npz"
    with np.load(shipped) as arrays:
        digest = write(dict(arrays) | {"calibration": np.array([1.0, -9.0])}, other)
    assert (await spam(stage, "store", str(other), "--author", "ann", "--note", "milder")).exit_code == 0
    why = ("--reason", "to try it", "--author", "ann")
    assert (await spam(stage, "use", digest[:12], *why)).output.startswith(f"used: {digest[:12]}")
    listed = json.loads((await spam(stage, "models", "--output", "json")).output)
    assert [(each["digest"], each["state"], each["note"]) for each in listed["models"]] == [
        (digest, "in force", "milder")
    ]
    assert "use another first" in (await spam(stage, "models", "--drop", digest)).output
    for wanted in (digest, hash_of(shipped)):
        for number in range(100, 130):
            latest = await explained(stage, await sends(stage, number))
            if latest["verdict"]["model"] == wanted:
                break
            await asyncio.sleep(0.5)
        assert latest["verdict"]["model"] == wanted
        assert (await spam(stage, "use", "shipped", *why)).exit_code == 0
    assert (await spam(stage, "models", "--drop", digest)).exit_code == 0
    assert "no model" in (await spam(stage, "use", digest, *why)).output


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
