"""Pure: the forms of a name in a language, as finite sets: `вагнер~ru`, `مالي~ar`, `malien~fr`.

There is no stemming: a stemmer makes "mal" of Mali and "money" of مالي. A form is the word as it is written with an
ending (or a clitic) of these tables, and nothing else. The tables are for names and words made from names, and list
some forms that do not exist, which do no harm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cache, lru_cache
from typing import NamedTuple

from watchpost.query.words import WordPattern, fold

SHORTEST = 3
"""Words with fewer letters get no endings, like the l' of l'opération; clitics go before any word."""


class Language(NamedTuple):
    """The rules of a language.

    Its letters are between the characters `first` and `last`. `endings` are pairs of a word's end and the ends that may
    replace it, the most special first; only the first that fits counts. `clitics` are put before the word.
    """

    name: str
    first: str
    last: str
    endings: tuple[tuple[str, str], ...] = ()
    clitics: str = ""
    per_word: bool = True  # each word of a phrase takes endings; otherwise only the last one


_RU = (
    # "ский" and other adjectives, also surnames: Зеленский, африканский, Белый, Толстой
    ("ий", "ого его ому ему им ым ом ем ая яя ой ей ую юю ое ее ие ые их ых ими ыми ия ию ием ии"),
    ("ый", "ого ому ым ом ая ой ую ое ые ых ыми"),
    ("ой", "ого ому ым им ом ая ую ое ые ие ых их ыми ими"),
    ("ая", "ой ую ою ые ие ых их ым им ыми ими ого ому ом"),
    ("ое", "ого ому ым им ом ые ие ых их ыми ими"),
    ("иец", "ийца ийцу ийцем ийце ийцы ийцев ийцам ийцами ийцах"),  # малиец
    ("оец", "ойца ойцу ойцом ойце ойцы ойцов ойцам ойцами ойцах"),  # боец
    ("ец", "ца цу цем цом це цы цев цов цам цами цах"),  # вагнеровец
    ("ия", "ии ию ией ий иям иями иях"),  # Россия
    ("а", "ы и е у ой ою ей ам ами ах"),  # Москва, Африка, Уткина
    ("я", "и е ю ей ею й ям ями ях"),  # Евгения, Илья
    ("ь", "я ю ем ём е и ью ей ям ями ях"),  # Сахель, Казань
    ("й", "я ю ем е и ев ям ями ях"),  # Сергей
    ("о", "а у ом е"),  # село; Бамако does not change, its forms are no words
    ("и", ""),  # Мали, Зимбабве, Шоигу and the like do not change
    ("е", ""),
    ("у", ""),
    ("ю", ""),
    ("ы", ""),
    ("э", ""),
    ("", "а у ом ем ым е ы и ов ев ых ам ами ах ой ою ыми"),  # Вагнер, Пригожин, Пригожина (she), Лавров
)
_UK = (
    ("єць", "йця йцю йцем йцеві йці йців йцям йцями йцях"),  # малієць
    ("ка", "ки ці ку кою ко кам ками ках"),  # Менака
    ("га", "ги зі гу гою го гам гами гах"),  # Ладога
    ("ий", "ого ому им ім ем а ої ій у ою е і их ими ія ію єм ії"),
    ("ець", "ця цю цем цеві ці ців цям цями цях"),
    ("ія", "ії ію ією ій іям іями іях"),
    ("а", "и і у ою о ам ами ах"),
    ("я", "і ї ю ею єю ям ями ях"),
    ("ь", "я ю ем еві і ів ям ями ях"),
    ("й", "я ю єм єві ї їв ям ями ях"),
    ("о", "а у ові ом і"),
    ("і", ""),
    ("е", ""),
    ("у", ""),
    ("", "а у ові ом ем еві і и ів ам ами ах им их ими ої ою"),
)
_PL = (
    ("iec", "ca cu cem cowi ców com cami cach cy"),  # wagnerowiec
    ("ga", "gi dze gę gą go"),
    ("ra", "ry rze rę rą ro"),  # Moura
    ("ta", "ty cie tę tą to"),
    ("da", "dy dzie dę dą do"),
    ("rz", "rza rzowi rzem rzu rze rzy rzom rzami rzach"),  # żołnierz
    ("k", "ka kowi kiem ku cy ki ków kom kami kach"),  # Malijczyk
    ("r", "ra rowi rem rze ry rzy rowie rów rom rami rach"),  # Wagner
    ("ski", "skiego skiemu skim ska skiej ską skie scy skich skimi"),
    ("cki", "ckiego ckiemu ckim cka ckiej cką ckie ccy ckich ckimi"),
    ("ia", "ii ię ią io"),
    ("ka", "ki ce kę ką ko"),
    ("a", "y i ie ę ą o om ami ach"),
    ("o", "a u em ie y ów om ami ach"),
    ("i", "ego emu m"),
    ("y", "ego emu m"),
    ("e", "go mu m"),
    ("", "a owi u em iem ie y i owie ów om ami ach"),
)
_CS = (
    ("ský", "ského skému ském ským ská ské skou sky skí ských skými"),
    ("cký", "ckého ckému ckém ckým cká cké ckou cky ckých ckými"),
    ("ec", "ce ci cem cové ců cům cích"),  # vagnerovec
    ("ka", "ky ce ku kou ko kám kách kami"),
    ("ga", "gy ze gu gou go"),
    ("ra", "ry ře ru rou ro"),
    ("k", "ka kovi kem ku ci ky kové ků kům cích"),  # žoldák
    ("a", "y ě e u ou o ám ách ami"),  # skupina
    ("o", "a u em ě"),
    ("e", "i í ím ích"),
    ("i", "ho mu m ová"),
    ("", "a u ovi em e ě i y ů ové ech ům ův ova ovy"),  # Prigožin
)
_HR = (
    ("ski", "skog skoga skome skom skim ska ske sku skoj skih"),
    ("ac", "ca cu cem ci ce aca cima"),
    ("ka", "ke ci ku ko kom kama"),  # Menaka
    ("ga", "ge zi gu go gom gama"),
    ("k", "ka ku kom če ci ke cima"),  # plaćenik
    ("a", "e i u o om ama"),  # grupa
    ("o", "a u em om"),
    ("i", "ija iju ijem ijev ijeva ijevu"),  # Mali
    ("e", ""),
    ("", "a u om em e i ima ov ova ove ovi ovih ovim"),  # Vagner
)
_SR = (
    ("ски", "ског скога скоме ском ским ска ске ску ској ских"),
    ("ац", "ца цу цем ци це аца цима"),
    ("ка", "ке ци ку ко ком кама"),
    ("га", "ге зи гу го гом гама"),
    ("к", "ка ку ком че ци ке цима"),
    ("а", "е и у о ом ама"),
    ("о", "а у ем ом"),
    ("и", "ија ију ијем ијев ијева ијеву"),
    ("е", ""),
    *_HR[:-1],
    ("", "а у ом ем е и има ов ова ове ови ових овим a u om em e i ima ov ova ove ovi ovih ovim"),
)
_TR_PLURAL = (
    "lar ler ları leri ların lerin larına lerine larının lerinin lara lere larda lerde lardan lerden larla lerle"
)
# The names of Turkish have an apostrophe before their case (Mali'de), which ends the word. These are for other words.
# There is no buffer -ya, -ye after a vowel: maliye is the treasury.
_TR = (
    *((vowel, f"{_TR_PLURAL} da de dan den nın nin nun nün sı si su sü sının sinin yla yle") for vowel in "aeıioöuü"),
    ("k", f"k{' k'.join(_TR_PLURAL.split())} kta kte ktan kten ğı ği ğu ğü ğın ğin ğun ğün ğa ğe kla kle"),
    ("", f"{_TR_PLURAL} ı i u ü ın in un ün ının inin unun ünün ına ine una üne a e da de ta te dan den tan ten la le"),
)
_FI_CASES = "n ssa sta lla lta lle na ksi"
_FI_FRONT = "n ssä stä llä ltä lle nä ksi"
_FI = (
    ("kko", "kkoa kkoon kon kossa kosta kolla kolta kolle kot kkojen kkoja koissa koista koilla koille"),  # joukko
    ("nen", "sen sta seen sessa sesta sella selta selle set sten sia siin sissa sista silla"),  # malilainen
    ("a", f"an aa aan {' '.join('a' + end for end in _FI_CASES.split())} at jen ja issa ista illa ille oiden oita"),
    ("ä", f"än ää ään {' '.join('ä' + end for end in _FI_FRONT.split())} ät iden iä issä istä illä"),
    ("i", f"ia iä iin {' '.join('i' + end for end in (*_FI_CASES.split(), 'ssä', 'stä', 'llä', 'ltä'))} en it"),
    ("o", f"oa oon {' '.join('o' + end for end in _FI_CASES.split())} ot jen"),
    ("u", f"ua uun {' '.join('u' + end for end in _FI_CASES.split())} ut jen"),
    ("y", f"yä yyn {' '.join('y' + end for end in _FI_FRONT.split())} yt jen"),
    ("e", f"eä eä een {' '.join('e' + end for end in (*_FI_CASES.split(), 'ssä', 'stä', 'llä'))} et"),
    ("", "in issa ista iin illa ilta ille ina iksi ia it ien iä issä istä illä iltä"),  # Wagner
)
_FA = (("", "ها های هایی ی ای ان"),)
_DE = (("s", "se en"), ("x", "es e en"), ("z", "es e en"), ("e", "s n ns"), ("", "s es e en n er ern"))
_EN = (("y", "ys ies"), ("s", "es"), ("x", "es"), ("ch", "es"), ("sh", "es"), ("", "s es"))
_FR = (
    ("en", "ens enne ennes"),  # malien
    ("on", "ons onne onnes"),
    ("el", "els elle elles"),
    ("er", "ers ère ères"),
    ("if", "ifs ive ives"),
    ("eux", "euse euses"),
    ("al", "als aux ale ales"),
    ("e", "es"),
    ("s", "se ses"),  # français
    ("x", ""),
    ("", "s e es x"),
)
_ES = (
    ("o", "os a as"),
    ("a", "as"),
    ("e", "es"),
    ("z", "ces"),
    ("es", "esa eses esas"),
    ("an", "ana anes anas"),
    ("", "s es a as"),
)
_PT = (
    ("ão", "ões ães ãos ã ãs ona onas"),
    ("m", "ns"),
    ("l", "is les"),
    ("ês", "esa eses esas"),
    ("o", "os a as"),
    ("a", "as"),
    ("e", "es"),
    ("", "s es a as"),
)
_IT = (
    ("co", "chi ci ca che"),
    ("go", "ghi gi ga ghe"),
    ("io", "i ia ie"),
    ("ca", "che"),
    ("ga", "ghe"),
    ("o", "i a e"),
    ("a", "e i"),
    ("e", "i"),
    ("", ""),
)
_KO = (
    (
        "",
        "은 는 이 가 을 를 의 에 에서 에게 에게서 께서 와 과 도 만 로 으로 까지 부터 보다 처럼 마다 들 인 측 측은 측이"
        " 라고 이라고 라는 이라는 에는 에도 에선 에서는 에서도 에만 에의 와의 과의 와는 과는"
        " 로의 으로의 로는 으로는 로부터 으로부터 까지는",
    ),
)

LANGUAGES: dict[str, Language] = {
    "ru": Language("Russian", "Ѐ", "ӿ", _RU),
    "uk": Language("Ukrainian", "Ѐ", "ӿ", _UK),
    "pl": Language("Polish", "a", "ž", _PL),
    "cs": Language("Czech", "a", "ž", _CS),
    "hr": Language("Croatian", "a", "ž", _HR),
    "sr": Language("Serbian", "a", "ӿ", _SR),
    "tr": Language("Turkish", "a", "ž", _TR),
    "fi": Language("Finnish", "a", "ž", _FI),
    "de": Language("German", "a", "ž", _DE),
    "en": Language("English", "a", "ž", _EN),
    "fr": Language("French", "a", "ž", _FR),
    "es": Language("Spanish", "a", "ž", _ES),
    "pt": Language("Portuguese", "a", "ž", _PT),
    "it": Language("Italian", "a", "ž", _IT),
    "ar": Language("Arabic", "\u0600", "\u06ff", clitics="و ف ب ل ك وب ول وك فب فل فك"),
    "fa": Language("Persian", "\u0600", "\u06ff", _FA, per_word=False),
    "he": Language("Hebrew", "\u0590", "\u05ff", clitics="ו ה ב ל מ כ ש וה וב ול ומ וכ וש שה שב של שמ כש מה לכש וכש"),
    "ko": Language("Korean", "가", "힣", _KO, per_word=False),
}
"""The languages by their code, as it is written after ~."""


def inflected(patterns: tuple[WordPattern, ...], language: str) -> tuple[WordPattern, ...]:
    """The patterns with the forms of their words; words with a star have none. `language` is one of LANGUAGES."""
    rules = LANGUAGES[language]
    last = len(patterns) - 1
    return tuple(
        pattern
        if pattern.prefix
        else pattern._replace(forms=_forms(pattern.folded, language, number == 0, rules.per_word or number == last))
        for number, pattern in enumerate(patterns)
    )


def fits(word: str, language: str) -> bool:
    """Whether the folded word has a letter of the language's alphabet."""
    rules = LANGUAGES[language]
    return any(rules.first <= letter <= rules.last for letter in word)


