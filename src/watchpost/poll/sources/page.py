"""Pages: the links that a web page lists are its entries; everything else is as for feeds."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal

from cssselect import HTMLTranslator, SelectorError
from pydantic import AfterValidator

from watchpost.documents.list_rule import ListRule
from watchpost.documents.parse import Reading, read_listing
from watchpost.documents.results import EntryHead
from watchpost.poll.feed_options import Every, WebOptions
from watchpost.poll.http.fetcher import HttpFetcher
from watchpost.poll.source import SourceContext, SourceKind
from watchpost.poll.sources.feed import Feed

_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
_SELECTOR_MAX = 500


def _selector(value: str) -> str:
    try:
        if value:
            HTMLTranslator().css_to_xpath(value[:_SELECTOR_MAX])
    except (SelectorError, RecursionError) as error:
        raise ValueError(
            f"'{value[:60]}' is not a CSS selector ({error}); write it like div.news-item or li > a"
        ) from None
    if len(value) > _SELECTOR_MAX:
        raise ValueError(f"a selector has up to {_SELECTOR_MAX} characters")
    return value


Selector = Annotated[str, AfterValidator(_selector)]


class PageOptions(WebOptions):
    """A web page that lists links. What its CSS selectors do not say is guessed.

    `items` finds the entries in the page; `title`, `date` and `link` find their parts within an entry.
    """

    every: Every = timedelta(minutes=30)
    on_update: Literal["note", "ignore"] = "ignore"
    items: Selector = ""
    title: Selector = ""
    date: Selector = ""
    link: Selector = ""

    @property
    def rule(self) -> ListRule:
        """Where the entries are."""
        return ListRule(self.items, self.title, self.date, self.link)


class Page(Feed):
    """One page. Nothing is opened before the first visit, and nothing stays open between visits."""

    def __init__(
        self, name: str, options: PageOptions, context: SourceContext, fetcher: HttpFetcher | None = None
    ) -> None:
        super().__init__(name, options, context, fetcher)
        self._rule = options.rule

    def _reader(self) -> Callable[..., Generator[tuple[EntryHead, ...], frozenset[str], Reading]]:
        return partial(read_listing, rule=self._rule)

    def _headers(self, place: str) -> dict[str, str]:
        return {"Accept": _ACCEPT} | super()._headers(place)


def build(name: str, options: Any, context: SourceContext) -> Page:
    """A page as a source; nothing is opened before the first visit."""
    return Page(name, options, context)


KIND = SourceKind("page", PageOptions, build)
