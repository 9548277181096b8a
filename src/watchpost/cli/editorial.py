"""The commands of an editor: `digest`, `route` and `silence`. Declared here; what they do is elsewhere."""

from __future__ import annotations
