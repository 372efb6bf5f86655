"""Whether a model may follow another: it must not be worse on mail that neither was trained with. Pure."""

from collections.abc import Iterable

from paquebot.spamfilter.training.evaluation import Figures, Share

AREA_LOSS_MAX = 0.002
RECALL_LOSS_MAX = 0.02  # at 1 % false positives
HELD_MORE_MAX = 0.005  # share of one kind of wanted mail
REJECTED_MORE_MAX = 0.001
KIND_MIN = 20  # messages; of fewer one makes too much of a difference


def faults(before: Figures, after: Figures) -> list[str]:
    """Return in what the successor is worse, a sentence each; none: it may follow."""
    found = []
    if after.ranking.area < before.ranking.area - AREA_LOSS_MAX:
        found.append(f"its area under the curve is {after.ranking.area:.4f}, it was {before.ranking.area:.4f}")
    if after.ranking.recall_1 < before.ranking.recall_1 - RECALL_LOSS_MAX:
        found.append(
            f"at 1 % false positives it finds {after.ranking.recall_1:.3f}, it was {before.ranking.recall_1:.3f}"
        )
    known = {share.kind: share for share in _wanted(before)}
    for share in _wanted(after):
        if share.kind in known:
            found += _spares_less(known[share.kind], share)
    return found


def _wanted(figures: Figures) -> Iterable[Share]:
    return (share for share in figures.by_source if not share.spam and share.messages >= KIND_MIN)


def _spares_less(before: Share, after: Share) -> Iterable[str]:
    for word, was, now, more in (
        ("holds", before.held, after.held, HELD_MORE_MAX),
        ("rejects", before.rejected, after.rejected, REJECTED_MORE_MAX),
    ):
        if now > was + more:
            yield f"it {word} {100 * now:.2f} % of wanted mail of {after.kind}, it was {100 * was:.2f} %"
