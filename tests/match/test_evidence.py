"""A hit keeps so many places as a reader looks at: of each clause the first ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.making import WHEN, article
from watchpost.match.matcher import MOST_EVIDENCE, first_places, match
from watchpost.model import Topic
from watchpost.query.parser import parse
from watchpost.query.tree import Evidence

PLACES = st.lists(st.tuples(st.sampled_from(["title", "body"]), st.sampled_from("abcdef")), max_size=60)


@given(PLACES, st.integers(12, 30))
def test_of_each_clause_in_each_field_the_first_places_are_kept_in_their_order(
    places: list[tuple[str, str]], most: int
) -> None:
    evidence = tuple(Evidence(field, at, at + 1, "x", clause) for at, (field, clause) in enumerate(places))
    kept = first_places(evidence, most)
    assert len(kept) == min(most, len(evidence))
    assert list(kept) == sorted(kept, key=evidence.index)
    for kind in set(places):
        all_of_it = [one for one in evidence if (one.field, one.clause) == kind]
        kept_of_it = [one for one in kept if (one.field, one.clause) == kind]
        assert kept_of_it
        assert kept_of_it == all_of_it[: len(kept_of_it)]


def test_a_text_of_matches_makes_a_small_hit_with_the_densest_snippet() -> None:
    body = "Mali. " * 3_000 + "Wagner left Mali in Gao. " * 3
    (hit,) = match(
        article(title="Mali talks", body=body), [Topic("mali", "Mali", parse("mali OR wagner OR gao"))], WHEN
    )
    assert len(hit.evidence) == MOST_EVIDENCE
    assert {item.clause for item in hit.evidence} == {"mali", "wagner", "gao"}
    assert hit.evidence[0].field == "title"
