"""Pure: HTML becomes plain text with its paragraphs kept, by lxml."""

from __future__ import annotations

import html
import re

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.xml_tree import without_giant_tags

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "html", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "ul",
})  # fmt: skip
_LINES = frozenset({"br", "li", "tr", "option"})
_CELLS = frozenset({"td", "th"})
_SILENT = frozenset({
    "script", "style", "title", "noscript", "template", "iframe", "object", "embed", "svg", "math", "head", "button",
    "select", "textarea",
})  # fmt: skip
_HIDDEN = re.compile(r"display\s{0,9}:\s{0,9}none|mso-hide\s{0,9}:\s{0,9}all", re.IGNORECASE)
_CDATA_MARK = re.compile(r"<!\[CDATA\[|\]\]>")
_NO_ELEMENT = re.compile(  # the elements of HTML, the most common first; those of SVG and MathML end
    r"<(?=([A-Za-z][A-Za-z0-9]{0,30}))"
    r"(?!(?:p|a|br|b|i|em|strong|div|span|img|li|ul|u|h[1-6r]|ol|td|tr|th|table|tbody|thead|tfoot|figure|figcaption"
    r"|blockquote|font|center|small|big|sub|sup|s|strike|del|ins|q|cite|code|pre|tt|kbd|samp|var|abbr|acronym|address"
    r"|article|aside|section|header|footer|main|nav|hgroup|details|summary|dialog|iframe|embed|object|param|video"
    r"|audio|source|track|picture|map|area|canvas|svg|math|path|script|noscript|style|link|meta|base|title|html|head"
    r"|body|form|input|button|select|option|optgroup|textarea|label|fieldset|legend|dl|dt|dd|dir|menu|menuitem|mark"
    r"|time|data|wbr|nobr|ruby|rb|rt|rp|rtc|bdi|bdo|dfn|caption|col|colgroup|marquee|blink|basefont|applet|frame"
    r"|frameset|noframes|output|progress|meter|slot|template|search|spacer|image|xml"
    r"|[a-z][a-z0-9]{0,20}[-:][\w-]{1,30})[\s/>])",
    re.IGNORECASE,
)
_ENDED = re.compile(r"</([A-Za-z][A-Za-z0-9]{0,30})\s{0,9}>")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_BREAKS, _RUN = re.compile(r"\n{3,}"), re.compile(r" {2,}")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}>")
_DEPTH_MAX = 250  # libxml2 stops at 256
_FLATTENED = (
    (
        re.compile(
            r"(?i)</?(?:a|abbr|acronym|b|basefont|bdo|big|blink|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|nobr|q|s"
            r"|samp|small|span|strike|strong|sub|sup|tt|u|var)(?:\s[^<>]{0,9000})?>"
        ),
        "",
    ),
    (
        re.compile(r"(?i)<(?:/\s{0,9})?(?!/?(?:script|style|title|head|noscript|template)\b)[a-z][^<>]{0,9000}>"),
        "<br><br>",
    ),
)
_FRAME = frozenset({"nav", "header", "footer", "aside", "form"})


def parse_html(text: str) -> etree._Element | None:
    """The tree of a page or fragment; None if there is nothing in it. Opens no files and no connections.

    libxml2 leaves out what is nested too deep; browsers do not. Tags that nobody closes make such trees. They are
    flattened: first tags within a line are removed, then blocks become line breaks.
    """
    return parse_page(text)[0]


def parse_page(text: str) -> tuple[etree._Element | None, str]:
    """As parse_html; with the text of which the tree is, so that another parser leaves nothing out either."""
    text = _DECLARATION.sub("", without_giant_tags(re.sub("[\0\ud800-\udfff]", "", text)))
    root, too_deep = _parsed(text)
    for tags, mark in _FLATTENED:
        if not too_deep:
            break
        text = tags.sub(mark, text)
        root, too_deep = _parsed(text)
    return root, text


def _parsed(text: str) -> tuple[etree._Element | None, bool]:
    """The tree, and whether a part of it was left out because it is nested too deep."""
    data = text.encode("utf-8", "replace")
    if not data.strip():
        return None, False
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.ParseError, ValueError):
        return None, False
    return root, text.count("<") > _DEPTH_MAX and any("depth" in error.message for error in parser.error_log)


def plain_text(fragment: str, *, hidden: bool = True) -> str:
    """The text that a reader of `fragment` sees; paragraphs are separated by an empty line, entities unescaped.

    With `hidden=False` elements that their style hides are left out: in a letter no script will show them.
    """
    fragment = without_cdata_marks(fragment)
    if "<" not in fragment:
        return html.unescape(fragment).strip()
    root = parse_html(f"<div>{_with_stray_signs(fragment)}</div>")
    return text_of(root, hidden=hidden) if root is not None else ""


def without_cdata_marks(text: str) -> str:
    """The text without the marks of CDATA sections: some programs escape them, or nest them."""
    return _CDATA_MARK.sub("", text) if "<![CDATA[" in text else text


def _with_stray_signs(fragment: str) -> str:
    """The fragment, in which "<" is escaped where no element begins: "x<y", "<anna@desk.example>", "<Le Pays>".

    What is no element of HTML is one nevertheless if something ends it, or its name has a hyphen or a prefix.
    """
    if not _NO_ELEMENT.search(fragment):
        return fragment
    ended = {name.lower() for name in _ENDED.findall(fragment)}
    return _NO_ELEMENT.sub(lambda sign: "<" if sign[1].lower() in ended else "&lt;", fragment)


def text_of(root: etree._Element, *, frame: bool = True, hidden: bool = True) -> str:
    """The text of a tree. With `frame=False` menus, headers, footers, asides and forms are left out.

    `hidden` is as in plain_text.
    """
    silent = _SILENT if frame else _SILENT | _FRAME
    parts: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        name = element.tag if isinstance(element.tag, str) else ""
        mark = "\n\n" if name in _BLOCKS else "\n" if name in _LINES else " " if name in _CELLS else ""
        if event == "start":
            if name in silent or (not hidden and _HIDDEN.search(element.get("style") or "")):
                walk.skip_subtree()
                continue
            parts += [mark, _squeeze(element.text or "", keep=name == "pre")]
        else:
            if name and name != "br":
                parts.append(mark)
            if element is not root:
                parts.append(_squeeze(element.tail or "", keep=False))
    text = "\n".join([line.strip(" ") for line in "".join(parts).split("\n")])
    return _BREAKS.sub("\n\n", _RUN.sub(" ", text)).strip()


def _squeeze(text: str, *, keep: bool) -> str:
    return text if keep or (text.isprintable() and "  " not in text) else _SPACE.sub(" ", text)
