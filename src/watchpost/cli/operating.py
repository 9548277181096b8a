"""The commands of a person on duty: `queue`, `delivery` and `receiver`. Declared here; what they do is elsewhere."""

from __future__ import annotations
