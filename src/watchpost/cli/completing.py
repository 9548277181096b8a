"""Names for the shell to complete: topics, feeds and receivers of the configuration, as far as it can be read."""

from __future__ import annotations


def roles(incomplete: str) -> list[str]:
    """Roles that begin so."""
    return [role for role in ("poll", "match", "notify", "web", "all") if role.startswith(incomplete)]


def topics(incomplete: str) -> list[str]:
    """Topics that begin so."""
    return _names("topics", incomplete)


def feeds(incomplete: str) -> list[str]:
    """Feeds that begin so; those of lists are not looked up."""
    return _names("feeds", incomplete)


def sources(incomplete: str) -> list[str]:
    """Feeds and folders that begin so."""
    return _names("feeds", incomplete) + _names("folders", incomplete)


def severities(incomplete: str) -> list[str]:
    """Severities that begin so."""
    return [severity for severity in ("low", "normal", "high") if severity.startswith(incomplete)]


def receivers(incomplete: str) -> list[str]:
    """Receivers that begin so."""
    return _names("receivers", incomplete)


def _names(section: str, incomplete: str) -> list[str]:
    """Reads the files, and checks nothing: a mistake elsewhere must not keep the shell from completing."""
    from watchpost.errors import ConfigError
    from watchpost.plan.files import read_files
    from watchpost.plan.sections import collect
    from watchpost.plan.settings import read_settings

    try:
        files = read_files(read_settings().config)
    except ConfigError:
        return []
    blocks = getattr(collect(files.main, files.included), section)
    return [block.name for block in blocks if block.name.startswith(incomplete)]
