"""`paquebot spam retrain`: a new model, with what people decided among its mail, judged beside the old one."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paquebot.cli.people import AUTHOR_OPTION
from paquebot.cli.place import STATE_OPTION, Place
from paquebot.cli.queue import on_queue
from paquebot.cli.screen import CONSOLE
from paquebot.cli.spam.evaluate import told
from paquebot.cli.spam.models import SHOWN, put
from paquebot.cli.spam.train import DATA_OPTION, SEED_OPTION, STORIES_OPTION
from paquebot.queue.jetstream import JetStream
from paquebot.queue.models import Models
from paquebot.queue.replay import Shared, read_shared
from paquebot.spamfilter.content import SHIPPED, Model, ModelUnusableError

if TYPE_CHECKING:  # scipy comes with them
    from paquebot.spamfilter.training.corpus import Labelled

SOURCE = "people"  # of shared mail, as one collection
SHARED_MIN = 20  # messages, of both labels together


@click.command()
@DATA_OPTION
@STORIES_OPTION
@SEED_OPTION
@AUTHOR_OPTION
@STATE_OPTION
def retrain(folder: Path, stories: int, seed: int, author: str, place: Place) -> None:
    """Train a model with what people decided about mail of domains that share it, and store it if it is no worse.

    The split `val` of the folder judges it beside the one in force. It is not used before `paquebot spam use` says so.
    Takes minutes; needs scipy (`pip install paquebot[training]`).
    """
    shared, old = on_queue(place, _gathered)
    if len(shared) < SHARED_MIN:
        raise click.ClickException(
            f"{len(shared)} messages are shared for training, too few to learn from: at least {SHARED_MIN}; "
            "`content.shareForTraining: true` in a MailDomain shares what people decide from then on"
        )
    try:
        octets, worse = _trained(folder, (seed, stories), shared, old)
    except ImportError as fault:
        raise click.ClickException(f"{fault.name} is missing: pip install 'paquebot[training]'") from fault
    if worse:
        raise click.ClickException(f"the new model is not stored: {'; '.join(worse)}")
    card = on_queue(place, lambda js: put(js, octets, author, f"retrained with {len(shared)} decided messages"))
    CONSOLE.print(
        f"stored: {card.digest[:SHOWN]}; `paquebot spam use {card.digest[:SHOWN]} --shadow --reason WHY` tries it"
    )


def labelled(shared: list[Shared]) -> "list[Labelled]":
    """Return shared mail as training takes it; whose it is stays out."""
    from paquebot.spamfilter.training.corpus import Labelled  # noqa: PLC0415  (only training needs it)

    return [
        Labelled(each.id, each.label == "spam", SOURCE, held_out=False, content=each.raw.encode("latin-1"))
        for each in shared
    ]


async def _gathered(js: JetStream) -> tuple[list[Shared], Model | None]:
    """Return what is shared, and the model in force."""
    choice = await Models(js).chosen()
    octets = await Models(js).get(choice.model) if choice.model else None
    try:
        old = Model.of_octets(octets, choice.model) if octets else Model.load(SHIPPED)
    except ModelUnusableError:
        old = None
    return await read_shared(js), old


def _trained(folder: Path, asked: tuple[int, int], shared: list[Shared], old: Model | None) -> tuple[bytes, list[str]]:
    """Return a new model's octets, and in what it is worse than the old one."""
    from paquebot.spamfilter.training.evaluation import figures  # noqa: PLC0415
    from paquebot.spamfilter.training.maker import Plan, make  # noqa: PLC0415
    from paquebot.spamfilter.training.material import Ask, files_of, material  # noqa: PLC0415
    from paquebot.spamfilter.training.prepared import prepare  # noqa: PLC0415
    from paquebot.spamfilter.training.refusal import TrainingRefused  # noqa: PLC0415
    from paquebot.spamfilter.training.scoring import answers_of  # noqa: PLC0415
    from paquebot.spamfilter.training.store import write  # noqa: PLC0415
    from paquebot.spamfilter.training.succession import faults  # noqa: PLC0415

    try:
        files = files_of(folder)
        made = make(prepare([*material(files, Ask(*asked), told), *labelled(shared)]), Plan(), told)
        with tempfile.TemporaryDirectory() as beside:
            path = Path(beside) / "model.npz"
            write(made.arrays, path)
            octets = path.read_bytes()
        if old is None:
            return octets, []
        new = Model.of_octets(octets, "the new model")
        told("judging both models")
        before, after = (figures(answers_of(each, files, "val"), *each.levels[1:]) for each in (old, new))
    except TrainingRefused as fault:
        raise click.ClickException(str(fault)) from fault
    return octets, faults(before, after)