def bases(word: str, language: str, known: Set[str]) -> tuple[str, ...]:
    """Those of the `known` folded words that have the folded word `word` among their forms in the language."""
    found: set[str] = set()
    ends = _ends(language)
    for at in range(max(0, len(word) - LONGEST_END), len(word)):
        found.update(word[:at] + end for end in ends.get(word[at:], ()))
    for clitic in LANGUAGES[language].clitics.split():
        if word.startswith(clitic):
            bare = word.removeprefix(clitic)
            found.update((bare, f"ا{bare}") if language == "ar" else (bare,))
    likely = (base for base in found if base in known and base != word)
    return tuple(sorted(base for base in likely if word in _forms(base, language, True, True)))


LONGEST_END = 8
"""The letters at the end of a word that are looked up in the tables; Turkish has longer ones."""


@cache
def _ends(language: str) -> Mapping[str, frozenset[str]]:
    """The ends of words by those that may replace them."""
    found: dict[str, set[str]] = defaultdict(set)
    for end, others in LANGUAGES[language].endings:
        for other in others.split():
            found[fold(other)].add(fold(end))
    return {other: frozenset(ends) for other, ends in found.items()}


@lru_cache(maxsize=10_000)
def _forms(word: str, language: str, first: bool, ends: bool) -> tuple[str, ...]:
    """The forms of a folded word, folded, without the word itself."""
    rules = LANGUAGES[language]
    forms: set[str] = set()
    if ends and len(word) >= (SHORTEST if language != "ko" else 1):
        forms.update(_endings(word, rules.endings))
    if first and rules.clitics:
        forms.update(_with_clitics(word, rules.clitics.split(), language))
    return tuple(sorted({fold(form) for form in forms} - {word}))


def _endings(word: str, rules: Iterable[tuple[str, str]]) -> Iterable[str]:
    for end, others in rules:
        if word.endswith(fold(end)):
            stem = word.removesuffix(fold(end)) if end else word
            return [stem + other for other in others.split()]
    return ()


def _with_clitics(word: str, clitics: Iterable[str], language: str) -> Iterable[str]:
    """The word with each clitic. After the Arabic l of "to" the article loses its alif: ل + الجيش is للجيش."""
    for clitic in clitics:
        swallowed = language == "ar" and clitic.endswith("ل") and word.startswith("ال")
        yield clitic + (word[1:] if swallowed else word)
