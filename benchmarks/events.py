"""Events on labelled articles: how many pairs of one event are joined, and how many others; `make eval-events`.

    python -m benchmarks.events [--corpus DIR] [--fit] [--witnesses] [--errors N]

Weights are fitted on the events of one half and tested on those of the other, both ways. The articles of the corpus are
beside the project; tests/events/independent.tsv has more, in another hand: pairs of texts of one language that are
independent of each other, and look-alikes. Copies of one text are left out: stories join them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path

import numpy as np

from watchpost.events.decision import Rarity, features
from watchpost.events.embedding import SentenceEncoder
from watchpost.events.joining import LIMITS, LIMITS_WITHOUT_EMBEDDING, WINDOW, Events, Report, Thresholds
from watchpost.events.witnesses import Witnesses, embedded_text, witnesses
from watchpost.match.event_country import WEIGHTS, clues, is_there, named
from watchpost.match.event_country import features as country_features
from watchpost.model import Article
from watchpost.query.document import Document

CORPUS = Path("../shared/corpus/week")
OWN = Path("tests/events/independent.tsv")

WITNESSES = {
    "alike": ("alike",),
    "places": ("town", "early town", "apart", "country", "other country"),
    "figures": ("number", "harm", "other harm", "first harm", "other first harm"),
    "names": ("names",),
    "kinds": ("kinds", "kinds in common"),
    "time": ("hours", "day", "other day"),
}
"""The values of each witness."""

PACES = (1.0, 0.5, 0.1)
"""Weights are fitted on the articles as they came, and as if they had come in a half and a tenth of the time.

Otherwise the hours between two articles would say too much: on a busy day, reports of other things are as near.
"""

GROUPS = ("across languages", "one language, independent", "look-alikes")


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article with its event, its story, the set that it is from, and where it happened; `half` is of its event."""

    article: Article
    event: str
    story: str
    set: str
    countries: frozenset[str]
    about: frozenset[str]
    hit: bool
    traps: frozenset[str]

    @property
    def half(self) -> int:
        return int(self.event[1:]) % 2


def corpus(folder: Path) -> Iterator[Labelled]:
    """The articles of a corpus in the form of `score_events.py`."""
    for line in (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        at = datetime.fromisoformat(row["published"])
        yield Labelled(
            Article(
                row["id"],
                row["source"],
                row["title"],
                row["body"],
                at,
                outlet=row["source"],
                summary=row["summary"],
                lang=row["lang"],
                published=at,
            ),
            row["event"],
            row["story"],
            folder.name,
            frozenset(place["country"] for place in row["places"] if place["role"] == "event"),
            frozenset({"ML"} if row["labels"].get("mali") else ()),
            any(row["labels"].values()),
            frozenset(word for word in row.get("note", "").split() if word.startswith("trap:")),
        )


def own(path: Path = OWN) -> Iterator[Labelled]:
    """The articles of tests/events/independent.tsv."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for number, (event, lang, published, countries, title, body) in enumerate(rows):
        at = datetime.fromisoformat(f"{published}:00+00:00")
        id_ = f"own-{number:03}"
        yield Labelled(
            Article(id_, f"Outlet {number}", title, body, at, outlet=f"Outlet {number}", lang=lang, published=at),
            event,
            id_,
            "own",
            frozenset(countries.split(",")),
            frozenset({"ML"}),
            True,
            frozenset(),
        )


def witnessed(labelled: Sequence[Labelled], encoder: SentenceEncoder | None) -> dict[str, Witnesses]:
    """What each article says about its event, by its id."""
    return {
        one.article.id: witnesses(
            one.article, one.about, encoder.vector(embedded_text(one.article)) if encoder else b""
        )
        for one in labelled
    }


Pair = tuple[Labelled, Labelled]


def compared(labelled: Sequence[Labelled], said: Mapping[str, Witnesses]) -> list[tuple[Pair, dict[str, float]]]:
    """All pairs of hits within the window, none of one story, with what they have in common."""
    rows = []
    for group in by_set(labelled).values():
        rarity = Rarity()
        for one in group:
            rarity.add(said[one.article.id])
        for one, other in combinations(group, 2):
            mine, theirs = said[one.article.id], said[other.article.id]
            if one.story != other.story and abs(mine.published - theirs.published) <= WINDOW:
                rows.append(((one, other), features(mine, theirs, rarity)))
    return rows


def at_paces(labelled: Sequence[Labelled], said: Mapping[str, Witnesses]) -> list[tuple[Pair, dict[str, float]]]:
    """What `compared` gives, at each of the paces."""
    return [row for pace in PACES for row in compared(labelled, faster(said, pace))]


def faster(said: Mapping[str, Witnesses], pace: float) -> dict[str, Witnesses]:
    """The same articles, with the time between any two of them multiplied by `pace`."""
    first = min(one.published for one in said.values())
    return {key: replace(one, published=first + (one.published - first) * pace) for key, one in said.items()}


def by_set(labelled: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    """The hits of each set, in the order in which they came; of a story the first."""
    groups: dict[str, dict[str, Labelled]] = defaultdict(dict)
    for one in sorted(labelled, key=lambda one: one.article.fetched):
        if one.hit:
            groups[one.set].setdefault(one.story, one)
    return {name: list(stories.values()) for name, stories in groups.items()}


def fitted(rows: Sequence[tuple[Pair, dict[str, float]]], names: Sequence[str]) -> dict[str, float]:
    """The weights of a logistic regression with a ridge of 1."""
    return logistic(
        [[values[name] for name in names] for _, values in rows],
        [one.event == other.event for (one, other), _ in rows],
        names,
    )


def logistic(values: Sequence[Sequence[float]], truth: Sequence[bool], names: Sequence[str]) -> dict[str, float]:
    """The weights by Newton's method; the constant, `one`, has no ridge."""
    known, wanted = np.array(values, dtype=float), np.array(truth, dtype=float)
    ridge = np.array([0.001 if name == "one" else 1.0 for name in names])
    weights = np.zeros(len(names))
    for _ in range(60):
        chance = 1 / (1 + np.exp(-np.clip(known @ weights, -30, 30)))
        slope = known.T @ (chance - wanted) + ridge * weights
        curve = (known * (chance * (1 - chance))[:, None]).T @ known + np.diag(ridge)
        weights -= np.linalg.solve(curve, slope)
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}


