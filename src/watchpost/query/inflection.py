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
    ("nki", "ngin ngissä ngistä ngillä ngiltä ngille nkiin nkiä nkinä ngiksi"),  # Helsinki
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
_BE = (
    ("скі", "скага скаму скім скай скую ская скае скія скіх скімі"),
    ("цкі", "цкага цкаму цкім цкай цкую цкая цкае цкія цкіх цкімі"),
    ("ы", "ага аму ым ай ую ая ае ыя ых ымі"),
    ("ец", "ца цу цам цы цаў цамі цах"),
    ("ія", "іі ію іяй ій іям іямі іях"),
    ("а", "ы і е у ай аю ам амі ах"),
    ("я", "і ю яй е ям ямі ях"),
    ("ь", "я ю ем і яў ям ямі ях"),
    ("й", "я ю ем і яў ям ямі ях"),
    *((vowel, "") for vowel in "оіеуюэ"),
    ("", "а у ам ым е ы і аў ых амі ах ай"),  # Вагнер, Лаўроў
)
_BG = (
    ("ски", "скияският ска ската ско ското ските"),
    ("ец", "еца ецът ци ците"),
    ("а", "ата и ите о"),
    ("я", "ята и ите"),
    ("о", "ото а ата"),
    ("е", "ето та тата"),
    ("и", "ия ият ите"),
    ("", "ът а ове овете и ите"),
)
_MK = (
    ("ски", "скиот скиов скион ска ската ско ското ските"),
    ("ец", "ецот ци ците"),
    ("а", "ата ава ана и ите"),
    ("о", "ото ово оно а ата"),
    ("е", "ето иња ињата"),
    ("и", "иот ите"),
    ("", "от ов он и ите ови овите"),
)
_SK = (
    ("ský", "ského skému skom ským ská skej skú ské skí ských skými"),
    ("cký", "ckého ckému ckom ckým cká ckej ckú cké ckí ckých ckými"),
    ("ec", "ca covi com ci cov cami coch"),
    ("ka", "ky ke ku kou kám kách kami"),
    ("a", "y e i u ou ám ách ami ovi om ovia"),
    ("o", "a u ovi om e"),
    ("e", "a u om i í ích"),
    ("i", "ho mu m ovi"),
    ("", "a u ovi om e i y mi ovia ov och"),  # Wagner, Prigožin
)
_SL = (
    ("ski", "skega skemu skem skim ska ske sko skih skimi"),
    ("ec", "ca cu cem ci cev cih cema ce"),
    ("a", "e i o ama ah ami"),
    ("o", "a u om"),
    ("e", "a u em"),
    ("i", "ja ju jem jev"),
    ("", "a u om em i ov ih ja ju jem jev"),  # Wagner: Wagnerja
)
_SQ = (("ë", "a ës ën"), ("a", "ë ës ën"), ("i", "u ut un"), ("", "i it in u ut un e es en a t ve"))
_EL = (
    ("ος", "ου ο ε οι ων ους"),
    ("ης", "η ηδες ηδων"),  # Μητσοτάκης
    ("ας", "α ες ων"),
    ("η", "ης ες ων"),
    ("α", "ας ες ων"),
    ("ο", "ου α ων"),
    ("ι", "ιου ια ιων"),
    ("", ""),
)
# Accents do not count, so that Moszkva, Moszkvában needs no rule. -val and -vel double the consonant: Wagnerrel.
_HU_ENDS = (
    "t ot et at ban ben ba be bol nak nek on en n ra re rol tol hoz hez ig ert kent ja je k ok ek ak nal nel as os es"
)
_HU = (
    *((vowel, " ".join(vowel + end for end in (*_HU_ENDS.split(), "val", "vel"))) for vowel in "aeiou"),
    *(
        (letter, " ".join(letter + end for end in (*_HU_ENDS.split(), f"{letter}al", f"{letter}el")))
        for letter in "bcdfghjklmnprstvxz"
    ),
    ("", _HU_ENDS),
)
_RO = (
    ("ie", "ia iei ii iile iilor"),
    ("a", "ei ii e ele elor le lei"),
    ("e", "ea ei i ile ilor le lui"),
    ("u", "ul ului i ii ilor"),
    ("o", "ul ului"),
    ("i", "ul ului i ii ilor lor"),
    ("", "ul ului i ii ilor e ele elor a"),
)
_LT = (
    ("is", "io iui į iu yje i iai ių iams iais iuose"),  # Vagneris
    ("ys", "io iui į iu yje y iai ių iams iais iuose"),
    ("as", "o ui ą u e ai ų ams us ais uose"),
    ("us", "aus ui ų u uje au"),
    ("a", "os ai ą oje ų oms as omis ose"),
    ("ė", "ės ei ę e ėje ių ėms es ėmis"),
    *((vowel, "") for vowel in "iou"),
    ("", "as o ui ą u e is io iui iu"),
)
_LV = (
    ("is", "a im i ī ja jam ju jā ji jiem jus jos"),
    ("s", "a am u ā i iem us os"),  # Vāgners
    ("a", "as ai u ā ām ās"),
    ("e", "es ei i ē ēm ēs u"),
    *((vowel, "") for vowel in "iou"),
    ("", "s a am u ā i iem"),
)
_ET_ENDS = "t s sse st l le lt ga ks ni ta na d de"
_ET = (
    *((vowel, " ".join(vowel + end for end in _ET_ENDS.split())) for vowel in "aeiouõäöü"),
    ("", f"i {' '.join('i' + end for end in _ET_ENDS.split())} e"),  # Wagner: Wagneri
)
_NL = (("e", "s n"), ("s", "en"), ("", "s en e er ers"))
_SV = (
    ("a", "s n ns or orna ornas"),
    ("e", "s n ns r rna rnas"),
    ("s", "en et"),
    ("", "s en ens et ets er erna ernas ar arna arnas n ns"),
)
_DA = (("e", "s n ns t ts r rne rnes rs"), ("s", "en et"), ("", "s en ens et ets er erne ernes ene enes e es"))
_KA = (
    ("ი", "მა ს ის ით ად ო ში ზე თან დან იდან ისთვის ისგან ამდე ები ებს ების ებმა ებში ებზე"),  # თბილისი
    ("ა", "ამ ას ის ით ად აში აზე ასთან იდან ისთვის ისგან ამდე ები ებს ების ებმა"),
    ("ე", "ემ ეს ის ით ედ ეში ეზე ესთან იდან ისთვის ისგან"),
    ("ო", "ომ ოს ოთი ოში ოზე ოსთან ოდან ოსთვის ოსგან"),
    ("უ", "უმ უს უთი უში უზე უსთან უდან უსთვის უსგან"),
    ("", "ი მა ს ის ით ად ში ზე თან დან იდან ისთვის"),
)
_HY = (
    ("ա", "ան այի ային այից այով այում աներ աների"),
    ("ի", "ին ու ուն ից իով ում իներ"),
    ("", "ը ն ի ին ից ով ում եր երը երի ներ ները ների ներից ներով"),  # Փաշինյան
)
_AM = (("", "ን ም ና ንም ው ዋ"),)
_AZ = (
    (
        "",
        "ı i u ü nı ni nu nü ın in un ün nın nin nun nün a ə ya yə da də dan dən la lə"
        " lar lər ları ləri ların lərin lara lərə larda lərdə lardan lərdən",
    ),
)
_KK = (
    (
        "",
        "ның нің дың дің тың тің ға ге қа ке ны ні ды ді ты ті да де та те дан ден тан тен нан нен мен бен пен"
        " лар лер дар дер тар тер лардың лердің",
    ),
)
_KY = (
    (
        "",
        "нын нин нун нүн дын дин дун дүн тын тин тун түн га ге го гө ка ке ко кө ны ни ну нү ды ди ду дү ты ти ту тү"
        " да де до дө та те то тө дан ден дон дөн тан тен лар лер лор лөр дар дер тар тер",
    ),
)
_UZ = (("", "ning ni ga ka qa da dan dagi lar larni larning larga larda lardan нинг ни га ка қа да дан даги лар"),)
_BN = (("", "র ের রা য় ে তে কে দের টি টা গুলো গুলি ও"),)
_HI = (("ा", "े ों ाओं"), ("ी", "ियों ियाँ ियां"), ("", "ों ें"))
_TA = (
    ("ம்", "த்தில் த்தின் த்தை த்திற்கு த்துக்கு த்திலிருந்து த்தால்"),
    ("்", "ில் ின் ை ுக்கு ிலிருந்து ும் ால் ோடு"),
    ("ை", "ையில் ையின் ையை ைக்கு ையிலிருந்து ையும்"),  # சென்னை
    ("ி", "ியில் ியின் ியை ிக்கு ியிலிருந்து ியும்"),
    ("ா", "ாவில் ாவின் ாவை ாவுக்கு ாவிலிருந்து ாவும்"),
    ("ு", "ில் ின் ை ுக்கு ிலிருந்து ும்"),
    ("", "யில் யின் யை க்கு வில் வின் வை வுக்கு"),
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
    "be": Language("Belarusian", "Ѐ", "ӿ", _BE),
    "bg": Language("Bulgarian", "Ѐ", "ӿ", _BG),
    "mk": Language("Macedonian", "Ѐ", "ӿ", _MK),
    "sk": Language("Slovak", "a", "ž", _SK),
    "sl": Language("Slovene", "a", "ž", _SL),
    "sq": Language("Albanian", "a", "ž", _SQ),
    "el": Language("Greek", "Ͱ", "Ͽ", _EL),
    "hu": Language("Hungarian", "a", "ž", _HU, per_word=False),
    "ro": Language("Romanian", "a", "ž", _RO),
    "lt": Language("Lithuanian", "a", "ž", _LT),
    "lv": Language("Latvian", "a", "ž", _LV),
    "et": Language("Estonian", "a", "ž", _ET),
    "nl": Language("Dutch", "a", "ž", _NL),
    "sv": Language("Swedish", "a", "ž", _SV),
    "da": Language("Danish", "a", "ž", _DA),
    "no": Language("Norwegian", "a", "ž", _DA),
    "ka": Language("Georgian", "Ⴀ", "ჿ", _KA),
    "hy": Language("Armenian", "Ա", "֏", _HY),
    "am": Language("Amharic", "\u1200", "\u137f", _AM, "በ ለ ከ የ ስለ እንደ ወደ እስከ", per_word=False),
    "az": Language("Azerbaijani", "a", "ə", _AZ, per_word=False),
    "kk": Language("Kazakh", "Ѐ", "ӿ", _KK, per_word=False),
    "ky": Language("Kyrgyz", "Ѐ", "ӿ", _KY, per_word=False),
    "uz": Language("Uzbek", "a", "ӿ", _UZ, per_word=False),
    "bn": Language("Bengali", "\u0980", "\u09ff", _BN, per_word=False),
    "hi": Language("Hindi", "\u0900", "\u097f", _HI),
    "ta": Language("Tamil", "\u0b80", "\u0bff", _TA, per_word=False),
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
