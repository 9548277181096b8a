"""Still: runs as Markdown for chats that know no other form (Discord, Mattermost), all foreign text literal.

Every mark of CommonMark is escaped by a backslash. What is no Markdown but acts all the same (mentions, emoji codes,
addresses that become links by themselves) is broken by a word joiner (U+2060), which nobody sees.
"""

from __future__ import annotations

import regex

from watchpost.notify.render.runs import Line, Run

JOINER = "\u2060"
_MARKS = regex.compile(r"[\\`*_{}\[\]()<>#+\-.!|~&=$^]")
_ACTORS = regex.compile(r"@(?=[\w&!:])|:(?=[\w+\-]+:|//)")


def escape(text: str) -> str:
    """The text so that Markdown shows it as it is: no style, no link, no list, no mention, no emoji."""
    return str(_MARKS.sub(r"\\\g<0>", _ACTORS.sub(rf"\g<0>{JOINER}", text)))


def write(line: Line) -> str:
    """A line of runs as Markdown."""
    return "".join(map(_write, line))


def _write(run: Run) -> str:
    core = run.text.strip(" ")
    before, _, after = run.text.partition(core) if core else (run.text, "", "")
    text = escape(core)
    if run.url:
        url = run.url.replace("(", "%28").replace(")", "%29")
        return f"{before}[{f'**{text}**' if run.bold else text}]({url}){after}"
    # Stars beside a sign that is no letter may not be read as a style: then plain is better than stars in the text.
    if run.bold and core and core[0].isalnum() and core[-1].isalnum():
        text = f"**{text}**"
    return f"{before}{text}{after}"
