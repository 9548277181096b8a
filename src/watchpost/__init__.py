"""watchpost: an always-on news monitoring service with alerts."""

__version__ = "0.1.0"
