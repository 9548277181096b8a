"""Pure: what an SMTP reply says: whether this recipient, this message or the relay is at fault, and for how long.

A reply code alone does not say it (RFC 5321, 4.2): servers use 550 for an unknown mailbox as well as for a sender who
may not send. So the words of well-known servers decide first, then the enhanced status code (RFC 3463, RFC 7372,
RFC 7505 and Microsoft's 5.7.nnn), then the reply code with the stage of the session.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Stage = Literal["connect", "hello", "tls", "login", "sender", "recipient", "data"]
Fault = Literal["recipient", "message", "relay", "login", "limit"]
"""Who is at fault. relay: the sender, its rights, address or name, or the server; limit: too much was sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply says. `lasting`: it will not change by itself; only a change by people cures it."""

    fault: Fault
    lasting: bool


_LONGEST = 500  # characters of a reply that are read; RFC 5321, 4.5.3.1.5 allows 512 in a line
_ENHANCED = re.compile(r"[\s#(]*([245])\.(\d{1,3})\.(\d{1,3})\b")

# The first pattern that occurs decides. These name the part that is rejected, whatever the codes and the stage say:
# Postfix rejects all parts at the recipient (smtpd_delay_reject).
_NAMED: tuple[tuple[Fault, str], ...] = (
    ("relay", r"(sender( address)?|helo command|ehlo command|client host|data command) rejected"),
    ("recipient", r"recipient address rejected|recipient thread limit"),
    ("recipient", r"recipient (verify|verification|callout)|callout.{0,20}recipient"),
    ("relay", r"sender (verify|verification|callout)|callout.{0,20}sender|verification failed for"),
)
_WORDS: tuple[tuple[Fault, str], ...] = (
    ("login", r"\bauthenticat|auth(orization)? (failed|required|error)|credentials|log ?in|username and password"),
    ("relay", r"send(er)? ?as ?denied|not allowed to send as|permissions? to send|not owned by"),
    (
        "relay",
        r"not verified|not authori[sz]ed to (send|relay|use|perform)|not (allowed|permitted) to (send|relay|use)",
    ),
    ("relay", r"relay(ing)?( access)? (is )?(denied|not|prohibited)|not permitted to relay|(cannot|unable to) relay"),
    ("relay", r"relay not permitted|does not (accept|allow) relay|open relay"),
    (
        "limit",
        r"(sending|daily|hourly|monthly|submission|plan|relay|bulk|message).{0,24}(quota|limits?|rate)\b.{0,20}exce",
    ),
    ("limit", r"reached (your|its|the) (daily|hourly|sending|monthly)|throttl|too much mail|connections limit"),
    ("limit", r"(maximum|exceed).{0,30}(\brate|per (second|minute|hour|day)|connections|credits)"),
    ("limit", r"rate.{0,4}limit|too many (concurrent|connections|messages|recipients)"),
    ("message", r"size (limit|exceed)|exceed.{0,40}size"),
    ("relay", r"sandbox|test purposes only|activate your|account.{0,20}(suspend|paused|banned|terminated)"),
    ("relay", r"sending paused|bad outbound sender|banned sender|ban(ned)? sending ip"),
    ("relay", r"\bhelo\b|\behlo\b|greeting"),
    ("relay", r"\b(spf|dkim|dmarc|arc)\b|unauthenticated"),
    ("relay", r"(block|black|deny) ?list|listed (at|by|in|on)|blocked using|spamhaus|spamcop|barracuda|reputation"),
    ("relay", r"(your|sending|client) ip|\bip (address )?.{0,40}(blocked|rejected|not |banned)|reverse dns|\bptr\b"),
    ("relay", r"(from|sender) (header|address).{0,40}(missing|invalid|not|mismatch|different)|sender id"),
    ("recipient", r"(user|mailbox|recipient|account|address|email).{0,40}(unknown|not found|no such|\bfull|disabled)"),
    (
        "recipient",
        r"(unknown|no such|invalid|inactive) (user|mailbox|recipient|address|local)|over ?quota|quota exceeded",
    ),
    ("recipient", r"unrouteable|mailbox unavailable|(does|do)(n't| not) exist|gr[ae]y-?list"),
    ("message", r"\b(spam|virus|malware|phish\w*|content|unsolicited|attachments?|too (large|big))\b"),
)
_NAMED_PATTERNS = tuple((fault, re.compile(pattern, re.IGNORECASE)) for fault, pattern in _NAMED)
_PATTERNS = tuple((fault, re.compile(pattern, re.IGNORECASE)) for fault, pattern in _WORDS)

_LOGIN = frozenset({(7, 3), (7, 8), (7, 9), (7, 11), (7, 12), (7, 13), (7, 57), (7, 139)})
_OF_RECIPIENT_7 = frozenset({2, 6, 17, 124, 129, 133, 134, 135, 136, 193, 505})
_OF_MESSAGE_7 = frozenset({512})
_SPECIAL: dict[tuple[int, int], Fault] = {
    (1, 7): "relay",  # the sender's mailbox (RFC 3463)
    (1, 8): "relay",
    (1, 90): "limit",  # Microsoft: the sender has reached its limit of recipients
    (2, 3): "message",  # too long for this mailbox
    (2, 252): "relay",  # Microsoft: SendAsDenied
    (3, 4): "message",  # too big for the system
    (4, 1): "recipient",
    (4, 4): "recipient",
    (4, 5): "limit",  # Google: the user's limit of a day
    (4, 6): "recipient",
    (5, 3): "limit",  # too many recipients
}
_BY_STAGE: dict[Stage, Fault] = {"recipient": "recipient", "data": "message", "login": "login"}
_BY_CODE: dict[int, Fault] = {
    **dict.fromkeys((421, 452, 453, 454, 455, 500, 501, 502, 503, 504, 520, 521, 555), "relay"),
    **dict.fromkeys((530, 534, 535, 538), "login"),
    **dict.fromkeys((551, 556), "recipient"),
    **dict.fromkeys((523,), "message"),
}


def read_reply(code: int, text: str, stage: Stage) -> Reply:
    """What the reply `code text` in this stage says. `text` may begin with an enhanced status code."""
    text = text[:_LONGEST]
    enhanced = _ENHANCED.match(text)
    status = (int(enhanced[2]), int(enhanced[3])) if enhanced else None
    lasting = not 400 <= code < 500
    if stage in ("connect", "hello", "tls"):  # the server has seen neither recipient nor message
        return Reply("limit" if _first(_PATTERNS, text) == "limit" else "relay", lasting)
    if stage == "login" or code in (530, 534, 535, 538):
        return Reply("login", lasting)
    fault = _fault(code, status, text, stage)
    of_size = status == (3, 4) or code == 552  # MAIL FROM says how long the message is (RFC 1870)
    if stage == "sender" and (fault == "recipient" or (fault == "message" and not of_size)):
        fault = "relay"  # the server has seen no recipient yet
    return Reply(fault, lasting)


def _fault(code: int, status: tuple[int, int] | None, text: str, stage: Stage) -> Fault:
    if (named := _first(_NAMED_PATTERNS, text)) is not None:
        return named
    by_words = _first(_PATTERNS, text)
    if code == 421:  # the server ends the session, whatever it was about (RFC 5321, 3.8)
        return "limit" if by_words == "limit" else "relay"
    if status is not None and (definite := _definite(status, lasting=code >= 500)) is not None:
        return definite
    if by_words is not None:  # a limit that the enhanced code places at the recipient's mailbox is not the sender's
        return "recipient" if by_words == "limit" and status is not None and status[0] == 2 else by_words
    if status is not None and status[0] in (2, 3, 4, 5):
        return "recipient" if status[0] == 2 else "relay"
    if code == 552:
        return "recipient" if stage == "recipient" else "message"
    return _BY_CODE.get(code) or _BY_STAGE.get(stage, "relay")


def _definite(status: tuple[int, int], *, lasting: bool) -> Fault | None:
    """What the enhanced code says without doubt; None where servers use it for different things, as 5.7.1."""
    subject, detail = status
    if status in _SPECIAL and (lasting or subject != 4):
        return _SPECIAL[status]
    if status in _LOGIN:
        return "login"
    if subject in (1, 6) and detail:
        return "recipient" if subject == 1 else "message"
    if subject != 7 or detail <= 1:
        return None
    if detail in _OF_RECIPIENT_7:
        return "recipient"
    return "message" if detail in _OF_MESSAGE_7 else "relay"


def _first(patterns: tuple[tuple[Fault, re.Pattern[str]], ...], text: str) -> Fault | None:
    return next((fault for fault, pattern in patterns if pattern.search(text)), None)
