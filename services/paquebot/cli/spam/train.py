"""`paquebot spam train`: the weights of the filter, made anew from labelled mail and stories."""

import json
from pathlib import Path

import click

from paquebot.cli.spam.evaluate import told
from paquebot.spamfilter.content import SHIPPED

STORIES = 5_000  # composed messages of each label, where nothing else is asked for


DATA_OPTION = click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder with labelled mail: JSON lines with id, label, source, raw.",
)
STORIES_OPTION = click.option(
    "--stories", default=STORIES, show_default=True, help="Composed messages of each label; 0: none."
)
SEED_OPTION = click.option("--seed", default=1, show_default=True, help="Of the composed messages.")


@click.command()
@DATA_OPTION
@STORIES_OPTION
@SEED_OPTION
@click.option("--out", type=click.Path(path_type=Path), default=SHIPPED, help="Where the model goes, its card beside.")
def train(folder: Path, stories: int, seed: int, out: Path) -> None:
    """Make a model of all labelled mail in a folder, and of mail composed from stories.

    Each source is first judged by a model that does not know it: from that come probabilities and levels. The same
    mail and seed make the same octets on one platform. Takes minutes; needs scipy (`pip install paquebot[training]`).
    """
    try:
        from paquebot.spamfilter.training.card import card  # noqa: PLC0415  (only training needs scipy)
        from paquebot.spamfilter.training.maker import Plan, make  # noqa: PLC0415
        from paquebot.spamfilter.training.material import Ask, files_of, material  # noqa: PLC0415
        from paquebot.spamfilter.training.prepared import prepare  # noqa: PLC0415
        from paquebot.spamfilter.training.refusal import TrainingRefused  # noqa: PLC0415
        from paquebot.spamfilter.training.store import write  # noqa: PLC0415
    except ImportError as fault:
        raise click.ClickException(f"{fault.name} is missing: pip install 'paquebot[training]'") from fault
    try:
        prepared = prepare(material(files_of(folder), Ask(seed, stories), told))
        made = make(prepared, Plan(), told)
    except TrainingRefused as fault:
        raise click.ClickException(str(fault)) from fault
    digest = write(made.arrays, out)
    page = card(digest, made, prepared, Plan(), {"seed": seed, "of_each_label": stories})
    out.with_name("card.json").write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"{digest}  {out}")
