"""The card of a model: what it was made of and how, what it can do and what it cannot. Kept beside it as JSON."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from paquebot.spamfilter.training.evaluation import Figures
from paquebot.spamfilter.training.maker import Made, Plan, is_composed
from paquebot.spamfilter.training.prepared import Prepared

# Sources that are known, their terms, and what a shipped model must say of them. Others are named without.
NOTICES: Mapping[str, str] = {
    "enron-spam": "Enron-Spam 1-5 (Metsis, Androutsopoulos, Paliouras 2006); mail made public in the Enron inquiry",
    "spamassassin": "SpamAssassin public corpus; text belongs to its senders",
    "r-lists": "public archives of the R mailing lists; text belongs to its authors",
    "tx-sendgrid": "templates under the MIT licence",
    "tx-foundation": "templates under the MIT licence",
    "tx-konsav": "templates under the MIT licence",
    "tx-antwort": "templates under the MIT licence",
    "tx-sendwithus": "templates under the MIT or Apache 2.0 licence",
    "tx-mailchimp": "templates under CC BY-SA 3.0; training data only, no text of them is contained",
    "tx-django": "templates and translations under the BSD 3-clause licence",
    "tx-oscar": "templates and translations under the BSD 3-clause licence",
    "tx-twir": "newsletters whose text is under CC BY-SA; training data only, no text of them is contained",
}
CANNOT = (
    "It reads content alone: it knows neither the sender's history nor what hosts are.",
    "Its real unwanted mail is of 1997 to 2005; newer kinds are known from composed mail only.",
    "Mail in other languages than those named is held at most, never rejected, on content alone.",
    "Text that is hidden by style sheets, colours or positions is read as visible; pictures are not read at all.",
    "Words of a single company, community or template may still weigh more than they should.",
)


def card(digest: str, made: Made, prepared: Prepared, plan: Plan, stories: Mapping[str, int]) -> dict[str, object]:
    """Return the card; `stories` are seed and count of composed mail."""
    collections = [
        {
            "source": str(source),
            "wanted": int((~prepared.spam[prepared.sources == source]).sum()),
            "unwanted": int(prepared.spam[prepared.sources == source].sum()),
            "notice": NOTICES.get(str(source), ""),
        }
        for source in np.unique(prepared.sources[~is_composed(prepared.sources)])
    ]
    families = [str(name) for name in np.unique(prepared.sources[is_composed(prepared.sources)])]
    return {
        "digest": digest,
        "collections": collections,
        "composed": {**stories, "messages": int(is_composed(prepared.sources).sum()), "families": families},
        "recipe": asdict(plan),
        "calibration": {"slope": made.calibration.slope, "offset": made.calibration.offset},
        "levels": dict(zip(("tag", "hold", "reject"), made.calibration.levels, strict=True)),
        "languages": made.languages,
        "left_out": without_curve(made.figures),
        "cannot": list(CANNOT),
    }


def without_curve(figures: Figures) -> dict[str, object]:
    """Return figures as a mapping, without the points of their curve."""
    found = asdict(figures)
    found.pop("curve")
    return found
