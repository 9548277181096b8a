"""Still: whose words an article carries: the agency that its credit lines name, else its own outlet.

Credit lines are the author, the dateline at the beginning of the text, and a short last line. Agencies are not
looked for in the text between: "AFP learned" is another paper's report about what AFP says.
"""

from __future__ import annotations

import re

from watchpost.model import Article

# The names under which agencies sign, in the scripts of their customers. Order decides if two stand in one line.
_AGENCIES: tuple[tuple[str, str], ...] = (
    ("AFP", r"AFP|Agence France[- ]Presse|Агентство Франс Пресс|АФП|فرانس برس|أ\s?ف\s?ب|法新社|AFP通信|AFP時事"),
    ("Reuters", r"Reuters|REUTERS|Рейтер|رويترز|路透社|ロイター|로이터"),
    ("AP", r"AP|Associated Press|The Associated Press|أسوشيتد برس|美联社|AP通信"),
    ("TASS", r"TASS|ITAR-TASS|ТАСС|ИТАР-ТАСС|تاس|塔斯社|タス通信"),
    ("RIA Novosti", r"RIA Novosti|РИА Новости|RIA"),
    ("Interfax", r"Interfax|Интерфакс"),
    ("Sputnik", r"Sputnik|Спутник|سبوتنيك"),
    ("Xinhua", r"Xinhua|XINHUA|新华社|新華社|Синьхуа|شينخوا"),
    ("dpa", r"dpa|DPA|Deutsche Presse-Agentur"),
    ("EFE", r"EFE|Agencia EFE"),
    ("ANSA", r"ANSA"),
    ("Lusa", r"Lusa|LUSA|Agência Lusa"),
    ("Anadolu", r"AA|Anadolu(?: Agency| Ajansı)?|الأناضول"),
    ("Kyodo", r"Kyodo|共同通信|共同社"),
    ("Yonhap", r"Yonhap|연합뉴스"),
    ("PTI", r"PTI"),
    ("ANP", r"ANP"),
    ("Belga", r"Belga|BELGA"),
    ("Keystone-ATS", r"Keystone-ATS|ATS|Keystone-SDA"),
    ("APA", r"APA"),
    ("PAP", r"PAP"),
    ("NTB", r"NTB"),
    ("Ritzau", r"Ritzau"),
    ("APS", r"APS"),
    ("AMAP", r"AMAP"),
    ("PANA", r"PANA|Panapress"),
    ("QNA", r"QNA|قنا"),
    ("WAM", r"WAM|وام"),
    ("MENA", r"MENA|أ ش أ"),
)
_NAMES = "|".join(names for _, names in _AGENCIES)
_BY_NAME = [(agency, re.compile(rf"(?:{names})")) for agency, names in _AGENCIES]

# "PARIS (AFP) –", "BAMAKO, 24 nov. (Reuters) -", "МОСКВА, 5 сентября. /ТАСС/"; "МОСКВА, 5 сен — РИА Новости. ";
# "新华社巴马科11月24日电"
_BRACKETED = re.compile(rf"^.{{0,80}}?[(（\[/【]\s*(?P<name>{_NAMES})(?:[\s/,.\-–—][^)）\]/】]{{0,30}})?\s*[)）\]/】]")
_DASHED = re.compile(
    rf"^.{{0,60}}?(?:^|[\s,.:–—-])(?P<name>{_NAMES})\s*(?:[-–—:]|\.\s*[-–—])\s"
    rf"|^.{{0,60}}?[-–—]\s*(?P<closed>{_NAMES})\.\s"
)
_WIRE = re.compile(r"^(?P<name>新华社|新華社|法新社|路透社|美联社|塔斯社|共同社)\S{0,20}?(?:电|電|讯|訊)")
# "(AFP)", "© AFP", "avec AFP", "Source: Reuters", "По материалам ТАСС", "With reporting by AP"; a line of its own.
_SIGNED = re.compile(rf"(?<!\w)(?P<name>{_NAMES})(?!\w)")
_LONGEST_SIGNATURE = 70
_LEAD_WORDS = re.compile(r"\w+")


def voice(article: Article) -> tuple[str, bool]:
    """Whose voice the article is, and whether it is an agency that it credits.

    "AFP" for all that comes from AFP; without a credit line the outlet, or the source if that is unknown.
    """
    for line in _credit_lines(article):
        agency = _agency(line)
        if agency:
            return agency, True
    return article.outlet or article.source, False


def _credit_lines(article: Article) -> list[str]:
    paragraphs = [line.strip() for line in article.body.split("\n") if line.strip()]
    found = [article.author]
    for paragraph in paragraphs[:3]:  # a photograph's caption or a kicker may stand above the dateline
        datelines = (form.match(paragraph[:140]) for form in (_BRACKETED, _WIRE, _DASHED))
        found += [next(filter(None, match.groups())) for match in datelines if match]
    if len(paragraphs) > 1:
        found += [line for line in paragraphs[-3:] if len(line) <= _LONGEST_SIGNATURE]
        found.append(_closing_brackets(paragraphs[-1]))
    return [line for line in found if line]


def _closing_brackets(paragraph: str) -> str:
    """What stands in brackets at the very end: "… said the minister. (Reuters)"."""
    match = re.search(r"[(（\[]([^()（）\[\]]{2,40})[)）\]]\s*\.?$", paragraph)
    return match[1] if match else ""


def _agency(line: str) -> str:
    signed = _SIGNED.search(line) or re.fullmatch(rf"(?P<name>{_NAMES})", line)
    if not signed or len(_LEAD_WORDS.findall(line)) > 10:
        return ""
    return next((agency for agency, names in _BY_NAME if names.fullmatch(signed["name"])), "")
