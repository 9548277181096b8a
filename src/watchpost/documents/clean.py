"""Pure: raw fields of any document are cleaned: text, one canonical URL per page, language, fingerprints."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from watchpost.combining_marks import bound_marks
from watchpost.documents.language_names import tag_of
from watchpost.documents.written_address import meant_address

TITLE_MAX, NAME_MAX, URL_MAX, SUMMARY_MAX, BODY_MAX = 1_000, 200, 2_000, 20_000, 1_000_000
"""The longest texts that are kept, in code points; no honest article is longer."""

TEXT_MIN = 200
"""Shorter texts have no fingerprint: "Live updates" under two headlines is not one article."""

# Added by newsletters, social networks and feed builders; none of them changes what the page shows.
_TRACKING = re.compile(
    r"utm_.+|at_(?:medium|campaign|custom\d|link_.+)|ns_(?:mchannel|source|campaign|linkname|fee)|mc_(?:cid|eid)"
    r"|_hs(?:enc|mi)|(?:fb|g|d|y|tw|tt)clid|msclkid|gbraid|wbraid|igshid|xtor|cmpid|ocid|smid|wt[._]mc"
)
# An address that is canonical as it is: without a port, user, query and fragment, its host in lower case.
_CANONICAL = re.compile(r"https?://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}/[A-Za-z0-9._~!$&'()*+,;=:@%/-]{0,1500}")
_RSS_MARK = re.compile(r"(?:source|partner|emc|ref|from|src)=rss", re.IGNORECASE)
_FEW_SIGNS = 50
_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
_DEFAULT_PORT = {"http": 80, "https": 443}

_RETURN = re.compile("\r\n?|[\v\f\x85\u2028]")
_PLAIN_RUN, _BREAKS = re.compile(" {2,}"), re.compile("\n{3,}")
_BLANKS = "\t \u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_SPACES = "\t \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_RUN = re.compile(rf"[{_SPACES}]{{2,}}|[\t\u1680\u2000-\u200a\u205f\u3000]")
# Controls, and marks that reorder or hide what follows (UAX #9, UTR #36). Joiners and soft hyphens stay: they spell.
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean_text(text: str) -> str:
    """Text without controls and with few marks on a letter; one empty line between paragraphs, single breaks kept."""
    if not text.replace("\n", "").isprintable():  # a control, or a space that is not the plain one
        text = _RETURN.sub("\n", text).replace("\u2029", "\n\n")
        text = _RUN.sub(" ", _CONTROL.sub("", text))
    elif "  " in text:
        text = _PLAIN_RUN.sub(" ", text)
    if "\n" in text:
        text = _BREAKS.sub("\n\n", "\n".join([line.strip(_BLANKS) for line in text.split("\n")]))
    return unicodedata.normalize("NFC", bound_marks(text.strip()))


def clean_line(text: str) -> str:
    """The same on one line. A single no-break space stays: French punctuation needs it."""
    return clean_text(text).replace("\n\n", " ").replace("\n", " ")


def headline(text: str) -> str:
    """A title for a text that has none (micro-blogs): its first line, cut at a word after at most 100 characters."""
    first = text.partition("\n")[0]
    if len(first) <= 100:
        return first
    return first[:100].rpartition(" ")[0].rstrip(" ,;:–—-") + "…" if " " in first[:100] else first[:99] + "…"


def language(tag: str) -> str:
    """The primary subtag of a BCP 47 tag in lower case ("pt-BR" gives "pt"), or "" if it is none.

    The three letters of ISO 639-2 and the names of large languages ("eng", "English", "français") give their tag.
    """
    primary = tag.strip().replace("_", "-").partition("-")[0].lower()
    primary = tag_of(primary) or primary
    return primary if re.fullmatch(r"[a-z]{2,3}", primary) and primary not in {"und", "mul", "zxx"} else ""


def canonical_url(link: str, base: str = "") -> str:
    """`link` made absolute, without what does not change the page: tracking parameters, fragment, default port.

    "" unless the result is http or https with a host. Parameters keep their order. A fragment that a script takes for
    the page's address (`#!/…`, `#/…`) stays.
    """
    return _split(link, base)[0]


def linked_url(link: str, base: str = "") -> str:
    """The canonical URL with its fragment: the place in the page at which a reader finds the entry of a live blog.

    A fragment that only says where the reader came from (`#xtor=RSS-1`) is left out.
    """
    url, fragment = _split(link, base)
    whole = f"{url}#{fragment}" if url and fragment else url
    return whole if len(whole) <= URL_MAX else url


def _split(link: str, base: str) -> tuple[str, str]:
    if _CANONICAL.fullmatch(link):  # most are
        return link, ""
    return _canonical(link, base) if len(link) <= 2 * URL_MAX else _canonical.__wrapped__(link, base)


@lru_cache(1024)  # the ids of a feed's entries need it before the entries do
def _canonical(link: str, base: str) -> tuple[str, str]:
    link = meant_address(_CONTROL.sub("", re.sub(r"[\t\r\n]", "", link)))
    try:
        parts = urlsplit(link)
        if base and not (parts.scheme in _DEFAULT_PORT and parts.netloc):
            parts = urlsplit(urljoin(base, link))
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "", ""
    if not link or parts.scheme not in _DEFAULT_PORT or not host:
        return "", ""
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in (None, _DEFAULT_PORT[parts.scheme]) else f"{host}:{port}"
    is_address = parts.fragment.startswith(("!", "/"))
    of_address, of_place = (parts.fragment, "") if is_address else ("", _query(parts.fragment))
    url = urlunsplit(SplitResult(parts.scheme, netloc, parts.path or "/", _query(parts.query), of_address))
    url = url.replace(" ", "%20")
    return (url, of_place.replace(" ", "%20")) if len(url) <= URL_MAX else ("", "")


def fingerprints(url: str, title: str, body: str) -> tuple[str, ...]:
    """What two copies share: "url:…" (without scheme, www. and closing slash), "text:…" (letters and digits alone)."""
    prints = []
    if url:
        bare = re.sub(r"^https?://(www\.)?", "", url).rstrip("/")
        prints.append("url:" + _short_hash(bare))
    if len(body) >= TEXT_MIN:
        folded = unicodedata.normalize("NFKC", bound_marks(f"{title} {body}")).casefold()
        prints.append("text:" + _short_hash(_alphanumeric(folded)))
    return tuple(prints)


def _alphanumeric(text: str) -> str:
    """The letters and digits of a text. Signs of ASCII are removed at once; of others a text mostly has few kinds."""
    text = text.encode("utf-8", "replace").translate(None, _SIGNS).decode()
    others = () if text.isascii() else [sign for sign in set(text) if not sign.isalnum()]
    if len(others) > _FEW_SIGNS:
        return "".join(filter(str.isalnum, text))
    for sign in others:
        text = text.replace(sign, "")
    return text


def _query(query: str) -> str:
    kept = (
        part
        for part in query.split("&")
        if part and not _TRACKING.fullmatch(part.partition("=")[0].lower()) and not _RSS_MARK.fullmatch(part)
    )
    return "&".join(kept)


def _short_hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
