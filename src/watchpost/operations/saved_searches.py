"""Searches saved under a name: save one, list all, delete one. The pages, the API and the commands do it here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from watchpost import log as tm
from watchpost.errors import FormError, NotFound
from watchpost.store.client import Store
from watchpost.store.saved_searches import SavedSearch, SavedSearches

LONGEST_NAME = 60
MOST_SAVED = 200
PATH = "/searches"


def search_path(name: str) -> str:
    """The page of a saved search, below the root of the pages."""
    return f"{PATH}/{quote(name, safe='')}"


async def save_search(store: Store, name: str, asked: Mapping[str, str], by: str) -> SavedSearch:
    """Save a search, as the user `by`. `asked` are its fields, which hold no mistake.

    Raises FormError for a wrong or used name and for an empty search, and StoreError.
    """
    name, fields = " ".join(name.split()), {key: value for key, value in asked.items() if value}
    if not name or len(name) > LONGEST_NAME or not all(char.isalnum() or char in " -_." for char in name):
        limit = f"up to {LONGEST_NAME} letters, digits, spaces, hyphens, dots and underscores"
        raise FormError({"name": f"'{name[:LONGEST_NAME]}' is not a name of a search; use {limit}"})
    if name.endswith(".atom") or not name.strip("."):
        raise FormError({"name": f"'{name}' is not a name of a search: choose one that does not end like a feed"})
    if not fields:
        raise FormError({"name": "this search asks for nothing: fill in a field first"})
    saved, known = SavedSearches(store), SavedSearch(name, fields, by, datetime.now(UTC))
    if len(await saved.all()) >= MOST_SAVED:
        raise FormError({"name": f"there are {MOST_SAVED} saved searches; delete one first"})
    if not await saved.add(known):
        raise FormError({"name": f"there is another search '{name}'; delete it first, or choose another name"})
    tm.operator_acted("search save", 1, by, search=name)
    return await find_search(store, name)


async def list_searches(store: Store) -> tuple[SavedSearch, ...]:
    """All of them, by name. Raises StoreError."""
    return await SavedSearches(store).all()


async def find_search(store: Store, name: str) -> SavedSearch:
    """The search of this name. Raises NotFound and StoreError."""
    found = await SavedSearches(store).of(name)
    if found is None:
        raise NotFound(f"no saved search '{name[:LONGEST_NAME]}'")
    return found


async def delete_search(store: Store, name: str, by: str) -> None:
    """Delete a search, as the user `by`. Raises NotFound and StoreError."""
    if not await SavedSearches(store).delete(name):
        raise NotFound(f"no saved search '{name[:LONGEST_NAME]}'")
    tm.operator_acted("search delete", 1, by, search=name)
