"""Which language a text is in, as far as training needs to know: by script, and by small words where that is Latin."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORDS_MAX = 150
_HITS_MIN = 2
_POINTS_MAX = 2_000
_LETTERS_MIN = 20

SHORT: Final = "short"  # too little to tell
OTHER: Final = "other"

_SMALL_WORDS = {
    "en": "the and to of you your is for this we are with our have on be it that please will not from as by or can",
    "de": "der die und sie ist ihre ihr nicht wir das mit für den bitte eine auf von zu ein im werden haben oder dem",
    "fr": "le la les vous votre et nous des est pour une dans sur que pas avec du vos merci cette ce au qui bonjour",
    "es": "el los las su que y para una por con usted del se más le es no como nos gracias hola está sus este",
    "pt": "você o os as seu sua que e para uma um com não do da em por se mais ao obrigado olá dos nos está são",
    "nl": "de het een en u uw van is voor niet dat op met we wij zijn om deze bij naar wordt kunt dit ook je hebt",
    "it": "il lo gli che di per una non con la è del della sono suo le si dei nel grazie ciao questo tuo ti alla",
    "pl": "i w z na do nie się że jest to prosimy oraz lub dla aby od po twoje twój pan państwa jak przez tym",
    "sv": "och att det är för du din ditt på med av som inte vi en ett har kan till om den från eller",
    "da": "og at det er for du din dit på med af som ikke vi en et har kan til om den fra eller dig",
    "tr": "ve bir bu için ile da de daha olarak çok sizin size lütfen olan ya gibi kadar hesabınız sayın",  # noqa: RUF001
    "cs": "a se na je že do to v pro od s jsme vás prosím nebo jako jsou byl by váš vaše když při",
    "id": "dan yang anda untuk di dengan ini dari kami tidak akan pada ke itu atau dapat kepada",
}
_SETS = {name: frozenset(words.split()) for name, words in _SMALL_WORDS.items()}

# Where scripts begin; what lies between the named ones is Latin, signs, or rare.
_BOUNDS = np.array(
    (0x41, 0x250, 0x370, 0x400, 0x530, 0x590, 0x600, 0x780, 0x900, 0xE00, 0xE80, 0x1100, 0x1200, 0x1E00, 0x1F00,
     0x2000, 0x3040, 0x3100, 0x3400, 0xA000, 0xAC00, 0xD7B0, 0xF900, 0xFB00), np.uint32
)  # fmt: skip
_LATIN, _KANA, _HAN = (1, 14), (17,), (19, 23)
_SCRIPTS = {
    "greek": (3, 15), "cyrillic": (4,), "hebrew": (6,), "arabic": (7,), "indic": (9,), "thai": (10,), "ko": (12, 21),
}  # fmt: skip


def language(text: str, points: NDArray[np.uint32]) -> str:
    """Return a language as ISO 639-1, a script by its name, SHORT or OTHER."""
    counts = np.bincount(np.searchsorted(_BOUNDS, points[:_POINTS_MAX], side="right"), minlength=_BOUNDS.size + 1)
    latin = _sum(counts, _LATIN)
    best, most = "latin", latin
    kana, han = _sum(counts, _KANA), _sum(counts, _HAN)
    for name, places in _SCRIPTS.items():
        if (found := _sum(counts, places)) > most:
            best, most = name, found
    if 3 * (kana + han) > most:  # an ideograph says as much as three letters
        best, most = ("ja" if kana > 0.1 * han else "zh"), 3 * (kana + han)
    if most < _LETTERS_MIN:
        return SHORT
    return best if best != "latin" else _latin_language(text)


def _latin_language(text: str) -> str:
    words = set(text[: 12 * _WORDS_MAX].lower().split()[:_WORDS_MAX])
    hits = {name: len(small & words) for name, small in _SETS.items()}
    best = max(hits, key=lambda name: hits[name])
    if hits[best] >= _HITS_MIN:
        return best
    return SHORT if len(words) < _LETTERS_MIN else OTHER


def _sum(counts: NDArray[np.intp], places: tuple[int, ...]) -> int:
    return int(sum(counts[place] for place in places))
