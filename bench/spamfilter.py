"""What the spam filter does to labelled mail, and what it costs, stage by stage.

    python bench/spamfilter.py [--model FILE] [--share 0.1] FILE.jsonl.xz ...

Each line of a file is JSON with `raw` (the message, one code point an octet), `label` (ham or spam) and `source`.
Printed: what loading the model costs; CPU time of each stage a message (mean, median, 99th percentile), messages a
second and core of the whole path, resident memory; then for each source the actions of content alone, what finishing
refuses, and what spoke most.
"""

import argparse
import json
import lzma
import random
import re
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from paquebot.mail.envelope import Envelope
from paquebot.mail.finish import Finishing, finish
from paquebot.mail.principal import Principal
from paquebot.mail.refusal import ContentRefused
from paquebot.mail.verdict import Verdict
from paquebot.policy.values import Levels, Thresholds
from paquebot.spamfilter.content import SHIPPED, Model
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.judge import Evidence, weigh
from paquebot.spamfilter.reading import read

_LINE_END = re.compile(rb"\r\n?|\n")
_ENVELOPE = Envelope("", ("b@two.example",))
_PRINCIPAL = Principal("bench", "bench", any_sender=True)
_FINISHING = Finishing(0, "id", "one.example", "a@one.example")
_STAGES = ("facts", "reading", "model and rules", "verdict")


class Tally:
    """What happened to the messages of one source."""

    def __init__(self) -> None:
        self.actions: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()

    def show(self, name: str) -> None:
        """Print the tally."""
        count = sum(self.actions.values())
        print(f"{name}: {count} messages, {dict(self.actions)}")
        print(f"  refused by finish: {dict(self.refusals.most_common(3))}")
        print("  spoke: " + ", ".join(f"{rule} {hits / count:.1%}" for rule, hits in self.rules.most_common(8)))


def main() -> None:
    """Read the files, judge, and print."""
    asked = _asked()
    began = time.process_time()
    model = Model.load(asked.model)
    print(f"model {model.digest[:12]} loaded in {(time.process_time() - began) * 1e3:.0f} ms of CPU")
    tallies: dict[str, Tally] = defaultdict(Tally)
    spent: list[list[int]] = []
    for source, content in _messages(asked.files, asked.share):
        tally = tallies[source]
        finished = _finished(content, tally)
        verdict, times = _judged(model, finished)
        spent.append(times)
        tally.actions[verdict.action.value] += 1
        tally.rules.update(reason.rule for reason in verdict.reasons)
    _show(np.array(spent[20:]) / 1e3)
    for name in sorted(tallies):
        tallies[name].show(name)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--share", type=float, default=1.0, help="of the messages, by chance with a fixed seed")
    return parser.parse_args()


def _messages(paths: list[Path], share: float) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(1)  # noqa: S311
    for path in paths:
        with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                if rng.random() < share:
                    record = json.loads(line)
                    content = _LINE_END.sub(b"\r\n", record["raw"].encode("latin-1"))
                    yield f"{record['label']} {record['source']}", content


def _finished(content: bytes, tally: Tally) -> bytes:
    """Return what is judged: what finishing refuses is judged as it came."""
    try:
        return finish(content, _FINISHING).content
    except ContentRefused as refused:
        tally.refusals[refused.reply.text[:60]] += 1
        return content


def _judged(model: Model, content: bytes) -> tuple[Verdict, list[int]]:
    """Judge by content alone, as the service does; return the verdict and the CPU time of each stage in ns."""
    marks = [time.thread_time_ns()]
    facts = gather(content, _ENVELOPE, _PRINCIPAL)
    marks.append(time.thread_time_ns())
    reading = read(facts)
    marks.append(time.thread_time_ns())
    opinion = model.opinion_of(facts, reading)
    marks.append(time.thread_time_ns())
    evidence = Evidence(logit=opinion.logit, content=opinion.reasons, well_known=opinion.well_known)
    verdict = weigh(evidence, Thresholds(), Levels(*model.levels))
    marks.append(time.thread_time_ns())
    return verdict, [after - before for before, after in pairwise(marks)]


def _show(spent: np.ndarray) -> None:
    """Print the costs in µs."""
    whole = spent.sum(axis=1)
    print(f"{'CPU, µs a message':<18}{'mean':>8}{'p50':>8}{'p99':>8}{'max':>8}")
    for name, column in (*zip(_STAGES, spent.T, strict=True), ("whole", whole)):
        p50, p99 = np.percentile(column, [50, 99])
        print(f"{name:<18}{column.mean():>8.0f}{p50:>8.0f}{p99:>8.0f}{column.max():>8.0f}")
    resident_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{1e6 / whole.mean():.0f} messages/s and core; at most {resident_mb:.0f} MB resident")


if __name__ == "__main__":
    main()
