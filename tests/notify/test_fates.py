"""What becomes of each hit when a window closes: in one fate each, in the contents of the messages that hold it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.making import WHEN, article, hit
from watchpost.model import Delivery, Digest, Group, Hit, Message
from watchpost.notify.digest_builder import Installation, build_digest
from watchpost.notify.fates import fates_of, with_contents
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.schedule import Window
from watchpost.schedules import Immediate

ALERTS = Immediate(timedelta(0))


def report(title: str, story: str = "s", topic: str = "mali", **fields: str) -> Hit:
    about = article(title, id=f"{title} {fields.get('outlet', '')}", **fields)
    return hit(article=about, story=story, topic=topic)


def made(*hits: Hit) -> Digest:
    window = Window(WHEN, WHEN)
    return build_digest(
        Group("team|g", "team", ALERTS),
        window,
        hits,
        Installation(),
        turn="0",
        now=WHEN,
        records={},
        unread=(),
        sources_total=1,
    )


def sent(digest: Digest, *messages: Message) -> tuple[Delivery, ...]:
    return tuple(
        Delivery(f"{digest.id}.{number}", digest.id, "team", message, 1, WHEN)
        for number, message in enumerate(messages, 1)
    )


def message(*named: Hit, omitted: int = 0) -> Message:
    return Message("", "news", {}, omitted=omitted, named=tuple(one.article.id for one in named))


def test_a_headline_that_a_message_has_is_named_one_that_it_repeats_is_a_copy_and_one_beyond_is_left_out() -> None:
    lead, same, other, beyond = (
        report("Convoy burns", outlet="Courier"),
        report("CONVOY BURNS", outlet="Herald"),
        report("Lorries on fire", outlet="Paper"),
        report("Flames in the desert", outlet="Third"),
    )
    hidden = report("Cows", story="t")
    digest = made(lead, same, other, beyond, hidden)
    fates, holding = fates_of(
        digest, sent(digest, message(lead, other, omitted=1)), [lead, same, other, beyond, hidden], records={}
    )
    assert {id_: fate for id_, fate, _ in fates.hits} == {
        lead.id: "named",
        same.id: "copies",
        other.id: "named",
        beyond.id: "left_out",
        hidden.id: "left_out",
    }
    (contents,) = fates.contents
    assert contents.hits == {("mali", "named"): 2, ("mali", "copies"): 1, ("mali", "left_out"): 2}
    assert holding == {"s": contents.id}


def test_an_earlier_version_of_a_named_article_is_a_copy() -> None:
    first = report("Convoy burns", outlet="Courier")
    later = replace(
        report("Convoy burnt", outlet="Courier"),
        article=replace(report("Convoy burnt").article, revises=first.article.id, fetched=WHEN + timedelta(minutes=1)),
    )
    digest = made(first, later)
    fates, _ = fates_of(digest, sent(digest, message(later)), [first, later], records={})
    assert [fate for _, fate, _ in fates.hits] == ["copies", "named"]


def test_one_mail_to_many_readers_is_one_and_parts_are_several() -> None:
    one, other = report("One", story="1"), report("Other", story="2")
    digest = made(one, other)
    mails, _ = fates_of(digest, sent(digest, message(one, other), message(one, other)), [one, other], records={})
    assert [len(contents.deliveries) for contents in mails.contents] == [2]
    deliveries = sent(digest, message(one), message(other))
    parts, holding = fates_of(digest, deliveries, [one, other], records={}, over={"mali": 3})
    assert [contents.hits for contents in parts.contents] == [
        {("mali", "named"): 1},
        {("mali", "named"): 1, ("mali", "left_out"): 3},
    ]
    assert [each.contents for each in with_contents(deliveries, parts)] == [holding["1"], holding["2"]]
    assert all(each.message.named is None for each in with_contents(deliveries, parts)), "that is not stored"


def test_what_nobody_subscribes_to_any_more_is_left_out() -> None:
    one = report("One")
    fates, _ = fates_of(made(one), (), [one], records={}, over={"mali": 2})
    assert (fates.contents, fates.ended) == ((), {("mali", "left_out"): 3})


def test_a_copy_of_what_was_sent_before_shares_its_end() -> None:
    one = report("One")
    fates, _ = fates_of(None, (), [], known=[one], records={"s": NotificationRecord(contents="earlier")})
    assert fates.known == {("mali", "earlier"): 1}
    assert fates.hits == ((one.id, "copies", "earlier"),)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from(("mali", "niger"))), max_size=30),
    st.lists(st.sets(st.integers(0, 29)), min_size=0, max_size=3),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_every_hit_has_one_fate_and_the_sums_have_every_hit(
    shapes: list[tuple[int, int, str]], named: list[set[int]], known: int, muted: int
) -> None:
    hits = [
        report(f"Headline {headline} {story}", story=f"{story}", topic=topic, outlet=f"{number}")
        for number, (story, headline, topic) in enumerate(shapes)
    ]
    quiet, silent, shown = hits[:known], hits[known : known + muted], hits[known + muted :]
    digest = made(*shown)
    messages = [message(*(shown[number] for number in numbers if number < len(shown))) for numbers in named]
    fates, _ = fates_of(
        digest, sent(digest, *messages), shown, known=quiet, muted=[(one, "s1") for one in silent], records={}
    )
    assert Counter(id_ for id_, _, _ in fates.hits) == Counter(one.id for one in hits)
    counted: Counter[str] = Counter()
    for contents in fates.contents:
        counted += Counter({topic: 0 for topic, _ in contents.hits})
        for (topic, _), count in contents.hits.items():
            counted[topic] += count
    for (topic, _), count in (*fates.ended.items(), *fates.known.items()):
        counted[topic] += count
    assert counted == Counter(one.topic for one in hits)
    assert sum(len(contents.deliveries) for contents in fates.contents) == len(messages)
