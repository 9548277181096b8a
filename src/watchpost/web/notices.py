"""Still: what a page says after a deed."""

from __future__ import annotations

NOTICES = {
    "enabled": "The receiver is enabled: what waits for it goes now.",
    "hurried": "What waited for a later attempt goes now.",
    "resent": "It is sent again.",
    "replayed": "They are sent again: the same messages, each once, in order.",
    "gone": "Nothing is left of it: somebody was faster, or it was kept too long ago.",
    "now": "The feed is read at its host's next turn.",
    "soon": "The feed is being read, or will be in a moment.",
    "none": "There is nothing of that name.",
    "read": "The configuration was read and is what runs.",
    "hushed": "Nobody is told of that for a while.",
    "unhushed": "The silence has ended.",
    "told": "The edition goes now. What it tells is not told again.",
    "empty": "There is nothing to send.",
    "moved": "Nothing was sent: the edition that you saw went out by itself a moment ago, or was changed. "
    "This is how it stands now.",
    "refused": "The configuration on the disk has mistakes and is not used.",
}
"""What a page may say after a deed; nothing else that stands in an address is ever shown."""