def joined(
    labelled: Sequence[Labelled], said: Mapping[str, Witnesses], weights: Mapping[str, float], limits: Thresholds
) -> dict[str, tuple[str, bool]]:
    """The event of each story, and whether it joined it certainly, as the service decides: one after the other."""
    found: dict[str, tuple[str, bool]] = {}
    for name, group in by_set(labelled).items():
        events = Events(weights, limits)
        for one in group:
            key = f"{name} {one.story}"
            result = events.decide(key, said[one.article.id])
            events.add(Report(key, result.event, said[one.article.id], result.certain))
            found[key] = result.event, result.certain or result.event == key
    return found


def counts(
    labelled: Sequence[Labelled], results: Sequence[Mapping[str, tuple[str, bool]]], certain: bool = False
) -> dict[tuple[str, str], Counter[str]]:
    """By set and group: pairs of one event that are joined (tp) or not (fn), and pairs that should not be (fp, tn).

    `results[half]` was fitted on the other half. A wrong pair counts if one of its events is of the tested half; one
    between the halves is tested twice, and counts half each time.
    """
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, group in by_set(labelled).items():
        for one, other in combinations(group, 2):
            kind = GROUPS[0] if one.article.lang != other.article.lang else GROUPS[1]
            for half in (0, 1):
                if half not in (one.half, other.half):
                    continue
                mine, theirs = (results[half][f"{name} {each.story}"] for each in (one, other))
                same = mine[0] == theirs[0] and (not certain or (mine[1] and theirs[1]))
                weight = 1.0 if one.half == other.half else 0.5
                true = one.event == other.event
                cell = ("tp" if same else "fn") if true else "fp" if same else "tn"
                cells[name, kind][cell] += weight  # type: ignore[assignment]
                cells[name, f"{one.article.lang}-{other.article.lang}"][cell] += weight  # type: ignore[assignment]
                if not true and one.traps & other.traps:
                    cells[name, GROUPS[2]][cell] += weight  # type: ignore[assignment]
    return cells


