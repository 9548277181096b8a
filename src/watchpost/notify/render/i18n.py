"""Pure: the house's own words in each language that it speaks, as templates. A further language is one more value.

A noun is a pair: for one, for several. Braces are filled by `str.format`; foreign text only ever goes in as a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchpost.model import Digest

Noun = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Phrases:
    """What an edition says in one language. `language` is its tag (BCP 47); `zero_is_one`: "0 source", as in French."""

    language: str
    zero_is_one: bool
    story: Noun
    article: Noun
    source: Noun
    independent: Noun
    more_topics: Noun
    status: Mapping[str, str]
    counted: Mapping[str, Noun]
    severity: Mapping[str, str]
    units: tuple[str, str, str]
    both: str
    summary: str
    nothing: str
    nothing_of: str
    nothing_shown: str
    nothing_read: str
    nothing_in_part: str
    the_others: str
    part: str
    late: str
    window: str
    not_shown: str
    not_read: str
    no_reason: str
    since: str
    never_read: str
    further: str
    colophon: str
    yesterday: str
    accounted: str
    unaccounted: str
    open: str
    top: str
    why: str
    also: str
    topics: str
    test: str
    undated: str
    published: str
    seen: str
    headline_changed: str
    figures_corrected: str
    hit: Noun
    further_hit: Noun
    silenced: str
    flood: str
    flood_only: str
    corrections: str
    following: str
    ago: str
    omitted: str
    spike: str
    spike_new: str
    spikes: str
    spike_of: str
    count_usual: str
    count_only: str
    point: str

    def decimal(self, number: float) -> str:
        """A number with one digit after the point: "3.1"."""
        return f"{number:.1f}".replace(".", self.point)

    def count(self, number: int, noun: Noun) -> str:
        """A number with its noun: "1 story", "2 stories"."""
        return f"{number} {noun[number != 1 and not (number == 0 and self.zero_is_one)]}"


ENGLISH = Phrases(
    language="en",
    zero_is_one=False,
    story=("story", "stories"),
    article=("article", "articles"),
    source=("source", "sources"),
    independent=("independent", "independent"),
    more_topics=("more topic", "more topics"),
    status={"new": "NEW", "updated": "UPDATE", "continuing": "CONTINUING"},
    counted={"new": ("new", "new"), "updated": ("updated", "updated"), "continuing": ("continuing", "continuing")},
    severity={"low": "LOW", "normal": "NORMAL", "high": "HIGH"},
    units=("d", "h", "min"),
    both="{0} and {1}",
    summary="{stories} from {articles}: {states}.",
    nothing="Nothing matched.",
    nothing_of="Nothing matched. {sources} read.",
    nothing_shown="Nothing shown: {stories} left out.",
    nothing_read="Nothing could be read: {failed} of {total} sources failed.",
    nothing_in_part="Nothing matched in what could be read: {known}.",
    the_others="the other sources",
    part="{number} of {sources}",
    late="Closed {duration} late: the service was down.",
    window="Window: {window}",
    not_shown="Not shown: {stories}.",
    not_read="Not read: {part}: {told}",
    no_reason="no reason known",
    since="{reason} since {moment}",
    never_read="{reason}, never read yet",
    further="{number} more",
    yesterday="Yesterday: {sources}, {articles} read, {hits} found: {verdict}.",
    accounted="all accounted for",
    unaccounted="NOT ALL ACCOUNTED FOR ({gaps}); ask whoever runs watchpost",
    colophon="You get this because you are on {receiver} of {install}.",
    open="Open watchpost",
    top="Top: {title}",
    why="Why: {words}.",
    also="Also: {outlets}.",
    topics="Topics: {topics}.",
    test="TEST MESSAGE",
    undated="no date, seen {seen}",
    published="published {published} ({ago}), seen {seen}",
    seen="{published} ({ago}, seen {seen})",
    headline_changed="Headline changed",
    figures_corrected="Figures corrected: {figures}",
    hit=("hit", "hits"),
    further_hit=("further hit was", "further hits were"),
    silenced="Silenced: {hits}.",
    flood="Flood on {topic}: {hits} counted and not listed.",
    flood_only="Flood: {hits} beyond the limit, counted and not listed.",
    corrections="Corrections: {told}.",
    following="Next edition: {moment}.",
    ago="{duration} ago",
    omitted="{number} {severity}",
    spike=": SPIKE {times}×",
    spike_new=": SPIKE",
    spikes="Much more than usual: {topics}.",
    spike_of="{topic} {count} (usually {usual})",
    count_usual="{count} now, usually {usual}",
    count_only="{count} now",
    point=".",
)

FRENCH = Phrases(
    language="fr",
    zero_is_one=True,
    story=("sujet", "sujets"),
    article=("article", "articles"),
    source=("source", "sources"),
    independent=("indépendante", "indépendantes"),
    more_topics=("autre thème", "autres thèmes"),
    status={"new": "NOUVEAU", "updated": "MIS À JOUR", "continuing": "SUITE"},
    counted={
        "new": ("nouveau", "nouveaux"),
        "updated": ("mis à jour", "mis à jour"),
        "continuing": ("en cours", "en cours"),
    },
    severity={"low": "FAIBLE", "normal": "NORMAL", "high": "URGENT"},
    units=("j", "h", "min"),
    both="{0} et {1}",
    summary="{stories} d'après {articles} : {states}.",
    nothing="Rien à signaler.",
    nothing_of="Rien à signaler. Sources lues : {sources}.",
    nothing_shown="Rien d'affiché ; laissé de côté : {stories}.",
    nothing_read="Rien n'a pu être lu : {failed} sources sur {total} en échec.",
    nothing_in_part="Rien à signaler dans ce qui a pu être lu : {known}.",
    the_others="les autres sources",
    part="{number} sur {sources}",
    late="Clôturé avec {duration} de retard : le service était arrêté.",
    window="Période : {window}",
    not_shown="Non affiché : {stories}.",
    not_read="Non lu : {part} : {told}",
    no_reason="cause inconnue",
    since="{reason} depuis {moment}",
    never_read="{reason}, encore jamais lu",
    further="{number} de plus",
    yesterday="Hier : {sources}, {articles}, dont {hits} à signaler : {verdict}.",
    accounted="le compte y est",
    unaccounted="LE COMPTE N’Y EST PAS ({gaps}) ; prévenez les responsables de watchpost",
    colophon="Vous recevez ceci comme destinataire de {receiver} ({install}).",
    open="Ouvrir watchpost",
    top="En tête : {title}",
    why="Motif : {words}.",
    also="Aussi : {outlets}.",
    topics="Thèmes : {topics}.",
    test="MESSAGE D'ESSAI",
    undated="sans date, vu {seen}",
    published="publié {published} ({ago}), vu {seen}",
    seen="{published} ({ago}, vu {seen})",
    headline_changed="Titre modifié",
    figures_corrected="Chiffres corrigés : {figures}",
    hit=("résultat", "résultats"),
    further_hit=("autre résultat compté, non affiché", "autres résultats comptés, non affichés"),
    silenced="Mis en sourdine : {hits}.",
    flood="Afflux sur {topic} : {hits}.",
    flood_only="Afflux : {hits} au-delà de la limite, comptés, non affichés.",
    corrections="Corrections : {told}.",
    following="Prochaine édition : {moment}.",
    ago="il y a {duration}",
    omitted="{number} {severity}",
    spike=" : PIC {times}×",
    spike_new=" : PIC",
    spikes="Bien plus que d'ordinaire : {topics}.",
    spike_of="{topic} {count} ({usual} d'ordinaire)",
    count_usual="{count} cette fois, {usual} d'ordinaire",
    count_only="{count} cette fois",
    point=",",
)

_SPOKEN = {phrases.language: phrases for phrases in (ENGLISH, FRENCH)}
LANGUAGES = tuple(_SPOKEN)


def phrases_for(language: str) -> Phrases:
    """The words of that language (a BCP 47 tag); English where the house does not speak it."""
    return _SPOKEN.get(language.split("-")[0].lower(), ENGLISH)


def phrases_of(digest: Digest) -> Phrases:
    """The words of the digest's language."""
    return phrases_for(digest.language)
