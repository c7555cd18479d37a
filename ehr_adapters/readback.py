"""Did the EHR keep what we sent? Element paths where it did not, never the values."""

from __future__ import annotations

from decimal import Decimal

from .documents import Resource
from .exact_json import Json

# Servers own these, or rewrite them with good reason.
_NOT_COMPARED = frozenset({"id", "meta", "text", "contained", "reference", "fullUrl"})
MAX_DIFFERENCES = 20


def differences(sent: Resource, kept: Resource) -> tuple[str, ...]:
    """Return the paths of elements of ``sent`` that ``kept`` lacks or holds differently.

    What the server added is no difference. An attachment whose data the server moved elsewhere
    (it now has an url) is compared by its other elements.
    """
    found: list[str] = []
    _compare(sent, kept, str(sent.get("resourceType", "")), found)
    return tuple(found[:MAX_DIFFERENCES])


def _compare(sent: Json, kept: Json, path: str, found: list[str]) -> None:
    if isinstance(sent, dict):
        if not isinstance(kept, dict):
            found.append(path)
            return
        for name, value in sent.items():
            moved = name == "data" and name not in kept and "url" in kept
            if name not in _NOT_COMPARED and not moved:
                _compare(value, kept.get(name), f"{path}.{name}", found)
    elif isinstance(sent, list):
        if not isinstance(kept, list) or len(kept) < len(sent):
            found.append(path)
            return
        for number, value in enumerate(sent):
            _compare(value, kept[number], f"{path}[{number}]", found)
    elif not _same(sent, kept):
        found.append(path)


def _same(sent: Json, kept: Json) -> bool:
    if isinstance(sent, bool) or isinstance(kept, bool):
        return sent is kept
    if isinstance(sent, int | Decimal) and isinstance(kept, int | Decimal):
        return Decimal(sent) == Decimal(kept)
    return bool(sent == kept)


# What a prescriber says in an order. Elements beside these that a server adds are its own affair;
# one of these that it still holds although we no longer send it is a part of the old order.
_CLINICAL = ("medication", "dosageInstruction", "dispenseRequest", "substitution", "note")


def matches(sent: Resource, kept: Resource) -> bool:
    """Whether ``kept`` says what ``sent`` says, with no clinical element left from before."""
    if differences(sent, kept):
        return False
    return not any(
        _left_over(sent.get(name), value)
        for name, value in kept.items()
        if name.startswith(_CLINICAL) or name == "doNotPerform"
    )


def _left_over(sent: Json, kept: Json) -> bool:
    if isinstance(kept, dict) and isinstance(sent, dict):
        added = set(kept) - set(sent) - _NOT_COMPARED - {"display", "extension"}
        return bool(added) or any(_left_over(sent[k], v) for k, v in kept.items() if k in sent)
    if isinstance(kept, list) and isinstance(sent, list):
        pairs = zip(sent, kept, strict=False)
        return len(kept) > len(sent) or any(_left_over(a, b) for a, b in pairs)
    return sent is None
