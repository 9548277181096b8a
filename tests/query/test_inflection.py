"""What ~language finds and what it does not."""

from __future__ import annotations

import pytest

from watchpost.query.document import Document
from watchpost.query.inflection import LANGUAGES, inflected
from watchpost.query.parser import parse
from watchpost.query.words import word_patterns

# query, words that are its forms, words that are not
FORMS: list[tuple[str, str, str]] = [
    ("вагнер~ru", "Вагнер Вагнера Вагнеру Вагнером Вагнере Вагнеры Вагнеров Вагнерам", "вагнеровцы вагнерит"),
    ("пригожин~ru", "Пригожин Пригожина Пригожину Пригожиным Пригожине Пригожины Пригожиных", "Пригожинский"),
    ("евгений~ru", "Евгений Евгения Евгению Евгением Евгении", "Евген"),
    ("москва~ru", "Москва Москвы Москве Москву Москвой", "москвич"),
    ("россия~ru", "Россия России Россию Россией", "российский"),
    ("сахель~ru", "Сахель Сахеля Сахелю Сахелем Сахеле", "сахельский"),
    ("сергей~ru", "Сергей Сергея Сергею Сергеем Сергее", "сергеич"),
    ("африканский~ru", "африканский африканского африканскому африканским африканском африканская", "африка"),
    ("вагнеровец~ru", "вагнеровец вагнеровца вагнеровцы вагнеровцев вагнеровцам", "вагнер"),
    ("боец~ru", "боец бойца бойцы бойцов бойцами", "бой"),
    ("малиец~ru", "малиец малийца малийцы малийцев", "малийский"),
    ("мали~ru", "Мали", "Мал Мале малы"),
    ("вагнер~uk", "Вагнер Вагнера Вагнеру Вагнером Вагнерові", "вагнерівець"),
    ("росія~uk", "Росія Росії Росію Росією", "російський"),
    ("wagner~pl", "Wagner Wagnera Wagnerowi Wagnerem Wagnerach", "wagnerowiec"),
    ("prigożyn~pl", "Prigożyn Prigożyna Prigożynowi Prigożynem Prigożynie", "prigożynowski"),
    ("wagnerowiec~pl", "wagnerowiec wagnerowca wagnerowcy wagnerowców wagnerowcami", "wagner"),
    (
        '"grupa wagnera"~pl',
        "|Grupa Wagnera|Grupy Wagnera|Grupę Wagnera|Grupie Wagnera|Grupą Wagnera",
        "|Grupowa Wagnera",
    ),
    ("prigožin~cs", "Prigožin Prigožina Prigožinovi Prigožinem", "prigožinský"),
    ('"skupina wagner"~cs', "|skupina Wagner|skupiny Wagner|skupinou Wagner|skupině Wagner", "|skupinový Wagner"),
    ("vagnerovec~cs", "vagnerovec vagnerovci vagnerovců vagnerovcům", "vagner"),
    ('"grupa vagner"~hr', "|grupa Vagner|grupe Vagner|grupu Vagner|grupom Vagner|grupi Vagnera", "|grupiran Vagner"),
    ("mali~hr", "Mali Malija Maliju Malijem", "male malih"),
    ("вагнер~sr", "Вагнер Вагнера Вагнеру Вагнером", "вагнеровци"),
    ("vagner~sr", "Vagner Vagnera Vagneru Vagnerom", "vagnerovci"),
    ("asker~tr", "asker askerler askerleri askerlerin askerin askeri", "askeriye"),
    ("mali~tr", "|Mali|Mali’de|Mali'nin", "|maliye"),
    ("ryhmä~fi", "ryhmä ryhmän ryhmää ryhmässä ryhmästä ryhmään ryhmät", "ryhmitys"),
    ("helsinki~fi", "Helsinki Helsingin Helsingissä Helsingistä Helsinkiin", "helsinkiläinen"),
    ("mali~fi", "Mali Malin Malia Malissa Malista Maliin Maliksi", "malja"),
    ("سرباز~fa", "سرباز سربازها سربازهای سربازان", "سربازخانه"),
    ("ukraina~pl", "Ukraina Ukrainy Ukrainie Ukrainę Ukrainą", "ukrainiec"),
    ("مالي~ar", "مالي ومالي بمالي لمالي وبمالي فمالي كمالي ولمالي", "المالي بالمالي ماليا مالية"),
    ("الجيش~ar", "الجيش والجيش بالجيش للجيش وللجيش", "جيش لالجيش"),
    ("فاغنر~ar", "فاغنر وفاغنر لفاغنر بفاغنر", "الفاغنر"),
    ("מאלי~he", "מאלי במאלי ומאלי למאלי ממאלי שבמאלי", "מאליה"),
    ("wagner~de", "Wagner Wagners", "Wagnerianer"),
    ("malier~de", "Malier Maliers Maliern", "malisch"),
    ("malian~en", "Malian Malians", "Maliana"),
    ("mercenary~en", "mercenary mercenaries", "mercena"),
    ("malien~fr", "malien maliens malienne maliennes", "mali malienn"),
    ("français~fr", "français française françaises", "france"),
    ("mercenaire~fr", "mercenaire mercenaires", "mercenariat"),
    ("maliano~es", "maliano malianos maliana malianas", "malian mali"),
    ("francés~es", "francés francesa franceses francesas", "franc"),
    ("operação~pt", "operação operações", "opera"),
    ("maliano~it", "maliano maliani maliana maliane", "malianox"),
    ("말리~ko", "말리 말리의 말리에서 말리는 말리로", "말리크 소말리"),
    ("вагнер~be", "Вагнер Вагнера Вагнеру Вагнерам Вагнеры", "вагнераўцы"),
    ("лукашэнка~be", "Лукашэнка Лукашэнкі Лукашэнку Лукашэнкам", "лукашызм"),
    ("президент~bg", "президент президентът президента президенти президентите", "президентски"),
    ("москва~bg", "Москва", "московски"),
    ("претседател~mk", "претседател претседателот претседатели претседателите", "претседателка"),
    ("fico~sk", "Fico Fica Ficovi Ficom", "Ficovci"),
    ("wagner~sk", "Wagner Wagnera Wagnerovi Wagnerom", "wagnerovec"),
    ("wagner~sl", "Wagner Wagnerja Wagnerju Wagnerjem", "wagnerjanski"),
    ("ljubljana~sl", "Ljubljana Ljubljane Ljubljani Ljubljano", "ljubljanski"),
    ("tirana~sq", "Tirana Tiranë Tiranës Tiranën", "tiranas"),
    ("μητσοτάκης~el", "Μητσοτάκης ΜΗΤΣΟΤΑΚΗΣ Μητσοτάκη", "Μητσοτακικός"),
    ("αθήνα~el", "Αθήνα Αθήνας", "αθηναϊκός"),
    ("μισθοφόρος~el", "μισθοφόρος μισθοφόρου μισθοφόροι μισθοφόρων μισθοφόρους", "μισθός"),
    ("wagner~hu", "Wagner Wagnert Wagnernek Wagnerrel Wagnertől Wagnerből Wagnerhez", "wagneriánus"),
    ("moszkva~hu", "Moszkva Moszkvában Moszkvát Moszkvának Moszkvával Moszkvából", "moszkvai"),
    ("mercenar~ro", "mercenar mercenarul mercenarului mercenari mercenarii mercenarilor", "mercenariat"),
    ("africa~ro", "Africa Africii", "african"),
    ("vagneris~lt", "Vagneris Vagnerio Vagneriui Vagnerį Vagneriu", "vagneriečiai"),
    ("maskva~lt", "Maskva Maskvos Maskvai Maskvą Maskvoje", "maskviečiai"),
    ("vāgners~lv", "Vāgners Vāgnera Vāgneram Vāgneru", "vāgnerieši"),
    ("maskava~lv", "Maskava Maskavas Maskavai Maskavu Maskavā", "maskavieši"),
    ("wagner~et", "Wagner Wagneri Wagnerit Wagneriga Wagnerile Wagnerist", "wagnerlane"),
    ("moskva~et", "Moskva Moskvas Moskvast Moskvasse Moskvaga", "moskvalane"),
    ("huurling~nl", "huurling huurlingen huurlings", "huur"),
    ("regering~sv", "regering regeringen regeringens regeringar", "reger"),
    ("regering~da", "regering regeringen regeringens regeringer regeringerne", "reger"),
    ("regjering~no", "regjering regjeringen regjeringens regjeringer regjeringene", "regjere"),
    ("თბილისი~ka", "თბილისი თბილისში თბილისის თბილისიდან თბილისს", "თბილისელი"),
    ('"ქართული ოცნება"~ka', "|ქართული ოცნება|ქართულმა ოცნებამ|ქართული ოცნების", "|ქართველი ოცნება"),
    ("փաշինյան~hy", "Փաշինյան Փաշինյանը Փաշինյանի Փաշինյանին Փաշինյանից", "փաշինյանական"),
    ("ትግራይ~am", "ትግራይ በትግራይ ከትግራይ የትግራይ ለትግራይ ትግራይን", "ትግራዋይ"),
    ('"አዲስ አበባ"~am', "|አዲስ አበባ|በአዲስ አበባ|ከአዲስ አበባ", "|አዲሱ አበባ"),
    ("bakı~az", "Bakı Bakıda Bakıdan Bakının Bakıya", "bakılı"),
    ("астана~kk", "Астана Астанада Астанадан Астананың Астанаға", "астаналық"),
    ("бишкек~ky", "Бишкек Бишкекте Бишкектен Бишкектин Бишкекке", "бишкектик"),
    ("toshkent~uz", "Toshkent Toshkentda Toshkentdan Toshkentning Toshkentga", "toshkentlik"),
    ("ঢাকা~bn", "ঢাকা ঢাকায় ঢাকার ঢাকাতে ঢাকাকে", "ঢাকাই"),
    ("सैनिक~hi", "सैनिक सैनिकों", "सैनिकता"),
    ("சென்னை~ta", "சென்னை சென்னையில் சென்னையின் சென்னைக்கு", "சென்னைவாசி"),
    ("தமிழகம்~ta", "தமிழகம் தமிழகத்தில் தமிழகத்தின் தமிழகத்தை", "தமிழர்"),
    # a language for a phrase
    ('"евгений пригожин"~ru', "|Евгения Пригожина|Евгений Пригожин|Евгением Пригожиным", "|Евгенийский Пригожин"),
    ('"مجموعة فاغنر"~ar', "|مجموعة فاغنر|ومجموعة فاغنر|لمجموعة فاغنر", "|مجموعة بفاغنر"),
    ('"soldat français"~fr', "|soldats français|soldat française", "|soldatesque française"),
    ('"бойц* вагнер"~ru', "|бойцы Вагнера|бойцами Вагнер", "|боец Вагнера"),
    ("l'opération~fr", "|l’opération|l’opérations", "|la opération"),
]


def listed(texts: str) -> list[str]:
    return texts.strip("|").split("|") if texts.startswith("|") else texts.split()


@pytest.mark.parametrize(("query", "forms", "others"), FORMS, ids=[query for query, *_ in FORMS])
def test_forms(query: str, forms: str, others: str) -> None:
    asked = parse(query)
    assert [form for form in listed(forms) if asked.evaluate(Document.of({"body": f"x {form}, x"})) is None] == []
    assert [other for other in listed(others) if asked.evaluate(Document.of({"body": f"x {other}, x"}))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_forms_are_few_and_differ(language: str) -> None:
    letters = LANGUAGES[language].first + "абвгaбв"
    (pattern,) = inflected(word_patterns("вагнер" if "Ѐ" <= LANGUAGES[language].last <= "ӿ" else letters), language)[:1]
    assert pattern.folded not in pattern.forms
    assert len(set(pattern.forms)) == len(pattern.forms) <= 70


def test_short_words_keep_their_form() -> None:
    assert inflected(word_patterns("ла"), "ru")[0].forms == ()
    assert parse("чвк~ru").evaluate(Document.of({"body": "ЧВК"})) is not None
