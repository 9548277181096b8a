"""Reports in five languages, and the boilerplate that outlets put around many of them.

All texts are invented. A case is a pair of articles and whether they are one story.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.match.newsroom import WHEN
from watchpost.documents.entry import EntryDraft, article_of
from watchpost.model import Article, derive_id


@dataclass(frozen=True, slots=True)
class Report:
    """One event: its headline, the headline that another outlet gives it, and its text, sentence by sentence."""

    headline: str
    other_headline: str
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """Reports of three events, and boilerplate: a teaser, a disclaimer, links to other reports, and a daily bulletin."""

    reports: tuple[Report, Report, Report]
    teaser: str
    disclaimer: str
    links: str
    bulletin: str  # with {place}, {day}, {count}
    bulletin_title: str
    places: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """Two articles, the second published later, and whether they are one story."""

    name: str
    first: Article
    second: Article
    same: bool


LANGUAGES = {
    "en": Language(
        reports=(
            Report(
                "Customs officers seize 40 kilos of gold at Kayes checkpoint",
                "Smuggled gold found under truck seats in western Mali",
                (
                    "Customs officers at the Kayes checkpoint found forty kilos of raw gold under the seats of a truck on "
                    "Tuesday night, the regional director said.",
                    "The driver, a man of thirty from Diboli, told investigators that he had been paid to carry spare parts "
                    "and knew nothing of the metal.",
                    "Two scales and a list of telephone numbers were taken from the cabin, and a second vehicle that had "
                    "followed at a distance turned back before the barrier.",
                    "The gold will be weighed again in the capital before a judge decides whether the owners of the truck "
                    "may have it back.",
                    "Mining unions say that at least a tenth of what small diggers bring to the surface leaves the country "
                    "without a stamp.",
                ),
            ),
            Report(
                "Ferry captain arrested after collision on the Niger near Mopti",
                "River crash: police hold pilot of the Mopti ferry",
                (
                    "Police in Mopti arrested the captain of a passenger ferry on Wednesday after his vessel struck a barge "
                    "loaded with cement in the main channel.",
                    "Nobody drowned, but six passengers were treated for broken ribs and a schoolteacher lost the exam papers "
                    "of two classes.",
                    "Witnesses on the quay said that the searchlight of the ferry had been dark for weeks and that the barge "
                    "showed no lantern either.",
                    "The river authority has closed the channel at night until buoys are replaced, which boatmen expect to "
                    "take the rest of the dry season.",
                    "The owner of the barge wants the price of two hundred sacks of cement from the company that runs the "
                    "ferries.",
                ),
            ),
            Report(
                "Timbuktu library reopens with manuscripts back from the capital",
                "After twelve years, desert books return home",
                (
                    "The public library of Timbuktu opened its reading room again on Thursday, with the first four hundred "
                    "manuscripts brought back from the capital in steel cases.",
                    "Librarians unpacked treatises on astronomy and a merchant's diary while schoolchildren sang in the yard "
                    "and elders recited the names of the copyists.",
                    "The roof has been sealed against rain, and a small laboratory for the repair of bindings is to follow "
                    "when the power line is finished.",
                    "Families that had hidden boxes under their floors have been invited to have the pages photographed free "
                    "of charge.",
                    "Scholars abroad will be able to read the pictures on the net, but the originals are not to travel again.",
                ),
            ),
        ),
        teaser="Subscribers get every story from our correspondents across the Sahel first, with maps, interviews and the weekly "
        "letter of the editor; subscribe today for the price of a coffee and read on without limits on every device you own.",
        disclaimer="This report was prepared by our newsroom with material from agencies. It has been edited for length and style; "
        "opinions expressed in it are those of their authors and do not reflect the position of the publisher, which accepts no "
        "liability for errors. Reproduction in whole or in part needs written permission. Corrections may be requested by mail, "
        "and are published on the following working day in the same place.",
        links="Read also: Ten questions about the new currency. Why the price of onions doubled in a month. Our photographer's "
        "year in pictures. How to protect your phone on a long journey. The recipe of the week: millet with baobab leaves.",
        bulletin="Security bulletin for {place}. In the past twenty-four hours {count} incidents were recorded in the area of "
        "{place}. The main roads are open in daylight; travel at night is discouraged. Markets open at the usual hours. Clinics "
        "have fuel for generators until the end of the week. Telephone coverage is limited in the evening. The next bulletin for "
        "{place} appears tomorrow at the same hour; the figures are provisional and are checked by the regional office on {day}.",
        bulletin_title="Security bulletin, {place}, {day}",
        places=("Gao", "Mopti"),
    ),
    "fr": Language(
        reports=(
            Report(
                "Kayes : la douane saisit quarante kilos d'or dans un camion",
                "De l'or de contrebande caché sous les sièges d'un poids lourd",
                (
                    "Les douaniers du poste de Kayes ont découvert mardi soir quarante kilos d'or brut sous les sièges d'un "
                    "camion, a indiqué le directeur régional.",
                    "Le chauffeur, trente ans, originaire de Diboli, assure avoir été payé pour transporter des pièces détachées "
                    "et ignorer la présence du métal.",
                    "Deux balances et une liste de numéros de téléphone ont été saisies dans la cabine, tandis qu'un second "
                    "véhicule faisait demi-tour avant la barrière.",
                    "L'or sera pesé de nouveau dans la capitale avant qu'un juge ne dise si les propriétaires peuvent le "
                    "récupérer.",
                    "Selon les syndicats, un dixième au moins de la production artisanale quitte le pays sans aucun tampon.",
                ),
            ),
            Report(
                "Mopti : le capitaine d'un bac arrêté après une collision sur le fleuve",
                "Accident fluvial, le pilote du ferry en garde à vue",
                (
                    "La police de Mopti a interpellé mercredi le capitaine d'un bac après que son bateau a heurté une barge "
                    "chargée de ciment dans le chenal principal.",
                    "Personne ne s'est noyé, mais six passagers souffrent de côtes cassées et une institutrice a perdu les "
                    "copies d'examen de deux classes.",
                    "D'après des témoins sur le quai, le projecteur du bac était éteint depuis des semaines et la barge ne "
                    "portait pas davantage de lanterne.",
                    "L'autorité fluviale ferme le chenal la nuit jusqu'au remplacement des bouées, soit toute la saison sèche "
                    "d'après les piroguiers.",
                    "Le propriétaire de la barge réclame à la compagnie le prix de deux cents sacs de ciment.",
                ),
            ),
            Report(
                "La bibliothèque de Tombouctou rouvre avec ses manuscrits",
                "Après douze ans d'exil, les livres du désert rentrent chez eux",
                (
                    "La bibliothèque publique de Tombouctou a rouvert jeudi sa salle de lecture avec quatre cents premiers "
                    "manuscrits revenus de la capitale dans des caisses d'acier.",
                    "Les bibliothécaires ont déballé des traités d'astronomie et le journal d'un marchand pendant que des "
                    "écoliers chantaient dans la cour.",
                    "Le toit a été étanchéifié, et un petit atelier de restauration des reliures suivra lorsque la ligne "
                    "électrique sera achevée.",
                    "Les familles qui avaient caché des coffres sous leur plancher sont invitées à faire photographier les "
                    "pages gratuitement.",
                    "Les chercheurs étrangers liront les images en ligne, mais les originaux ne voyageront plus.",
                ),
            ),
        ),
        teaser="Cet article est réservé à nos abonnés. Soutenez une rédaction indépendante, recevez chaque matin notre lettre, "
        "accédez à toutes nos enquêtes, nos cartes et nos entretiens, sur tous vos écrans, et résiliez à tout moment sans frais.",
        disclaimer="Cet article a été préparé par notre rédaction à partir de dépêches d'agences. Il a été relu et abrégé ; les "
        "opinions qui y sont exprimées n'engagent que leurs auteurs et ne reflètent pas la position de l'éditeur, lequel décline "
        "toute responsabilité en cas d'erreur. Toute reproduction, même partielle, est soumise à autorisation écrite. Les demandes "
        "de rectification se font par courrier et paraissent le jour ouvrable suivant à la même place.",
        links="Lire aussi : Dix questions sur la nouvelle monnaie. Pourquoi le prix de l'oignon a doublé en un mois. L'année en "
        "images de notre photographe. Comment protéger son téléphone en voyage. La recette de la semaine : mil aux feuilles de "
        "baobab.",
        bulletin="Bulletin de sécurité de {place}. Au cours des dernières vingt-quatre heures, {count} incidents ont été relevés "
        "dans la zone de {place}. Les routes principales sont ouvertes de jour ; les déplacements de nuit sont déconseillés. Les "
        "marchés ouvrent aux heures habituelles. Les cliniques disposent de carburant jusqu'à la fin de la semaine. Le réseau "
        "téléphonique est limité en soirée. Le prochain bulletin de {place} paraît demain à la même heure ; les chiffres, "
        "provisoires, sont vérifiés par le bureau régional le {day}.",
        bulletin_title="Bulletin de sécurité, {place}, {day}",
        places=("Gao", "Mopti"),
    ),
    "es": Language(
        reports=(
            Report(
                "La aduana de Kayes decomisa cuarenta kilos de oro en un camión",
                "Oro de contrabando bajo los asientos de un vehículo pesado",
                (
                    "Los agentes de aduanas del puesto de Kayes hallaron el martes por la noche cuarenta kilos de oro en bruto "
                    "bajo los asientos de un camión, según el director regional.",
                    "El conductor, un hombre de treinta años de Diboli, declaró que le habían pagado por llevar repuestos y que "
                    "no sabía nada del metal.",
                    "En la cabina se incautaron dos balanzas y una lista de teléfonos, y un segundo vehículo que los seguía dio "
                    "la vuelta antes de la barrera.",
                    "El oro se pesará de nuevo en la capital antes de que un juez decida si los dueños pueden recuperarlo.",
                    "Los sindicatos mineros calculan que al menos una décima parte de lo que se extrae a mano sale del país sin "
                    "sello alguno.",
                ),
            ),
            Report(
                "Detenido el capitán de un transbordador tras un choque en el Níger",
                "La policía de Mopti retiene al piloto del barco accidentado",
                (
                    "La policía de Mopti detuvo el miércoles al capitán de un transbordador después de que su nave golpeara una "
                    "barcaza cargada de cemento en el canal principal.",
                    "Nadie se ahogó, pero seis pasajeros tienen costillas rotas y una maestra perdió los exámenes de dos clases.",
                    "Según testigos en el muelle, el foco del transbordador llevaba semanas apagado y la barcaza tampoco "
                    "mostraba farol.",
                    "La autoridad fluvial cierra el canal de noche hasta que se repongan las boyas, lo que según los barqueros "
                    "durará toda la estación seca.",
                    "El dueño de la barcaza exige a la compañía el precio de doscientos sacos de cemento.",
                ),
            ),
            Report(
                "La biblioteca de Tombuctú reabre con sus manuscritos",
                "Los libros del desierto vuelven a casa después de doce años",
                (
                    "La biblioteca pública de Tombuctú abrió de nuevo el jueves su sala de lectura con los primeros "
                    "cuatrocientos manuscritos traídos de la capital en cajas de acero.",
                    "Los bibliotecarios desempaquetaron tratados de astronomía y el diario de un comerciante mientras unos "
                    "escolares cantaban en el patio.",
                    "El tejado se ha sellado contra la lluvia y seguirá un pequeño taller para reparar encuadernaciones cuando "
                    "termine el tendido eléctrico.",
                    "Las familias que habían escondido arcas bajo el suelo pueden hacer fotografiar las páginas gratis.",
                    "Los estudiosos extranjeros leerán las imágenes en la red, pero los originales no volverán a viajar.",
                ),
            ),
        ),
        teaser="Contenido exclusivo para suscriptores: apoye el periodismo independiente, reciba cada mañana nuestro boletín, "
        "acceda a todas las investigaciones, mapas y entrevistas desde cualquier dispositivo y cancele cuando quiera sin coste.",
        disclaimer="Esta información ha sido elaborada por nuestra redacción con material de agencias. Se ha editado por razones "
        "de espacio y estilo; las opiniones expresadas pertenecen a sus autores y no reflejan la posición del editor, que no "
        "responde de posibles errores. Queda prohibida la reproducción total o parcial sin permiso escrito. Las correcciones "
        "pueden solicitarse por correo y se publican el siguiente día laborable en el mismo lugar.",
        links="Lea también: Diez preguntas sobre la nueva moneda. Por qué el precio de la cebolla se dobló en un mes. El año en "
        "imágenes de nuestro fotógrafo. Cómo proteger el teléfono en un viaje largo. La receta de la semana: mijo con hojas de "
        "baobab.",
        bulletin="Boletín de seguridad de {place}. En las últimas veinticuatro horas se registraron {count} incidentes en la zona "
        "de {place}. Las carreteras principales están abiertas de día; se desaconseja viajar de noche. Los mercados abren a las "
        "horas habituales. Las clínicas tienen combustible hasta el fin de semana. La cobertura telefónica es limitada por la "
        "tarde. El próximo boletín de {place} aparece mañana a la misma hora; las cifras son provisionales y la oficina regional "
        "las revisa el {day}.",
        bulletin_title="Boletín de seguridad, {place}, {day}",
        places=("Gao", "Mopti"),
    ),
    "ru": Language(
        reports=(
            Report(
                "Таможня в Каесе изъяла сорок килограммов золота",
                "Контрабандный металл нашли под сиденьями грузовика",
                (
                    "Таможенники поста Каес во вторник вечером обнаружили сорок килограммов необработанного золота под "
                    "сиденьями грузовика, сообщил региональный директор.",
                    "Водитель, тридцатилетний житель Диболи, заявил следователям, что ему заплатили за перевозку запчастей и "
                    "о металле он ничего не знал.",
                    "Из кабины изъяты двое весов и список телефонных номеров, а вторая машина, следовавшая поодаль, "
                    "развернулась перед шлагбаумом.",
                    "Золото взвесят ещё раз в столице, после чего судья решит, могут ли владельцы получить его обратно.",
                    "Профсоюзы горняков считают, что не меньше десятой части ручной добычи покидает страну без всякого клейма.",
                ),
            ),
            Report(
                "Капитан парома арестован после столкновения на Нигере",
                "Полиция Мопти задержала рулевого пассажирского судна",
                (
                    "Полиция Мопти в среду арестовала капитана пассажирского парома, после того как судно ударило баржу с "
                    "цементом в главном русле реки.",
                    "Никто не утонул, однако шестеро пассажиров получили переломы рёбер, а учительница лишилась "
                    "экзаменационных работ двух классов.",
                    "Очевидцы на причале рассказали, что прожектор парома не горел неделями, да и на барже не было фонаря.",
                    "Речное ведомство закрыло русло на ночь до замены буёв, на что, по словам лодочников, уйдёт весь сухой "
                    "сезон.",
                    "Хозяин баржи требует от компании стоимость двухсот мешков цемента.",
                ),
            ),
            Report(
                "Библиотека Томбукту открылась вновь: рукописи вернулись",
                "Книги пустыни дома спустя двенадцать лет",
                (
                    "Публичная библиотека Томбукту в четверг снова открыла читальный зал, куда из столицы в стальных ящиках "
                    "привезли первые четыреста рукописей.",
                    "Библиотекари распаковывали трактаты по астрономии и дневник купца, пока во дворе пели школьники.",
                    "Крышу защитили от дождя, а небольшая мастерская по ремонту переплётов появится, когда достроят линию "
                    "электропередачи.",
                    "Семьи, прятавшие сундуки под полом, приглашены бесплатно сфотографировать страницы.",
                    "Зарубежные учёные прочтут снимки в сети, но подлинники больше никуда не поедут.",
                ),
            ),
        ),
        teaser="Полный текст доступен подписчикам. Поддержите независимую редакцию, получайте каждое утро наше письмо, читайте все "
        "расследования, карты и беседы на любом устройстве и отменяйте подписку в любое время без всяких дополнительных условий.",
        disclaimer="Материал подготовлен редакцией по сообщениям информационных агентств. Текст сокращён и отредактирован; "
        "высказанные мнения принадлежат их авторам и могут не совпадать с позицией издателя, который не отвечает за возможные "
        "ошибки. Полная или частичная перепечатка допускается лишь с письменного разрешения. Просьбы об исправлениях принимаются "
        "почтой и публикуются в следующий рабочий день на том же месте.",
        links="Читайте также: Десять вопросов о новой валюте. Почему лук за месяц подорожал вдвое. Год в снимках нашего фотографа. "
        "Как сберечь телефон в долгой дороге. Рецепт недели: просо с листьями баобаба и рыбой.",
        bulletin="Сводка безопасности, {place}. За минувшие сутки в районе {place} зафиксировано происшествий: {count}. Главные "
        "дороги днём открыты; ночью ездить не рекомендуется. Рынки работают в обычные часы. У клиник есть топливо для генераторов "
        "до конца недели. Телефонная связь вечером ограничена. Следующая сводка, {place}, выйдет завтра в то же время; данные "
        "предварительные и проверяются региональным отделением {day}.",
        bulletin_title="Сводка безопасности, {place}, {day}",
        places=("Гао", "Мопти"),
    ),
    "ar": Language(
        reports=(
            Report(
                "جمارك كايس تضبط أربعين كيلوغراما من الذهب",
                "معدن مهرب تحت مقاعد شاحنة في غرب مالي",
                (
                    "عثر ضباط الجمارك في حاجز كايس مساء الثلاثاء على أربعين كيلوغراما من الذهب الخام تحت مقاعد شاحنة بحسب "
                    "المدير الإقليمي.",
                    "وقال السائق وهو رجل في الثلاثين من ديبولي للمحققين إنه تقاضى أجرا لنقل قطع غيار ولم يكن يعلم شيئا عن "
                    "المعدن.",
                    "وصودر من المقصورة ميزانان وقائمة بأرقام هواتف فيما استدارت مركبة ثانية كانت تتبعهم قبل الحاجز.",
                    "وسيوزن الذهب مرة أخرى في العاصمة قبل أن يقرر قاض ما إذا كان بإمكان أصحابه استعادته.",
                    "وتقول نقابات المناجم إن عشر ما يستخرجه الحفارون الصغار على الأقل يغادر البلاد دون أي ختم.",
                ),
            ),
            Report(
                "توقيف قبطان عبارة بعد تصادم في نهر النيجر",
                "شرطة موبتي تحتجز ربان سفينة الركاب",
                (
                    "أوقفت شرطة موبتي يوم الأربعاء قبطان عبارة للركاب بعدما صدمت سفينته بارجة محملة بالإسمنت في المجرى "
                    "الرئيسي.",
                    "ولم يغرق أحد لكن ستة ركاب أصيبوا بكسور في الأضلاع وفقدت معلمة أوراق امتحان صفين.",
                    "وقال شهود على الرصيف إن كشاف العبارة ظل مطفأ منذ أسابيع وإن البارجة لم تحمل فانوسا أيضا.",
                    "وأغلقت سلطة النهر المجرى ليلا إلى حين استبدال العوامات وهو ما يتوقع أصحاب القوارب أن يستغرق موسم الجفاف "
                    "كله.",
                    "ويطالب صاحب البارجة الشركة بثمن مئتي كيس من الإسمنت.",
                ),
            ),
            Report(
                "مكتبة تمبكتو تفتح أبوابها مجددا مع عودة المخطوطات",
                "كتب الصحراء تعود إلى ديارها بعد اثني عشر عاما",
                (
                    "فتحت المكتبة العامة في تمبكتو يوم الخميس قاعة القراءة من جديد مع أول أربعمئة مخطوطة أعيدت من العاصمة في "
                    "صناديق فولاذية.",
                    "وأخرج أمناء المكتبة رسائل في علم الفلك ويوميات تاجر بينما غنى تلاميذ المدارس في الفناء.",
                    "وجرى عزل السقف ضد المطر وسيتبعه مختبر صغير لترميم الأغلفة حين يكتمل خط الكهرباء.",
                    "ودعيت العائلات التي أخفت صناديق تحت أرضياتها إلى تصوير الصفحات مجانا.",
                    "وسيقرأ الباحثون في الخارج الصور على الشبكة لكن الأصول لن تسافر مرة أخرى.",
                ),
            ),
        ),
        teaser="هذا المحتوى متاح للمشتركين فقط ادعموا صحافة مستقلة واحصلوا كل صباح على رسالتنا البريدية وتصفحوا جميع التحقيقات "
        "والخرائط والمقابلات على كل أجهزتكم مع إمكان إلغاء الاشتراك في أي وقت ودون أي رسوم إضافية أو شروط أخرى.",
        disclaimer="أعد هذا التقرير قسم التحرير لدينا بالاستعانة بمواد من وكالات الأنباء وجرى اختصاره وتنقيحه والآراء الواردة فيه "
        "تعبر عن أصحابها ولا تعكس موقف الناشر الذي لا يتحمل أي مسؤولية عن الأخطاء ويمنع النسخ الكلي أو الجزئي دون إذن خطي "
        "ويمكن طلب التصحيح بالبريد وينشر في يوم العمل التالي في المكان نفسه.",
        links="اقرأ أيضا عشرة أسئلة عن العملة الجديدة لماذا تضاعف سعر البصل في شهر عام مصورنا في لقطات كيف تحمي هاتفك في رحلة "
        "طويلة وصفة الأسبوع دخن بأوراق الباوباب مع السمك المجفف.",
        bulletin="النشرة الأمنية في {place} سجلت خلال الساعات الأربع والعشرين الماضية {count} حوادث في منطقة {place} والطرق "
        "الرئيسية مفتوحة نهارا ولا ينصح بالتنقل ليلا وتفتح الأسواق في مواعيدها المعتادة ولدى العيادات وقود للمولدات حتى نهاية "
        "الأسبوع وتغطية الهاتف محدودة مساء وتصدر النشرة المقبلة في {place} غدا في الموعد نفسه والأرقام أولية ويراجعها المكتب "
        "الإقليمي في {day}.",
        bulletin_title="النشرة الأمنية {place} {day}",
        places=("غاو", "موبتي"),
    ),
}


def written(title: str, body: str, outlet: str, lang: str, *, hours: float = 0, **fields: Any) -> Article:
    """An article as a feed brings it, published `hours` after the first."""
    when = WHEN + timedelta(hours=hours)
    link = f"https://{outlet}.example/{derive_id('page', title, body)[:8]}"
    draft = EntryDraft(title=title, text=body, link=link, outlet=outlet, published=when, **fields)
    return article_of(draft, article_id=f"{outlet}/{title}/{hours}", source=outlet, now=when, lang=lang)


def cases() -> Iterator[Case]:
    """Every case in every language."""
    for lang, words in LANGUAGES.items():
        yield from _apart(lang, words)
        yield from _hardly_apart(lang, words)
        yield from _together(lang, words)


def _apart(lang: str, words: Language) -> Iterator[Case]:
    gold, ferry, library = words.reports

    def pair(name: str, one: tuple[str, str, str], other: tuple[str, str, str], hours: float = 2) -> Case:
        first, second = written(*one, lang), written(*other, lang, hours=hours)
        return Case(f"{lang}: {name}", first, second, same=False)

    for hours in (1, 30):
        yield pair(
            f"a teaser under each headline, {hours} h apart",
            (gold.headline, words.teaser, "daily"),
            (ferry.headline, words.teaser, "daily"),
            hours,
        )
    yield pair(
        "a teaser of two outlets of one publisher",
        (gold.headline, words.teaser, "daily"),
        (library.headline, words.teaser, "sunday"),
    )
    for name, boilerplate in (("disclaimer", words.disclaimer), ("links", words.links), ("teaser", words.teaser)):
        yield pair(
            f"a lead of its own and one {name} below, one outlet",
            (gold.headline, f"{gold.text[0]}\n\n{boilerplate}", "daily"),
            (ferry.headline, f"{ferry.text[0]}\n\n{boilerplate}", "daily"),
        )
        yield pair(
            f"a lead of its own and one {name} below, two outlets",
            (gold.headline, f"{gold.text[0]}\n\n{boilerplate}", "daily"),
            (library.headline, f"{library.text[0]}\n\n{boilerplate}", "sunday"),
        )
    yield pair(
        "a disclaimer above the lead, two outlets",
        (ferry.headline, f"{words.disclaimer}\n\n{ferry.text[0]}", "daily"),
        (library.headline, f"{words.disclaimer}\n\n{library.text[0]}", "sunday"),
    )
    here, there = words.places
    for name, (day, count, place, hours) in {
        "of the next day": ("25.11.", 7, here, 24),
        "of another place on the same day": ("24.11.", 4, there, 1),
    }.items():
        yield pair(
            f"a bulletin {name}",
            (
                words.bulletin_title.format(place=here, day="24.11."),
                words.bulletin.format(place=here, day="24.11.", count=3),
                "office",
            ),
            (
                words.bulletin_title.format(place=place, day=day),
                words.bulletin.format(place=place, day=day, count=count),
                "office",
            ),
            hours,
        )


def _hardly_apart(lang: str, words: Language) -> Iterator[Case]:
    """Two reports with more boilerplate than text, of one outlet and of two."""
    gold, ferry, library = words.reports
    here, show = words.places[0], words.bulletin_title.format(place="", day="").strip(" ,")
    changed = words.teaser.split()
    changed[len(changed) // 2] = "50"
    start = " ".join(gold.headline.split()[: len(gold.headline.split()) // 2])
    half_alike = f"{start} {' '.join(ferry.headline.split()[len(ferry.headline.split()) // 2 :])}"
    all_below = f"{words.links}\n\n{words.teaser}\n\n{words.disclaimer}"
    title = f"{show} {here}"
    pairs: dict[str, tuple[tuple[str, str], tuple[str, str], float]] = {
        "a teaser with one changed word": ((gold.headline, words.teaser), (ferry.headline, " ".join(changed)), 2),
        "a disclaimer above the lead": (
            (gold.headline, f"{words.disclaimer}\n\n{gold.text[0]}"),
            (ferry.headline, f"{words.disclaimer}\n\n{ferry.text[0]}"),
            2,
        ),
        "a disclaimer above the lead under headlines that are half alike": (
            (gold.headline, f"{words.disclaimer}\n\n{gold.text[0]}"),
            (half_alike, f"{words.disclaimer}\n\n{ferry.text[0]}"),
            2,
        ),
        "a teaser under headlines that are half alike": ((gold.headline, words.teaser), (half_alike, words.teaser), 2),
        "a list of links that names the other report": (
            (gold.headline, f"{gold.text[0]}\n\n{words.links} {ferry.headline}.\n\n{words.teaser}"),
            (ferry.headline, f"{ferry.text[0]}\n\n{words.links} {gold.headline}.\n\n{words.teaser}"),
            2,
        ),
        "nothing but links and a teaser": (
            (gold.headline, f"{words.links} {ferry.headline}.\n\n{words.teaser}"),
            (ferry.headline, f"{words.links} {gold.headline}.\n\n{words.teaser}"),
            2,
        ),
        "links, a teaser and a disclaimer below the lead": (
            (gold.headline, f"{gold.text[0]}\n\n{all_below}"),
            (ferry.headline, f"{ferry.text[0]}\n\n{all_below}"),
            2,
        ),
        "the name of a show in the headline": (
            (f"{show}: {gold.headline}", f"{gold.text[0]}\n\n{words.disclaimer}"),
            (f"{show}: {ferry.headline}", f"{ferry.text[0]}\n\n{words.disclaimer}"),
            2,
        ),
        "one headline, and a lead of its own above a teaser": (
            (start, f"{gold.text[0]}\n\n{words.teaser}"),
            (start, f"{ferry.text[0]}\n\n{words.teaser}"),
            2,
        ),
        "the bulletin of the next day under the same headline": (
            (title, words.bulletin.format(place=here, day="24.11.", count=3)),
            (title, words.bulletin.format(place=here, day="25.11.", count=7)),
            24,
        ),
        "the next part of a series with one introduction": (
            (f"{gold.headline} (1/3)", f"{words.disclaimer}\n\n{gold.text[1]}\n\n{gold.text[2]}"),
            (f"{gold.headline} (2/3)", f"{words.disclaimer}\n\n{library.text[1]}\n\n{library.text[2]}"),
            24,
        ),
    }
    for outlet in ("daily", "sunday"):
        for name, (one, other, hours) in pairs.items():
            first, second = written(*one, "daily", lang), written(*other, outlet, lang, hours=hours)
            yield Case(f"{lang}: {name}, {'one outlet' if outlet == 'daily' else 'two outlets'}", first, second, False)


def _together(lang: str, words: Language) -> Iterator[Case]:
    gold, ferry, library = words.reports

    def pair(name: str, one: tuple[str, str, str], other: tuple[str, str, str]) -> Case:
        return Case(f"{lang}: {name}", written(*one, lang), written(*other, lang, hours=3), same=True)

    def text(report: Report, *order: int) -> str:
        return "\n\n".join(report.text[number] for number in order or range(len(report.text)))

    yield pair(
        "a copy under another headline",
        (gold.headline, text(gold), "agency"),
        (gold.other_headline, text(gold), "paper"),
    )
    yield pair(
        "a copy that is cut",
        (ferry.headline, text(ferry), "agency"),
        (ferry.other_headline, text(ferry, 0, 1, 2), "paper"),
    )
    yield pair(
        "a copy in another order",
        (library.headline, text(library), "agency"),
        (library.other_headline, text(library, 0, 3, 1, 2, 4), "paper"),
    )
    yield pair(
        "a copy with boilerplate below",
        (gold.headline, text(gold), "agency"),
        (gold.other_headline, f"{text(gold)}\n\n{words.links}\n\n{words.teaser}", "paper"),
    )
    yield pair(
        "a copy with a disclaimer above",
        (ferry.headline, text(ferry), "agency"),
        (ferry.other_headline, f"{words.disclaimer}\n\n{text(ferry)}", "paper"),
    )
