"""`paquebot spam eval`: how good the filter is on labelled mail, as a table, JSON or a page with curves."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paquebot.cli.place import OUTPUT_OPTION
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.spamfilter.content import SHIPPED, Model, ModelUnusableError

if TYPE_CHECKING:  # scipy comes with them
    from paquebot.spamfilter.training.evaluation import Figures, Share

FILES = click.argument("files", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
PAGE = click.option("--html", "page", type=click.Path(path_type=Path), help="Write a page with curves here.")


@click.command("eval")
@FILES
@click.option("--model", "path", type=click.Path(path_type=Path), default=SHIPPED, help="Another model's file.")
@click.option("--split", type=click.Choice(["all", "val"]), default="all", help="val: what is kept from training.")
@PAGE
@OUTPUT_OPTION
def evaluate(files: tuple[Path, ...], path: Path, split: str, page: Path | None, output: str) -> None:
    """Judge labelled mail of FILES by a model, and say how good that is.

    Area under the curve, recall at 0.1 % and 1 % false positives, calibration, and of each source and language how
    much is held and rejected at the model's own levels. Content alone counts.
    """
    from paquebot.spamfilter.training.evaluation import figures  # noqa: PLC0415  (only training needs it)
    from paquebot.spamfilter.training.refusal import TrainingRefused  # noqa: PLC0415
    from paquebot.spamfilter.training.scoring import answers_of  # noqa: PLC0415

    try:
        model = Model.load(path)
        answers = answers_of(model, list(files), split)
    except (ModelUnusableError, TrainingRefused) as fault:
        raise click.ClickException(str(fault)) from fault
    _, hold, reject = model.levels
    show({f"model {model.digest[:12]}": figures(answers, hold, reject)}, page, output)


@click.command("left-out")
@FILES
@click.option("--stories", default=0, show_default=True, help="Composed messages of each label beside the files.")
@click.option("--seed", default=1, show_default=True, help="Of the composed messages.")
@click.option("--without", multiple=True, metavar="FAMILY", help="Leave a family of stories out; may be repeated.")
@PAGE
@OUTPUT_OPTION
def left_out(  # noqa: PLR0913, PLR0917  (the options of the command)
    files: tuple[Path, ...], stories: int, seed: int, without: tuple[str, ...], page: Path | None, output: str
) -> None:
    """Judge each source of FILES by a model that was trained without it: how mail of strangers will fare.

    With and without stories, or a family of them, this tells what they are worth. Takes minutes; needs scipy.
    """
    try:
        from paquebot.spamfilter.training.maker import judged_apart  # noqa: PLC0415  (only training needs it)
        from paquebot.spamfilter.training.material import Ask, material  # noqa: PLC0415
        from paquebot.spamfilter.training.prepared import prepare  # noqa: PLC0415
        from paquebot.spamfilter.training.refusal import TrainingRefused  # noqa: PLC0415
    except ImportError as fault:
        raise click.ClickException(f"{fault.name} is missing: pip install 'paquebot[training]'") from fault
    try:
        mail = prepare(material(list(files), Ask(seed, stories, frozenset(without)), told))
    except TrainingRefused as fault:
        raise click.ClickException(str(fault)) from fault
    show(judged_apart(mail, told), page, output)


def told(what: str) -> None:
    """Say on standard error how far the work is."""
    click.echo(what, err=True)


def show(sets: "dict[str, Figures]", page: Path | None, output: str) -> None:
    """Show figures by the name of what was judged."""
    if page is not None:
        from paquebot.spamfilter.training.page_of_figures import page_of  # noqa: PLC0415

        page.write_text(page_of("How good the spam filter is", sets), encoding="utf-8")
    if output == "json":
        click.echo(json.dumps({name: asdict(figures) for name, figures in sets.items()}))
        return
    for name, figures in sets.items():
        ranked = figures.ranking
        CONSOLE.print(
            f"{name}: {ranked.wanted} wanted, {ranked.unwanted} unwanted; area {ranked.area:.4f}, "
            f"recall {ranked.recall_01:.3f} at 0.1 %, {ranked.recall_1:.3f} at 1 % false positives; "
            f"calibration error {figures.trust.calibration_error:.3f}, Brier {figures.trust.brier:.3f}; "
            f"held from {figures.hold:.4f}, rejected from {figures.reject:.4f}"
        )
        show_table(
            ("SOURCE OR LANGUAGE", "MAIL", "MESSAGES", "HELD %", "REJECTED %"),
            [_row(share) for share in (*figures.by_source, *figures.by_language)],
        )


def _row(share: "Share") -> tuple[str, ...]:
    kind = "unwanted" if share.spam else "wanted"
    return (share.kind, kind, str(share.messages), f"{share.held * 100:.2f}", f"{share.rejected * 100:.2f}")
