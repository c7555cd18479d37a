"""The keys of the workstation: one file for the page, the docs and the tests, and people's own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from .errors import InvalidKeys
from .models import KeyBinding

# A character, or a named key with modifiers, as KeyboardEvent.key has them.
_KEY = re.compile(
    r"^(?:(?:Ctrl\+)?(?:Alt\+)?(?:Shift\+)?)(?:[^\s\x00-\x1f]|F(?:[1-9]|1[0-2])|[A-Z][A-Za-z]+)$"
)
# These erase, scroll or belong to the browser or a screen reader: nobody may decide with them.
_NEVER = frozenset({"Backspace", "Delete", " ", "Space", "CapsLock", "ContextMenu", "Meta", "F5"})
_NEVER_WITH_CTRL = frozenset("acfnoprstvwx")  # select, copy, find, new, open, print, reload, ...
MAX_KEYS = 3


@cache
def key_map() -> tuple[Mapping[str, Any], ...]:
    """Return the keys of the workstation as ``keys.json`` has them."""
    path = Path(__file__).with_name("keys.json")
    return tuple(json.loads(path.read_text())["keys"])


def keys_of(user: Any) -> list[dict[str, Any]]:
    """Return the key map of a person: their own keys in place of those of the file."""
    own = dict(KeyBinding.objects.filter(user=user).values_list("action", "keys"))
    return [
        {**entry, "keys": own.get(entry["action"], entry["keys"]), "own": entry["action"] in own}
        for entry in key_map()
    ]


@transaction.atomic
def keys_bind(*, user: Any, action: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Give an action other keys for one person; no keys: those of the file again.

    Returns:
        The person's whole key map.

    Raises:
        InvalidKeys: unknown action, no usable key, or a key that means something else already.
    """
    entry = next((item for item in key_map() if item["action"] == action), None)
    if entry is None:
        known = ", ".join(item["action"] for item in key_map())
        raise InvalidKeys(f"Unknown action; the known ones are {known}.")
    wanted = list(dict.fromkeys(keys)) or list(entry["keys"])
    if len(wanted) > MAX_KEYS:
        raise InvalidKeys(f"An action has at most {MAX_KEYS} keys.")
    for key in wanted:
        _usable_or_raise(key)
    others = [item for item in keys_of(user) if item["action"] != action]
    for key in wanted:
        taken = next(
            (o for o in others if key in o["keys"] and _meet(o["mode"], entry["mode"])), None
        )
        if taken is not None:
            raise InvalidKeys(
                f"{key} already means “{taken['label']}”. Give that another key first."
            )
    if keys and wanted != list(entry["keys"]):
        KeyBinding.objects.update_or_create(user=user, action=action, defaults={"keys": wanted})
    else:
        KeyBinding.objects.filter(user=user, action=action).delete()
    return keys_of(user)


@transaction.atomic
def keys_reset(*, user: Any) -> list[dict[str, Any]]:
    """Give a person the keys of the file again, all of them."""
    KeyBinding.objects.filter(user=user).delete()
    return keys_of(user)


def _meet(one: str, other: str) -> bool:
    """Whether keys of two modes can be pressed in the same place."""
    return one == other or "always" in (one, other)


def _usable_or_raise(key: str) -> None:
    if not isinstance(key, str) or not _KEY.match(key):
        raise InvalidKeys("This key cannot be used here.")
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if last in _NEVER or ("Ctrl" in modifiers and last.lower() in _NEVER_WITH_CTRL):
        raise InvalidKeys(f"{key} cannot be used: it erases, or belongs to the browser.")
