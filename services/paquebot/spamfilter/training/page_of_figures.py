"""Figures as one HTML page that needs nothing else: a curve for each set of answers, and tables."""

import html
import math

from paquebot.spamfilter.training.evaluation import Figures, Share

_WIDTH, _HEIGHT, _MARGIN = 640, 400, 48
_LEAST = 1e-4  # share of wanted mail at the left end of a curve
_COLOURS = ("#0b6", "#06c", "#c50", "#808", "#666")
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}svg text{font-size:12px;fill:#444}"
)


def page_of(title: str, sets: dict[str, Figures]) -> str:
    """Return the page; `sets` are figures by the name of what was judged."""
    sections = "".join(_section(name, figures) for name, figures in sets.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>{_chart(sets)}{sections}</html>\n"
    )


def _chart(sets: dict[str, Figures]) -> str:
    """Draw the share of unwanted mail found over the share of wanted mail that is lost for it, from 0.01 % on."""
    lines = []
    for place, (name, figures) in enumerate((name, each) for name, each in sets.items() if each.curve):
        colour = _COLOURS[place % len(_COLOURS)]
        points = " ".join(f"{_x(share):.1f},{_y(recall):.1f}" for share, recall in figures.curve if share >= _LEAST)
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        lines.append(
            f'<text x="{_WIDTH - 250}" y="{_HEIGHT - _MARGIN - 14 - 16 * place}" style="fill:{colour}">'
            f"{html.escape(name)}</text>"
        )
    grid = "".join(
        f'<line x1="{_x(share):.1f}" x2="{_x(share):.1f}" y1="{_y(1)}" y2="{_y(0)}" stroke="#eee"/>'
        f'<text x="{_x(share):.1f}" y="{_HEIGHT - 28}" text-anchor="middle">{share * 100:g} %</text>'
        for share in (1e-4, 1e-3, 1e-2, 1e-1, 1)
    ) + "".join(
        f'<line x1="{_x(_LEAST)}" x2="{_x(1)}" y1="{_y(part):.1f}" y2="{_y(part):.1f}" stroke="#eee"/>'
        f'<text x="{_MARGIN - 8}" y="{_y(part) + 4:.1f}" text-anchor="end">{part * 100:.0f}</text>'
        for part in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" width="{_WIDTH}">{grid}{"".join(lines)}'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">wanted mail above the level</text>'
        f'<text x="12" y="16">unwanted mail found, %</text></svg>'
    )


def _x(share: float) -> float:
    return _MARGIN + (_WIDTH - 2 * _MARGIN) * math.log(max(share, _LEAST) / _LEAST) / math.log(1 / _LEAST)


def _y(recall: float) -> float:
    return _MARGIN / 2 + (_HEIGHT - 1.5 * _MARGIN) * (1 - recall)


def _section(name: str, figures: Figures) -> str:
    ranked = figures.ranking
    head = (
        f"<h2>{html.escape(name)}</h2><p>{ranked.wanted} wanted, {ranked.unwanted} unwanted messages. Area under "
        f"the curve {ranked.area:.4f}; recall at 0.1 % false positives {ranked.recall_01:.3f}, "
        f"at 1 % {ranked.recall_1:.3f}. "
        f"Calibration error {figures.trust.calibration_error:.3f}, Brier score {figures.trust.brier:.3f}. "
        f"Held from {figures.hold:.4f}, rejected from {figures.reject:.4f}.</p>"
    )
    return head + _table("Source", figures.by_source) + _table("Language", figures.by_language)


def _table(kind: str, shares: tuple[Share, ...]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(each.kind)}<td>{'unwanted' if each.spam else 'wanted'}<td class=n>{each.messages}"
        f"<td class=n>{each.held * 100:.2f}<td class=n>{each.rejected * 100:.2f}"
        for each in shares
    )
    return f"<table><tr><th>{kind}<th>Mail<th>Messages<th>Held or worse, %<th>Rejected, %{rows}</table>"
