"""Pure: the names of time zones and months in dates, in the languages that feeds are written in.

Zones: RFC 5322, 4.3; the abbreviations of the IANA time zone database (https://www.iana.org/time-zones), with those
that it dropped in 2017; and https://www.timeanddate.com/time/zones/. Months: Unicode CLDR
(https://cldr.unicode.org), and for Arabic the names of Egypt, the Levant and the Maghreb.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MINUTES = re.compile(r"(?:UTC|GMT)?\s?([+\N{MINUS SIGN}–-])\s?(\d{1,2})(?::?(\d{2}))?(?::?\d{2})?(?:[\s(].*)?")

# Minutes east of Greenwich. Where a name has two meanings, the one that feeds use most.
_ZONES = {
    # Universal time and Europe
    "UT": 0, "UTC": 0, "UCT": 0, "GMT": 0, "Z": 0, "ZULU": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120,
    "MEZ": 60, "MESZ": 120, "MET": 60, "MEST": 120, "OEZ": 120, "OESZ": 180, "WEZ": 0, "WESZ": 60, "EET": 120,
    "EEST": 180, "FET": 180, "MSK": 180, "МСК": 180, "MSD": 240, "SAMT": 240, "TRT": 180, "GET": 240, "AZT": 240,
    "AZOT": -60, "AZOST": 0, "EGT": -60, "EGST": 0,
    # Africa and the Indian Ocean
    "WAT": 60, "WAST": 120, "CAT": 120, "SAST": 120, "EAT": 180, "CVT": -60, "MUT": 240, "RET": 240, "SCT": 240,
    "IOT": 360, "MVT": 300,
    # Asia
    "IDT": 180, "IRST": 210, "IRDT": 270, "GST": 240, "AFT": 270, "PKT": 300, "PKST": 360, "UZT": 300, "TMT": 300,
    "TJT": 300, "YEKT": 300, "ORAT": 300, "QYZT": 300, "AQTT": 300, "ALMT": 300, "IST": 330, "SLST": 330, "NPT": 345,
    "BTT": 360, "BDT": 360, "BDST": 360, "KGT": 360, "OMST": 360, "MMT": 390, "ICT": 420, "WIB": 420, "NOVT": 420,
    "KRAT": 420, "HOVT": 420, "HKT": 480, "SGT": 480, "MYT": 480, "PHT": 480, "BNT": 480, "WITA": 480, "ULAT": 480,
    "CHOT": 480, "IRKT": 480, "JST": 540, "KST": 540, "WIT": 540, "TLT": 540, "YAKT": 540, "VLAT": 600, "MAGT": 660,
    "SAKT": 660, "SRET": 660, "PETT": 720, "ANAT": 720,
    # Australia and the Pacific
    "AWST": 480, "AWDT": 540, "ACWST": 525, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "LHST": 630,
    "LHDT": 660, "NFT": 660, "NZST": 720, "NZDT": 780, "CHAST": 765, "CHADT": 825, "PGT": 600, "CHUT": 600,
    "CHST": 600, "SBT": 660, "VUT": 660, "NCT": 660, "PONT": 660, "KOST": 660, "FJT": 720, "FJST": 780, "GILT": 720,
    "MHT": 720, "NRT": 720, "TVT": 720, "WAKT": 720, "WFT": 720, "TOT": 780, "PHOT": 780, "TKT": 780, "LINT": 840,
    "SST": -660, "NUT": -660, "CKT": -600, "TAHT": -600, "MART": -570, "GAMT": -540, "PWT": 540,
    # North America
    "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "HAST": -600,
    "HADT": -540, "HDT": -540, "HNT": -210, "HAT": -150, "HNA": -240, "HAA": -180, "HNE": -300, "HAE": -240,
    "HNC": -360, "HAC": -300, "HNR": -420, "HAR": -360, "HNP": -480, "HAP": -420, "PMST": -180, "PMDT": -120,
    "WGT": -120, "WGST": -60,
    # South America
    "ART": -180, "BRT": -180, "BRST": -120, "AMT": -240, "ACT": -300, "FNT": -120, "BOT": -240, "CLT": -240,
    "CLST": -180, "COT": -300, "ECT": -300, "GALT": -360, "EAST": -360, "EASST": -300, "FKT": -240, "FKST": -180,
    "GFT": -180, "GYT": -240, "PET": -300, "PYT": -180, "PYST": -180, "SRT": -180, "UYT": -180, "VET": -240,
}  # fmt: skip
_REGIONS = {  # names for standard and daylight time together
    "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
    "AT": "America/Halifax", "AKT": "America/Anchorage", "UK": "Europe/London", "AET": "Australia/Sydney",
    "NZT": "Pacific/Auckland",
}  # fmt: skip
# "Europe/Paris", "Etc/GMT+8", "PST8PDT"; and countries and cities, of which the database has some ("Japan").
_REGION = re.compile(r"[A-Za-z_]{2,20}(?:/[A-Za-z_+-]{2,30}\d{0,2}){1,2}|[A-Z]{3}\d[A-Z]{3}|\A[A-Z][a-z]{3,9}\Z")

# Beginnings of month names, without accents. The longest that fits counts: "červenec" is July, "červen" June.
_MONTHS = (
    "jan ene gen xan янв яну січ сту јан sty sij led oca tammi ian jaan janairu يناير جانفي كانونالثاني "
    "ژانويه ינואר जनवरी ιαν saus yan ינו जन ጃንዋ ጃን zan জান urt જાન հունվ հնվ იან қаң មករ ಜನವ ಜನ ມັງ ມກ ജനു "
    "जान ဇနန ဇန ama ਜਨਵ ਜਨ جنو mut ජනව ජන ஜனவ ஜன జనవ జన มกร มค sam",
    "feb fev fevr фев лют sub lut uno velj helmi veebr vas فبراير فيفري شباط فوريه פברואר फरवरी φεβ shk fab "
    "фебр феб פבר फर ፌብሩ ፌብ ফেব ots peb ફેબ փետ փտվ თებ ақп កុម ಫೆಬ ກມພ ກພ ഫെബ फेब ဖေဖ ဖေ gur ਫਰਵ ਫਰ فبر فېب "
    "gas පෙබ பிப ఫిబ กมภ กพ few فرو",
    "mar maerz mrt mac мар бер сак bre ozu maalis maart kov مارس آذار اذار מרץ मार्च μαρ maars ማርች মার માર "
    "մար մրտ მარ нау មីន ಮಾರ ມີນ ມນ മാർ မတ bit ਮਾਰ مار wer මාර மார మార มีน มีค mas",
    "apr avr abr апр кві кра kwi dub tra huhti bal afi ابريل افريل نيسان آوريل אפריל अप्रैल απρ pri nis אפר "
    "ኤፕሪ awi এপর api એપર ապր აპრ сәу មេស ಏಪರ ເມສ ມສ ഏപര एपर ဧပြ अपर eeb elb ਅਪਰ اپر mat අපර ஏபர ஏப ఏపర เมษ "
    "เมย awr eph",
    "may mai mag mei maj ma maio мая май мај тра kve svi gegu touko مايو ماي ايار مه מאי मई μαι geg maay ሜይ "
    "mɛ মে મે մայ մյս მაი мам ឧសភ ಮೇ ພຶດ ພພ mey മേയ मे မေ caa cam ਮਈ مۍ gic මැය மே మే พฤษ พค ميي mee",
    "jun juin giu июн чер јун cze cerven cervna lipanj lipnj birz kesa haz xun yun juni qer يونيو جوان حزيران "
    "ژوئن יוני जून ιουν iun juun cvn юни чэр iyn iyun ጁን zuw জুন eka hun જૂન հուն հնս ივნ мау មិថ ಜೂನ ມິຖ jon "
    "ജൂൺ ဇွန जुन wax ਜੂਨ جون kam ජූන ஜூன జూన มิถ มิย suw",
    "jul juil lug июл лип ліп јул lip cervenec cervence srpanj srpnj liep heina tem xul yul korr يوليو جويلية "
    "تموز ژوئيه יולי जुलाई ιουλ iul juul cvc юли lul luul iyl iyul जुल ጁላይ zul জুল uzt hul જુલ հու հլս ივლ "
    "шіл កកក ಜುಲ ກໍລ ກລ jol ജൂല ဇူလ ဇူ ado ਜੁਲ جول nya ජූල ஜூல జుల กรก กค sul",
    "aug aou ago авг жні srp sie kol rugp elo agu ogo gush avg اغسطس اوت آب אוגוסט अगस्त αυγ серп ag ogs avq "
    "غشت אוג अग ኦገስ uti আগস আগ abu ઑગસ օգո օգս აგვ там សីហ ಆಗಸ ಆಗ ສິງ ສຫ aog ഓഗസ ഓഗ ऑगस ऑग ဩဂု अगस hag ਅਗਸ ਅਗ "
    "اګس kan අගෙ ஆகஸ ஆக ఆగస ఆగ สิง สค awg اگس ut aga",
    "sep set сен вер wrz zar ruj rugs syys eyl sat sht سبتمبر ايلول سپتامبر ספטמבר सितंबर सितम्बर σεπ szept "
    "сеп seb sen شتنبر ספט सित ሴፕቴ sɛt সেপ ira સપટ սեպ სექ қыр កញញ ಸೆಪ ກັນ ກຍ സെപ सपट စကတ စက सेप ful ਸਤੰ سېپ "
    "سپت nze සැප செப సెప กัน กย ستم",
    "oct okt ott out окт жов кас paz rij spal loka eki tet اكتوبر تشرينالاول اكتبر אוקטובר अक्टूबर οκτ אוק "
    "अक्टू ኦክቶ ɔku অকট urr ઑકટ հոկ ოქტ қаз តុល ಅಕಟ ຕລາ ຕລ ഒകട ऑकट အော अकट onk ਅਕਤ ukw ඔකත ඔක அகட அக అకట ตลา "
    "ตค",
    "nov ноя нов лис lis lap marras kas nuw nen stu نوفمبر تشرينالثاني نوامبر נובמבר नवंबर नवम्बर νοε noi noe "
    "ное ліс noy nof noof نونبر נוב नव ኖቬም now নভে aza nob નવે նոյ ნოე қар វិច ನವೆ ພະຈ ພຈ നവം नोव နို नोभ sad "
    "ਨਵੰ نوم ugu නො நவம நவ నవం พฤศ พย",
    "dec dez dic des dis дек дец гру сне gru pro aralik ara joulu dhj dets desember ديسمبر كانونالاول دسامبر "
    "דצמבר दिसंबर दिसम्बर δεκ dek دجنبر דצמ दिस ዲሴም ডিস abe ડિસ դեկ დეკ жел ធនូ ಡಿಸ ທັນ ທວ ഡിസ डिस ဒီဇ ဒီ mud "
    "ਦਸੰ دسم uku දෙස டிச డిస ธัน ธค",
)  # fmt: skip


_SAME_LETTERS = str.maketrans("ىیکı", "ييكi", "׳॰.\u200c\u200d")


def _folded(name: str) -> str:
    """Without accents, case and blanks; й stays й."""
    letters = "".join(
        letter if letter == "й" else unicodedata.normalize("NFD", letter)
        for letter in unicodedata.normalize("NFC", name.casefold())
    )
    return "".join(c for c in letters if not (unicodedata.combining(c) or c.isspace())).translate(_SAME_LETTERS)


_MONTH_BY_START = {
    start: number for number, starts in enumerate(_MONTHS, 1) for start in (_folded(word) for word in starts.split())
}
_LONGEST = max(map(len, _MONTH_BY_START))


@lru_cache(256)
def month_of(name: str) -> int:
    """The month that begins so, 1 to 12; 0 if there is none. Two letters count only if they are the whole name."""
    folded = _folded(name)
    if folded.startswith("ב") and folded[1:2] != "":  # Hebrew: "in November"
        folded = folded[1:]
    for length in range(min(len(folded), _LONGEST), 1, -1):
        number = _MONTH_BY_START.get(folded[:length], 0)
        if number and (length > 2 or length == len(folded)):
            return number
    return 0


def zone_offset(name: str, local: datetime) -> timedelta:
    """How far a zone is east of Greenwich at this local time; zero for one that nobody knows.

    A date of which only the zone is unknown is at most fourteen hours wrong, and so far better than none. Raises
    ValueError for an offset that cannot be.
    """
    name = name.strip("()[] ,.")
    if match := _MINUTES.fullmatch(name.upper()):
        if int(match[2]) > 23 or int(match[3] or 0) > 59:
            raise ValueError(f"{name} is no offset")
        size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return size if match[1] == "+" else -size
    if region := _REGION.search(name) or _REGION.fullmatch(_REGIONS.get(name.upper(), "")):
        with suppress(KeyError, ValueError, OSError):  # no such zone
            return ZoneInfo(region[0]).utcoffset(local) or timedelta(0)
    first = name.upper().partition(" ")[0].strip("()[],.")
    return timedelta(minutes=_ZONES.get(first, 0))
