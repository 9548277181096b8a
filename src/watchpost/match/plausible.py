"""Still: might an article be about a topic, as far as a headline and a summary can tell?

A full text is fetched only where this says yes. One word of a query is enough, whichever it is: what else the query
asks for may stand in the part of the text that the feed leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from watchpost.match.matcher import document
from watchpost.model import Article, Topic
from watchpost.query.leaves import Leaf
from watchpost.query.nearness import Unless
from watchpost.query.tree import Field, Node, Not, Or


class Plausible:
    """Says of articles whether any word that a topic looks for stands in title, summary, text or address.

    Words after NOT and UNLESS do not count, nor what is asked of language, source and author: these are known
    without the page.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = tuple(topics)

    def __call__(self, article: Article) -> bool:
        """Whether the article's page is worth reading."""
        if self._words is None:
            return False
        text = document(article)
        return any(self._words.find(text, scope) is not None for scope in ("", "url"))

    @cached_property
    def _words(self) -> Node | None:
        """All the words of all topics, put together when the first article is asked about."""
        found = tuple(dict.fromkeys(leaf for topic in self._topics for leaf in _wanted(topic.query.root)))
        return Or(found) if len(found) > 1 else found[0] if found else None


def _wanted(node: Node) -> Iterator[Leaf]:
    """The leaves that speak for an article."""
    match node:
        case Leaf():
            yield node
        case Not():
            return
        case Unless(part=part):
            yield from _wanted(part)
        case Field(name=name, part=part):
            if name not in ("author", "source", "lang"):
                yield from _wanted(part)
        case _:
            for child in node.children:
                yield from _wanted(child)
