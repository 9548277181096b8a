"""Pure: an address as software wrote it becomes the one that it means.

Templates put a whole link into an address, forget the scheme or write it twice; news alerts wrap the article's address
in one of their own, which differs at every visit.
"""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl, urlsplit

_HREF = re.compile(r"""<a\s[^<>]{0,1000}?\bhref\s{0,9}=\s{0,9}["']?([^"'<>\s]{1,2000})""", re.IGNORECASE)
_TWO_SCHEMES = re.compile(r"https?://(?=https?:/{1,2}[^/])", re.IGNORECASE)
_SCHEME = re.compile(r"(https?):/{0,9}(?=[^/])", re.IGNORECASE)
_WWW = re.compile(r"www\.[\w-]{1,63}\.", re.IGNORECASE)
_CDATA = re.compile(r"<!\[CDATA\[(.{0,4000}?)\]\]>", re.DOTALL)
# Pages that only lead on, and the parameters in which they have the address. Google's and Bing's are those of alerts.
_WRAPPER = re.compile(
    r"https?://(?:(?:www\.)?google\.[a-z.]{2,6}/url|(?:www\.)?bing\.com/news/apiclick\.aspx|lm?\.facebook\.com/l\.php"
    r"|(?:m\.)?vk\.com/away\.php|(?:www\.)?youtube\.com/redirect|out\.reddit\.com/[^?#]{0,100}"
    r"|(?:html\.)?duckduckgo\.com/l/|[a-z0-9]{1,20}\.safelinks\.protection\.outlook\.com/)\?",
    re.IGNORECASE,
)
_TARGETS = ("url", "u", "q", "to", "uddg")


def meant_address(link: str) -> str:
    """The address that `link` means; `link` itself, without blanks around it, if nothing about it is known to be wrong.

    Of `<a href="…">` its address; `www.example.org/x` and `https:/example.org/x` with a whole scheme; of two schemes
    the second; of a page that only leads on, where it leads.
    """
    link = link.strip()
    if "<" in link[:200]:
        link = _CDATA.sub(r"\1", link[:5_000]).strip()
        anchor = _HREF.search(link)
        link = html.unescape(anchor[1]) if anchor else link
    if _TWO_SCHEMES.match(link):
        link = _TWO_SCHEMES.sub("", link, count=1)
    if scheme := _SCHEME.match(link):
        link = f"{scheme[1].lower()}://{link[scheme.end() :]}"
    elif _WWW.match(link):
        link = f"https://{link}"
    return _led_to(link)


def _led_to(link: str) -> str:
    if not _WRAPPER.match(link):
        return link
    try:
        parameters = dict(parse_qsl(urlsplit(link).query, max_num_fields=50))
    except ValueError:
        return link
    targets = (parameters[name] for name in _TARGETS if name in parameters)
    return next((target for target in targets if target.startswith(("http://", "https://"))), link)