def figures(cell: Mapping[str, float]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    hit, wrong, missed = cell.get("tp", 0), cell.get("fp", 0), cell.get("fn", 0)
    precision, recall = hit / max(1, hit + wrong), hit / max(1, hit + missed)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def tested(
    labelled: Sequence[Labelled], said: Mapping[str, Witnesses], names: Sequence[str], limits: Thresholds
) -> list[dict[str, tuple[str, bool]]]:
    """The events that weights from the other half find, for each half."""
    rows = at_paces(labelled, said)
    results = []
    for half in (0, 1):
        weights = fitted([row for row in rows if half not in (row[0][0].half, row[0][1].half)], names)
        results.append(joined(labelled, said, weights, limits))
    return results


def show(title: str, labelled: Sequence[Labelled], results: Sequence[Mapping[str, tuple[str, bool]]]) -> None:
    """Print the figures of each set and group."""
    print(title)
    for certain in (False, True):
        cells = counts(labelled, results, certain)
        for name in dict.fromkeys(name for name, _ in cells):
            for group in GROUPS[:2]:
                cell = cells[name, group]
                precision, recall, f1 = figures(cell)
                print(
                    f"  {'alerts' if certain else 'digests'}  {name:5} {group:26} P {precision:.3f} R {recall:.3f}"
                    f" F1 {f1:.3f}  ({cell['tp']:.0f} joined, {cell['fn']:.0f} missed, {cell['fp']:g} wrong)"
                )
            if trap := cells.get((name, GROUPS[2])):
                wrong = trap["fp"] / max(1, trap["fp"] + trap["tn"])
                print(f"  {'alerts' if certain else 'digests'}  {name:5} look-alikes joined {wrong:.2%}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.events", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--fit", action="store_true", help="print weights that are fitted on everything")
    parser.add_argument("--witnesses", action="store_true", help="measure each witness alone, and without each")
    parser.add_argument("--limits", action="store_true", help="try thresholds")
    parser.add_argument("--errors", type=int, default=0, help="print so many wrong and missed pairs")
    chosen = parser.parse_args()
    labelled = [*corpus(chosen.corpus), *own()]
    said = witnessed(labelled, SentenceEncoder())
    bare = {key: replace(one, vector=b"") for key, one in said.items()}
    names = list(compared(labelled[:40], said)[0][1])
    without = [name for name in names if name != "alike"]
    if chosen.fit:
        print("WITH_EMBEDDING", fitted(at_paces(labelled, said), names))
        print("WITHOUT_EMBEDDING", fitted(at_paces(labelled, bare), without))
        print("WEIGHTS", _fitted_countries([(one, found) for one, _, found in _countries(labelled)]))
        return
    results = tested(labelled, said, names, LIMITS)
    show("all witnesses", labelled, results)
    show("without the embedding", labelled, tested(labelled, bare, without, LIMITS_WITHOUT_EMBEDDING))
    _show_countries(labelled)
    if chosen.limits:
        for mean in (0.0, 0.5, 1.0, 1.5, 2.0):
            for least in (-2.0, -1.0):
                limits = Thresholds(mean, least, 99.0)
                _row(f"mean {mean} least {least}", labelled, tested(labelled, said, names, limits))
                _row("  without embedding", labelled, tested(labelled, bare, without, limits))
    if chosen.witnesses:
        for name, values in WITNESSES.items():
            only = ["one", "hours", "day", "other day", *(value for value in values if value not in WITNESSES["time"])]
            _row(f"{name} and time alone", labelled, tested(labelled, said, only, LIMITS))
            rest = [value for value in names if value not in values]
            _row(f"all without {name}", labelled, tested(labelled, said, rest, LIMITS))
    if chosen.errors:
        _show_errors(labelled, results, chosen.errors)


def _row(title: str, labelled: Sequence[Labelled], results: Sequence[Mapping[str, tuple[str, bool]]]) -> None:
    cells = counts(labelled, results)
    parts = []
    for name in dict.fromkeys(name for name, _ in cells):
        for group, short in zip(GROUPS[:2], ("across", "one language"), strict=True):
            parts.append(f"{name} {short} " + " ".join(f"{value:.2f}" for value in figures(cells[name, group])))
    print(f"{title:28} {' | '.join(parts)}")


def _show_errors(labelled: Sequence[Labelled], results: Sequence[Mapping[str, tuple[str, bool]]], most: int) -> None:
    for name, group in by_set(labelled).items():
        wrong = 0
        for one, other in combinations(group, 2):
            if one.half != other.half:
                continue
            mine, theirs = (results[one.half][f"{name} {each.story}"][0] for each in (one, other))
            if (mine == theirs) != (one.event == other.event) and wrong < most:
                wrong += 1
                kind = "wrong " if mine == theirs else "missed"
                print(
                    f"{kind} {one.event} {one.article.lang} {one.article.title[:60]} | {other.event} "
                    f"{other.article.lang} {other.article.title[:60]}"
                )


def _countries(labelled: Sequence[Labelled]) -> Iterator[tuple[Labelled, Document, dict[str, dict[str, float]]]]:
    """The hits that happened somewhere, each with the values by which each of its countries is judged."""
    for one in labelled:
        if one.countries and one.hit:
            fields = {"title": one.article.title, "summary": one.article.summary, "body": one.article.body}
            document = Document.of({**fields, "lang": one.article.lang})
            yield one, document, country_features(clues(document, named(document, one.about)))


Judged = tuple[Labelled, dict[str, dict[str, float]]]


def _fitted_countries(rows: Sequence[Judged]) -> dict[str, float]:
    values = [(found[code], code in one.countries) for one, found in rows for code in found]
    names = list(values[0][0])
    return logistic([[row[name] for name in names] for row, _ in values], [truth for _, truth in values], names)


def _show_countries(labelled: Sequence[Labelled]) -> None:
    """Print how well countries are found: by the weights of the program, and in each half by those of the other one."""
    rows = [(one, found) for one, _, found in _countries(labelled)]
    others = {half: _fitted_countries([row for row in rows if row[0].half != half]) for half in (0, 1)}
    for name in dict.fromkeys(one.set for one, _ in rows):
        of_set = [row for row in rows if row[0].set == name]
        _row_of_countries(f"{name}, weights of the program", of_set, WEIGHTS)
        for half, weights in others.items():
            tested_half = [row for row in of_set if row[0].half == half]
            _row_of_countries(f"{name}, half {half} by weights of the other", tested_half, weights)


def _row_of_countries(title: str, rows: Sequence[Judged], weights: Mapping[str, float]) -> None:
    cell: Counter[str] = Counter()
    for one, found in rows:
        have = {code for code, values in found.items() if is_there(values, weights)}
        cell.update(tp=len(have & one.countries), fp=len(have - one.countries), fn=len(one.countries - have))
    precision, recall, _ = figures(cell)
    print(f"country of the event, {title}: P {precision:.3f} R {recall:.3f} ({len(rows)} articles)")


if __name__ == "__main__":
    main()
