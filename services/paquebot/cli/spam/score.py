"""`paquebot spam score`: many messages through the filter's eyes, content alone, in batches."""

import base64
import binascii
import json
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.verdict import Action, Reason
from paquebot.policy.values import Levels, Thresholds
from paquebot.spamfilter.content import SHIPPED, Model, ModelUnusableError
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.judge import Evidence, weigh

LINE_MAX_BYTES = 100_000_000
_BATCH = 64  # lines a worker takes at once
_JOBS_MAX = 64
_LINE_END = re.compile(rb"\r\n?|\n")
_ENVELOPE = Envelope("", ("somebody@recipient.example",))
_PRINCIPAL = Principal("score", "score", any_sender=True)


@click.command()
@click.argument("messages", type=click.File("rb"), default="-")
@click.option("--model", "path", type=click.Path(path_type=Path), default=SHIPPED, help="Another model's file.")
@click.option("--jobs", type=click.IntRange(1, _JOBS_MAX), default=1, show_default=True, help="Processes at work.")
def score(messages: BinaryIO, path: Path, jobs: int) -> None:
    """Score MESSAGES (standard input when not given): JSON lines with `id` and `raw_b64`, a message each.

    Prints a JSON line each, in the same order: `id`, `score` (0 to 1), `verdict` (accept, hold or reject) and
    `reasons`. Content alone counts: no history, no network. A line that cannot be read is told with its number on
    standard error, and the others go on; exit 1 when there was one.
    """
    try:
        _model(path)
    except ModelUnusableError as fault:
        raise click.ClickException(str(fault)) from fault
    broken = 0
    for answer, wrong in _answers(_batches(enumerate(messages, 1)), path, jobs):
        if wrong:
            broken += 1
            click.echo(wrong, err=True)
        else:
            click.echo(answer)
    if broken:
        click.echo(f"{broken} line{'s' if broken > 1 else ''} could not be scored", err=True)
        sys.exit(1)


Numbered = tuple[int, bytes]
Answer = tuple[str, str]  # a line to print, or what is wrong with the one that was read


def _answers(batches: Iterator[list[Numbered]], path: Path, jobs: int) -> Iterator[Answer]:
    if jobs == 1:
        for batch in batches:
            yield from score_batch(path, batch)
        return
    with ProcessPoolExecutor(jobs) as pool:
        # Only as many batches are read ahead as keep the processes busy: input may be endless.
        while ahead := list(islice(batches, 4 * jobs)):
            for answers in pool.map(score_batch, [path] * len(ahead), ahead):
                yield from answers


def score_batch(path: Path, batch: list[Numbered]) -> list[Answer]:
    """Return an answer for each line."""
    return [_answer(_model(path), number, line) for number, line in batch if line.strip()]


def _answer(model: Model, number: int, line: bytes) -> Answer:
    try:
        record = json.loads(line)
        ident, content = record["id"], base64.b64decode(record["raw_b64"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as fault:
        return "", f'line {number}: {_said(fault)}; give {{"id": ..., "raw_b64": "<a message in base64>"}}'
    facts = gather(_LINE_END.sub(b"\r\n", content), _ENVELOPE, _PRINCIPAL)
    opinion = model.opinion(facts)
    evidence = Evidence(logit=opinion.logit, content=opinion.reasons, well_known=opinion.well_known, model=model.digest)
    verdict = weigh(evidence, Thresholds(), Levels(*model.levels))
    action = Action.ACCEPT if verdict.action is Action.TAG else verdict.action
    return json.dumps(
        {
            "id": ident,
            "score": verdict.probability,
            "verdict": action.value,
            "reasons": [_shown(reason) for reason in verdict.reasons],
        },
        ensure_ascii=False,
    ), ""


def _shown(reason: Reason) -> dict[str, object]:
    return {"rule": reason.rule, "weight": round(reason.weight, 2), "text": reason.text}


def _said(fault: Exception) -> str:
    if isinstance(fault, KeyError):
        return f"the field {fault} is missing"
    return f"not a line of JSON with id and raw_b64 ({fault})"


def _batches(lines: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    waiting = iter(lines)
    while batch := list(islice(waiting, _BATCH)):
        yield batch


@lru_cache(maxsize=1)
def _model(path: Path) -> Model:
    return Model.load(path)
