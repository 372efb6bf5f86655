"""Who stands on a list gets no mail: refused at RCPT, failed while it waits; who does not exist is put on it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from paquebot.cli.suppression import suppression
from paquebot.mail.record import Kind
from platform_support import NEWS, Stage, content

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = """---
{apiVersion: paquebot.dev/v1alpha1, kind: SuppressionList, metadata: {name: bounces, namespace: shop},
 spec: {sources: {hardBounces: true}}}
"""
REFUSED = "550 5.7.1 The recipient is on SuppressionList shop/bounces since 20"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"), LIST)
    await stage.start()
    yield stage
    await stage.stop()


async def paquebot(stage: Stage, *words: str) -> str:
    def invoke() -> str:
        run = CliRunner().invoke(suppression, [*words, "--state", str(stage.root)], catch_exceptions=False)
        assert run.exit_code == 0, run.output
        return run.stdout

    return await asyncio.to_thread(invoke)


async def refusal(stage: Stage, recipient: str) -> str:
    """Send until the list is known; return the reply that refuses."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        reply = await stage.submit(content(f"to-{time.monotonic_ns()}"), recipient)
        if not reply.startswith("250"):
            return reply
    pytest.fail("it is never refused")


async def test_who_is_added_is_refused_at_rcpt_for_that_tenant_until_it_is_lifted(stage: Stage) -> None:
    assert await paquebot(stage, "add", "shop/bounces", "Eve@plain.test") == "Eve@plain.test is on shop/bounces\n"
    assert (await refusal(stage, "eve@plain.test")).startswith(REFUSED)
    other = content("of-another-tenant", sender="a@news.test")
    assert (await stage.submit(other, "eve@plain.test", username=NEWS, sender="a@news.test")).startswith("250")
    assert "person" in await paquebot(stage, "check", "eve@PLAIN.test")
    await paquebot(stage, "remove", "shop/bounces", "eve@plain.test")
    assert await paquebot(stage, "check", "eve@plain.test") == "eve@plain.test is on no list\n"


async def test_a_hard_bounce_puts_who_does_not_exist_on_the_list(stage: Stage) -> None:
    await stage.submit(content("hard-bounce"), "unknown.9@refuse.test")
    assert (await refusal(stage, "unknown.9@refuse.test")).startswith(REFUSED)
    entry = json.loads(await paquebot(stage, "check", "unknown.9@refuse.test", "--output", "json"))["shop/bounces"]
    assert entry["source"] == "hard-bounce"
    assert entry["reason"].startswith("550 5.1.1")


async def test_what_waits_for_somebody_on_the_list_fails_untried_and_the_others_are_tried(stage: Stage) -> None:
    reply = await stage.submit(content("waits"), "one@full.test", "two@full.test")
    ident = reply.rpartition(" ")[2]
    await paquebot(stage, "add", "shop/bounces", "one@full.test")
    deadline = time.monotonic() + 60
    failed: list[str] = []
    while time.monotonic() < deadline and not failed:
        failed = [each.recipients[0] for each in await stage.records(ident) if each.kind is Kind.FAILED]
    assert failed == ["one@full.test"]
    assert [each.recipient for each in await stage.waiting() if each.id == ident] == ["two@full.test"]


async def test_lists_are_imported_counted_and_exported_without_an_address(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "addresses.csv"
    file.write_text("# from elsewhere\n" + "".join(f"user{n}@x.example,bounced\n" for n in range(500)))
    assert await paquebot(stage, "import", str(file), "--list", "shop/bounces") == "500 entries are imported\n"
    count = json.loads(await paquebot(stage, "list", "--output", "json"))["shop/bounces"]
    assert count >= 500
    exported = await paquebot(stage, "export", "shop/bounces")
    assert len(exported.splitlines()) == count
    assert "x.example" not in exported
    (tmp_path / "again.jsonl").write_text(exported)
    assert await paquebot(stage, "import", str(tmp_path / "again.jsonl")) == f"{count} entries are imported\n"
    assert "imported" in await paquebot(stage, "check", "user7@x.example")
