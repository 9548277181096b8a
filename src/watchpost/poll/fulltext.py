"""Full texts: new entries of a feed get the text of their pages before they are sent.

No entry is lost for its page: one whose page cannot be read goes on as the feed has it, and the failure is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchpost.documents.clean import canonical_url
from watchpost.documents.entry import with_page
from watchpost.documents.parse import read_article_page
from watchpost.documents.parser_process import Parser
from watchpost.documents.results import Failure
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.plurals import count
from watchpost.poll.http.article_pages import OutOfTime, PageFetcher

PAGES_MAX = 20
"""Pages that one visit asks for; the entries behind them follow at the next one."""


@dataclass(frozen=True, slots=True)
class Completed:
    """Articles as they can be sent now. `left` is how many others have to wait for the next visit."""

    articles: tuple[Article, ...]
    failures: tuple[Failure, ...] = ()
    left: int = 0
    note: str = ""


class FullText:
    """Completes the new articles of one feed. `plausible` selects those that may be about something looked for."""

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
        """These new articles, the plausible ones with the text of their pages.

        `deadline` is a time of the running loop. `headers` gives the headers for an address. Articles whose turn did
        not come are left out, so that they are new at the next visit; if not a single page could be asked for, they
        are sent as they are.
        """
        completed: list[Article] = []
        failures: list[Failure] = []
        read = asked = left = 0
        for article in articles:
            if not article.url or not self._plausible(article):
                completed.append(article)
                continue
            if left or asked >= PAGES_MAX:
                left += 1
                continue
            result: Article | Failure
            try:
                result = await self._read(article, headers, now, deadline)
                asked += 1
            except OutOfTime:
                if asked:
                    left += 1
                    continue
                result = Failure(article.url, "fulltext_failed", "no_time: its host is busy")
            if isinstance(result, Failure):
                failures.append(result)
                completed.append(article)
            else:
                read += 1
                completed.append(result)
        return Completed(tuple(completed), tuple(failures), left, _note(read, failures, left))

    async def _read(
        self, article: Article, headers: Callable[[str], Mapping[str, str]], now: datetime, deadline: float
    ) -> Article | Failure:
        try:
            url = canonical_url(article.url)  # without the fragment of its place in the page
            answer = await self._pages.get(url, headers(url), deadline)
            page = await self._parser.run(read_article_page, answer.body, now=now, charset=answer.charset)
        except FetchError as error:
            return Failure(article.url, "fulltext_failed", f"{error.reason}: {error.detail}")
        if not page.text:
            return Failure(article.url, "fulltext_failed", "no_text: no article was found in the page")
        return with_page(article, page) or article


def _note(read: int, failures: Sequence[Failure], left: int) -> str:
    """For the operator: "3 pages of articles read, 2 not (robots 1, timeout 1), 5 at the next visit", or ""."""
    if not read and not failures:
        return ""
    note = f"{count(read, 'page')} of articles read"
    if failures:
        reasons = Counter(failure.detail.partition(":")[0] for failure in failures)
        note += (
            f", {len(failures)} not ({', '.join(f'{reason} {number}' for reason, number in sorted(reasons.items()))})"
        )
    return note + (f", {left} at the next visit" if left else "")
