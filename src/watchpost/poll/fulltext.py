"""Full texts: the entries of a feed get the text of their pages before they are told.

An entry is never lost for its page: what cannot be read goes on as the feed has it, and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.documents.clean import with_page
from watchpost.documents.parse import read_article_page
from watchpost.documents.results import Failure
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.plurals import count
from watchpost.poll.http.article_pages import OutOfTime, PageFetcher
from watchpost.poll.source import Parser

MOST_PAGES = 20
"""Pages that one visit asks for; the entries behind them follow at the next one."""


@dataclass(frozen=True, slots=True)
class Completed:
    """Articles as they can be told now. `left` is how many others have to wait for the next visit."""

    articles: tuple[Article, ...]
    failures: tuple[Failure, ...] = ()
    left: int = 0
    note: str = ""


class FullText:
    """Completes the new articles of one feed.

    `plausible` says whether an article may be about anything that is looked for.
    """

    def __init__(self, pages: PageFetcher, parser: Parser, plausible: Callable[[Article], bool]) -> None:
        self._pages = pages
        self._parser = parser
        self._plausible = plausible

    async def complete(
        self,
        articles: Sequence[Article],
        headers: Callable[[str], Mapping[str, str]],
        now: datetime,
        deadline: float,
    ) -> Completed:
        """These new articles, those that are plausible with the text of their pages.

        `deadline` is a time of the running loop. `headers` says what to send to an address. Articles whose turn did
        not come are left out, so that they are new at the next visit; if not a single page could be asked for, they
        are told as they are.
        """
        wanted = {one.id for one in articles if one.url and self._plausible(one)}
        told: list[Article] = []
        failures: list[Failure] = []
        read = asked = late = 0
        for article in articles:
            if article.id not in wanted:
                told.append(article)
                continue
            if late or asked >= MOST_PAGES:
                late += 1
                continue
            found: Article | Failure
            try:
                found = await self._read(article, headers, now, deadline)
            except OutOfTime:
                if asked:
                    late += 1
                    continue
                found = Failure(article.url, "fulltext_failed", "no_time: its host is busy")
            else:
                asked += 1
            if isinstance(found, Failure):
                failures.append(found)
                told.append(article)
            else:
                read += 1
                told.append(found)
        return Completed(tuple(told), tuple(failures), late, _note(read, failures, late))

    async def _read(
        self, article: Article, headers: Callable[[str], Mapping[str, str]], now: datetime, deadline: float
    ) -> Article | Failure:
        try:
            answer = await self._pages.get(article.url, headers(article.url), deadline)
            page = await self._parser.run(read_article_page, answer.body, now=now, charset=answer.charset)
        except FetchError as error:
            return Failure(article.url, "fulltext_failed", f"{error.reason}: {error.detail}")
        if not page.text:
            return Failure(article.url, "fulltext_failed", "no_text: no article was found in the page")
        return with_page(article, page) or article


def _note(read: int, failures: Sequence[Failure], left: int) -> str:
    """For the operator: "3 pages read, 2 not (robots 1, timeout 1), 5 at the next visit"; "" if none was wanted."""
    if not read and not failures:
        return ""
    said = f"{count(read, 'page')} of articles read"
    if failures:
        reasons = Counter(failure.detail.partition(":")[0] for failure in failures)
        said += f", {len(failures)} not ({', '.join(f'{reason} {count}' for reason, count in sorted(reasons.items()))})"
    return said + (f", {left} at the next visit" if left else "")
